"""The image files of a folder or a zip: found, named and opened; a zip is never unpacked to the disk."""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeAlias

from backlight.errors import InputError

IMAGES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
"""The endings of files that are read as images."""

_UNSEEN: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_MOST_IN_ZIP: Final = 1 << 27  # bytes of one image file, against a zip that would fill the memory

UNREADABLE: Final = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What may be raised where an image file is opened: a zip can be damaged, or packed in a way that is not known."""

Stamp: TypeAlias = tuple[int, ...]
"""What changes when a file does: size and times, or the checksum that a zip keeps."""


@dataclass(frozen=True)
class ImageFiles:
    """The images of a folder or a zip.

    Where everything lies in one folder, that folder is descended into.

    Attributes:
        path: of the folder or the zip.
        names: of the images, relative, with `/`, ascending.
        stamps: one per name.
        folders: every folder inside, relative.
        others: files that are no images by their ending.
    """

    path: Path
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    folders: tuple[str, ...]
    others: tuple[str, ...]
    _inside: str = ""
    _archive: zipfile.ZipFile | None = None
    _entries: dict[str, str] = field(default_factory=dict)

    def open(self, name: str) -> BinaryIO:
        """An image file, to be read and sought in; from any thread.

        Raises:
            Exception: one of `UNREADABLE`, if it cannot be opened.
        """
        if self._archive is None:
            return open(f"{self.path}/{self._inside}{name}", "rb")  # noqa: PTH123 - thousands of paths take time
        return io.BytesIO(self._archive.read(self._entries[self._inside + name]))

    @property
    def folder(self) -> str:
        """The whole path of the folder that names are relative to; a zip counts as a folder of its name."""
        return f"{self.path.resolve().as_posix()}/{self._inside}".rstrip("/")

    def shown(self, name: str) -> str:
        """A file's path in messages."""
        return readable(f"{self.path}/{self._inside}{name}")


@contextmanager
def image_files(path: Path) -> Iterator[ImageFiles]:
    """The images of a folder or a zip, all that lie anywhere below it; hidden files are passed over.

    Raises:
        InputError: the folder or the zip cannot be read, or is not safe to.
    """
    if path.is_dir():
        yield _descended(_of_folder(path))
        return
    try:
        archive = zipfile.ZipFile(path)
    # ValueError and NotImplementedError: an offset or a version that zipfile does not know
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise InputError(f"{path} is no zip file that can be read ({error}); pack the folder again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    with archive:
        yield _descended(_of_archive(path, archive))


def readable(name: str) -> str:
    r"""A file's name as text that can be written anywhere; bytes that are no UTF-8 become �.

    Example:
        >>> readable("caf\udce9.png")
        'caf�.png'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_image(name: str) -> bool:
    """Whether a file is an image by the ending of its name."""
    return name.lower().endswith(IMAGES)


def _of_folder(path: Path) -> ImageFiles:
    names: list[str] = []
    stamps: list[Stamp] = []
    folders: list[str] = []
    others: list[str] = []
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while waiting:
        inside, above = waiting.pop()
        try:
            here = os.stat(path / inside)  # noqa: PTH116 - what scandir gives is stat's
            chain = above | {(here.st_dev, here.st_ino)}
            with os.scandir(path / inside) as entries:
                found = list(entries)
        except OSError as error:
            raise InputError(f"cannot read the folder {readable(str(path / inside))}: {error.strerror}") from error
        for entry in found:
            if _is_hidden(entry.name):
                continue
            name, status = inside + entry.name, _status(entry)
            if status is not None and stat.S_ISDIR(status.st_mode):
                if (status.st_dev, status.st_ino) not in chain:  # a link that leads back is not followed
                    waiting.append((f"{name}/", chain))
                    folders.append(name)
            elif is_image(name) and (status is None or stat.S_ISREG(status.st_mode)):
                names.append(name)
                stamps.append((-1,) if status is None else (status.st_size, status.st_mtime_ns, status.st_ctime_ns))
            else:
                others.append(name)
    order = sorted(range(len(names)), key=names.__getitem__)
    return ImageFiles(
        path, tuple(names[i] for i in order), tuple(stamps[i] for i in order), tuple(folders), tuple(others)
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _UNSEEN


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What a name leads to; None for a link that leads nowhere."""
    try:
        return entry.stat()
    except OSError:
        return None


def _of_archive(path: Path, archive: zipfile.ZipFile) -> ImageFiles:
    entries: dict[str, str] = {}
    sizes: dict[str, Stamp] = {}
    folders: set[str] = set()
    others: list[str] = []
    for entry in archive.infolist():
        pure = PurePosixPath(entry.filename.replace("\\", "/"))
        name = str(pure)
        if pure.is_absolute() or ".." in pure.parts or ":" in "".join(pure.parts[:1]):
            raise InputError(f"{path} holds {readable(name)!r}, a path that leads out of it; pack the folder again")
        if not pure.parts or any(_is_hidden(part) for part in pure.parts):
            continue
        folders.update(str(above) for above in pure.parents if str(above) != ".")
        if entry.is_dir():
            folders.add(name)
        elif not is_image(name):
            others.append(name)
        elif entry.flag_bits & 1:
            raise InputError(f"{path} is encrypted ({readable(name)!r}); pack the folder again without a password")
        elif entry.file_size > _MOST_IN_ZIP:
            raise InputError(
                f"{path}: {readable(name)!r} unpacks to {entry.file_size:,} bytes, more than the {_MOST_IN_ZIP:,} that "
                "an image may have; unpack the zip and give the folder"
            )
        else:
            entries[name] = entry.filename
            sizes[name] = (entry.file_size, entry.CRC)
    names = tuple(sorted(entries))
    stamps = tuple(sizes[name] for name in names)
    return ImageFiles(path, names, stamps, tuple(folders), tuple(others), "", archive, entries)


def _descended(files: ImageFiles) -> ImageFiles:
    """The same images, named from within the folder that all of them lie in, if there is one."""
    inside = ""
    while True:
        tops = {name[len(inside) :].partition("/")[0] for name in files.folders if name.startswith(inside)}
        alone = [name for name in files.names if "/" not in name[len(inside) :]]
        if len(tops) != 1 or alone:
            break
        inside += f"{tops.pop()}/"
    if not inside:
        return files
    return ImageFiles(
        files.path,
        tuple(name[len(inside) :] for name in files.names),
        files.stamps,
        tuple(name[len(inside) :] for name in files.folders if name.startswith(inside)),
        files.others,
        inside,
        files._archive,
        files._entries,
    )
