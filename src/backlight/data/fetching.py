"""Data sets fetched from the network, on request only: mirrors in order, resumed, verified, then put in place."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from backlight.data.catalog import entry
from backlight.data.idx import FILES, cache_folder, unpack
from backlight.errors import BacklightError, InputError

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that are there, and the bytes that it will have if that is known."""


@dataclass(frozen=True)
class Mirrored:
    """Where the files of a data set are, and what they must hold.

    Attributes:
        mirrors: addresses of folders, tried in order.
        sha256: file → SHA-256 of its *unpacked* content, the same however a mirror has packed it.
    """

    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]


MIRRORED: Final[dict[str, Mirrored]] = {
    "mnist": Mirrored(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion-mnist": Mirrored(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        {
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
}

_MOST: Final = 1 << 26
_CHUNK: Final = 1 << 16
_TIMEOUT_SECONDS: Final = 30.0


def fetch(name: str, folder: Path | None = None, progress: Progress | None = None) -> list[Path]:
    """Fetch a data set; files that are there already and are right are kept.

    A file is written under its name with `.part` at the end, which stays if the network fails, so that the next
    attempt goes on from there. It gets its own name once its content has the pinned SHA-256.

    Args:
        name: `mnist` or `fashion-mnist`.
        folder: where to, the user's cache folder by default.
        progress: told of every piece that arrives.

    Returns:
        The paths of the four files.

    Raises:
        InputError: the data set is not one that is fetched.
        BacklightError: no mirror gave the right file, or the folder cannot be written.
    """
    if entry(name).origin != "fetched":
        raise InputError(f"{name} comes with Backlight, so there is nothing to fetch; use it by its name")
    folder = cache_folder(name) if folder is None else folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BacklightError(
            f"cannot make the folder {folder}: {error.strerror or error}; choose one you can write to"
        ) from error
    mirrored = MIRRORED[name]
    paths: list[Path] = []
    for file in FILES:
        there = [path for path in (folder / file, folder / f"{file}.gz") if _is_right(path, mirrored.sha256[file])]
        paths.append(there[0] if there else _fetch_file(name, folder / f"{file}.gz", mirrored, progress))
    return paths


def _fetch_file(name: str, path: Path, mirrored: Mirrored, progress: Progress | None) -> Path:
    part = path.with_name(f"{path.name}.part")
    sha256 = mirrored.sha256[path.name.removesuffix(".gz")]
    failures: list[str] = []
    for mirror in mirrored.mirrors:
        address = mirror + path.name
        try:
            resumed = _download(address, part, progress)
            if resumed and not _is_right(part, sha256):  # the beginning was another file's
                part.unlink()
                _download(address, part, progress)
        except (OSError, http.client.HTTPException, EOFError) as error:
            failures.append(f"{address}: {_reason(error)}")
            continue
        if _is_right(part, sha256):
            part.replace(path)
            return path
        part.unlink(missing_ok=True)
        failures.append(f"{address}: the file does not have the expected SHA-256")
    raise BacklightError(
        f"{name} could not be fetched ({'; '.join(failures)}); try again later, or put "
        f"{', '.join(f'{file}.gz' for file in FILES)} into {path.parent}"
    )


def _download(address: str, part: Path, progress: Progress | None) -> bool:
    """Fetch into `part`, going on where it ends; whether anything of it was kept."""
    start = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "backlight"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - the mirrors are http and https
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # there is nothing after what we have: it is whole, or another file's
            return True
        raise
    with response:
        resumed = response.status == 206 and str(response.headers["Content-Range"]).startswith(f"bytes {start}-")
        if response.status == 206 and not resumed:
            raise EOFError("the server sent another part than the one asked for")
        have = start if resumed else 0
        length = response.headers["Content-Length"]
        total = have + int(length) if length and length.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(_CHUNK):
                have += len(chunk)
                if have > _MOST:
                    raise EOFError(f"the file is longer than the {_MOST:,} bytes that are expected")
                file.write(chunk)
                if progress:
                    progress(part.name.removesuffix(".part"), have, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and have < total:
        raise EOFError(f"the connection ended after {have:,} of {total:,} bytes")
    return resumed


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(error) or type(error).__name__


def _is_right(path: Path, sha256: str) -> bool:
    """Whether a file is there and its unpacked content has the checksum."""
    try:
        return hashlib.sha256(unpack(path, path.read_bytes(), _MOST)).hexdigest() == sha256
    except (OSError, InputError):
        return False
