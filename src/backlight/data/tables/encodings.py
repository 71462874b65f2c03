"""In which encoding a text file is written, and a copy of it in UTF-8 where that is needed."""

import codecs
import re
from pathlib import Path
from typing import BinaryIO, Final

from backlight.errors import InputError

_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 18
_WHOLE: Final = 1 << 26
_CELL: Final = re.compile(r'(?:"[^"]*"|[^\s"])+|"')
_WORD: Final = re.compile(rb"[\x40-\xff]*[\x80-\xff][\x40-\xff]*")
_USUAL: Final = ("cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
                 "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949")  # fmt: skip
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN: Final = frozenset("äöüÄÖÜßéèêëàâçîïôûùÿœæøåñáíóúãõÉÈÀÇÑÅØÆ€£§°µ²³½¼±«»–—‘’“”…·×®©™")


def find_encoding(path: Path) -> str:
    """The encoding of a text file, by its byte order mark, or by what its bytes can be.

    UTF-8 where the file is valid UTF-8 (of one larger than 64 MiB, that much of it); failing that, Windows-1252 where
    every letter beyond ASCII is one of Western European languages, and otherwise what charset-normalizer finds most
    likely.

    Raises:
        InputError: the file cannot be read, or is not text.
    """
    try:
        with path.open("rb") as file:
            first = file.read(_CHUNK)
            marked = next((encoding for mark, encoding in _MARKS if first.startswith(mark)), None)
            if marked is not None or b"\0" in first:
                return marked or _without_mark(path, first)
            file.seek(0)
            line, odd = _not_utf8(file)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if odd is None:
        return "utf-8"
    letters, strays = (odd.decode("utf-8", errors) for errors in ("ignore", "replace"))
    if sum(letter > "\x7f" for letter in letters) > strays.count("\ufffd"):
        raise InputError(f"{path}, line {line} is not UTF-8 text, as the rest of the file is; save it all as UTF-8")
    return _guess(path, odd)


def _not_utf8(file: BinaryIO) -> tuple[int, bytes | None]:
    """The line, from 1, and the surroundings of the first bytes that are not UTF-8, None where all are."""
    decoder, before, line = codecs.getincrementaldecoder("utf-8")(), b"", 1
    while file.tell() < _WHOLE:
        chunk = file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return line + error.object[: error.start].count(b"\n"), before[-_SAMPLE:] + chunk
        if not chunk:
            break
        before, line = chunk, line + chunk.count(b"\n")
    return line, None


def _without_mark(path: Path, first: bytes) -> str:
    """UTF-32 or UTF-16 without a byte order mark: the one that makes lines of printable letters of the bytes."""
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        try:
            letters = set(codecs.getincrementaldecoder(encoding)().decode(first))
        except UnicodeDecodeError:
            continue
        if "\n" in letters and all(letter.isprintable() or letter in "\t\r\n\v\f" for letter in letters):
            return encoding
    raise InputError(f"{path} is a binary file; give a text file with one line per example")


def _guess(path: Path, sample: bytes) -> str:
    if sample.translate(None, delete=_CONTROLS) != sample:
        raise InputError(f"{path} is a binary file; give a text file with one line per example")
    try:
        letters = {letter for letter in sample.decode("cp1252") if letter > "\x7f"}
    except UnicodeDecodeError:
        letters = {""}
    if letters <= _WESTERN:
        return "cp1252"
    from charset_normalizer import from_bytes

    words = b" ".join(dict.fromkeys(_WORD.findall(sample)))  # numbers and the like would hide the language
    best = from_bytes(words[:_SAMPLE], cp_isolation=list(_USUAL)).best() or from_bytes(sample[:_SAMPLE]).best()
    if best is None:
        raise InputError(f"{path} is no text in any known encoding; give a text file with one line per example")
    return best.encoding


def write_copy(path: Path, encoding: str, copy: Path, *, tabs: bool = False) -> None:
    """Write a copy of a text file in UTF-8, line by line.

    Args:
        path: the file.
        encoding: its encoding.
        copy: where to.
        tabs: whether every run of spaces outside of double quotes becomes a tab.

    Raises:
        InputError: a byte does not fit the encoding.
    """
    line = 0
    try:
        with path.open(encoding=encoding, newline="") as file, copy.open("w", encoding="utf-8", newline="") as out:
            for line, text in enumerate(file, start=1):  # noqa: B007 - named in the error
                out.write("\t".join(_CELL.findall(text)) + "\n" if tabs else text)
    except UnicodeError as error:
        raise InputError(f"{path}, line {line + 1} is not {encoding} text; save the file as UTF-8") from error
