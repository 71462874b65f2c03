"""Files that are either whole or absent: write, sync, rename; checksums; safetensors in and out."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from backlight.arrays import Array
from backlight.errors import BacklightError, InputError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes `path`'s place when the block ends well, and leaves no trace when it does not.

    The bytes go to a temporary name in the same folder, are synced to the disk and then renamed, so that a
    reader, or a machine that loses power, sees the old file or the new one and never a half.

    Raises:
        BacklightError: the folder cannot be written.
    """
    import tempfile

    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise BacklightError(
            f"cannot write {path}: {error.strerror or error}; choose a folder you can write to"
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise BacklightError(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; its rename is journaled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as file:
        file.write(content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON that any reader accepts: indented, no NaN, ending with a newline."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: there is no such file, or it holds no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path} holds no valid JSON ({error}); was it edited or cut short?") from error


def sha256_of_file(path: Path) -> str:
    """The SHA-256 checksum of a file, as 64 hexadecimal digits.

    Raises:
        InputError: the file cannot be read.
    """
    import hashlib

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def sha256_of_texts(texts: Iterable[str]) -> str:
    """The SHA-256 checksum of texts, one after the other.

    Example:
        >>> sha256_of_texts(["a", "b"]) == sha256_of_texts(["ab"])
        False
    """
    import hashlib

    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def sha256_of_arrays(*arrays: Array) -> str:
    """The SHA-256 checksum of arrays: their dtypes, shapes and values.

    Example:
        >>> sha256_of_arrays(np.zeros(2)) == sha256_of_arrays(np.zeros((2, 1)))
        False
    """
    import hashlib

    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, read it back, and only then put it in its place.

    Args:
        path: where.
        tensors: arrays by name.
        metadata: strings by name.

    Raises:
        BacklightError: the file cannot be written, or does not read back as it was written.
    """
    import safetensors.numpy

    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    content = safetensors.numpy.save(contiguous, metadata=dict(metadata))
    for name, array in safetensors.numpy.load(content).items():
        if array.dtype != contiguous[name].dtype or array.tobytes() != contiguous[name].tobytes():
            raise BacklightError(f"tensor {name!r} did not survive the writing of {path}; nothing was written")
    write_bytes(path, content)


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file: its arrays, and its metadata.

    Raises:
        InputError: there is no such file, or it is not a safetensors file.
    """
    import safetensors
    import safetensors.numpy

    try:
        content = path.read_bytes()
        tensors = safetensors.numpy.load(content)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a safetensors file ({error}); was it cut short?") from error
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return tensors, header.get("__metadata__", {})
