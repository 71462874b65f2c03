"""The compiled engine: finding it, choosing among its instruction sets, loading it."""

import ctypes
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from backlight.errors import BacklightError, InputError

# Lowest first, for each kind of processor.
INSTRUCTION_SETS: Final = (("x86-64-v2", "x86-64-v3", "x86-64-v4"), ("arm64",))

_SUFFIX: Final = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
_COMPILED: Final = Path(__file__).parent / "compiled"


@dataclass(frozen=True)
class Library:
    """The compiled engine, loaded.

    Attributes:
        dll: its functions.
        instruction_set: the part of the processor that it uses, such as `x86-64-v3`.
        build: version, compiler and sources in one line. Equal builds and instruction sets give equal bits.
    """

    dll: ctypes.CDLL
    instruction_set: str
    build: str


class _UnavailableError(BacklightError):
    """There is no compiled engine; the message says why."""


def load() -> Library | None:
    """The compiled engine for the best instruction set of this processor; None where there is none.

    The variable `BACKLIGHT_INSTRUCTION_SET` names a lower one than the processor's best;
    `BACKLIGHT_LIBRARY_FOLDER` another folder to look in.

    Raises:
        InputError: the instruction set that is asked for is unknown, or cannot be had here.
    """
    found = _found(*_asked())
    return found if isinstance(found, Library) else None


def why_not() -> str | None:
    """Why there is no compiled engine, in one line; None where there is one.

    Raises:
        InputError: as for `load`.
    """
    found = _found(*_asked())
    return found if isinstance(found, str) else None


def _asked() -> tuple[Path, str]:
    folder = os.environ.get("BACKLIGHT_LIBRARY_FOLDER")
    return Path(folder).absolute() if folder else _COMPILED, os.environ.get("BACKLIGHT_INSTRUCTION_SET", "")


@cache
def _found(folder: Path, wanted: str) -> Library | str:
    """The library, or why there is none; the same for the same question."""
    known = [name for family in INSTRUCTION_SETS for name in family]
    if wanted and wanted not in known:
        raise InputError(
            f"BACKLIGHT_INSTRUCTION_SET is {wanted!r}; it must be one of {_listed(known)}, or not set for the best"
        )
    try:
        usable = _usable(folder)
    except _UnavailableError as reason:
        if wanted:
            raise InputError(
                f"BACKLIGHT_INSTRUCTION_SET is {wanted!r}, and there is no compiled engine: {reason}; unset it"
            ) from None
        return str(reason)
    if wanted and wanted not in usable:
        raise InputError(
            f"BACKLIGHT_INSTRUCTION_SET is {wanted!r}; on this processor it must be one of {_listed(usable)}, "
            "or not set for the best"
        )
    instruction_set = wanted or usable[-1]
    try:
        dll = _opened(folder, instruction_set)
        return Library(dll, instruction_set, _text(dll, "backlight_build"))
    except _UnavailableError as reason:
        return str(reason)


def _usable(folder: Path) -> list[str]:
    """The instruction sets that the processor has and the folder holds, lowest first.

    Raises:
        _UnavailableError: there are none.
    """
    if not _path(folder, "cpu").exists():
        told = folder / "why-not.txt"
        raise _UnavailableError(
            told.read_text(encoding="utf-8").strip() if told.exists() else f"nothing is compiled in {folder}"
        )
    best = _text(_opened(folder, "cpu"), "backlight_instruction_set")
    had = [name for family in INSTRUCTION_SETS if best in family for name in family[: family.index(best) + 1]]
    usable = [name for name in had if _path(folder, name).exists()]
    if not usable:
        raise _UnavailableError(f"this processor's instruction set is {best}, and none is compiled for it in {folder}")
    return usable


def _path(folder: Path, what: str) -> Path:
    return folder / f"backlight-{what}{_SUFFIX}"


def _opened(folder: Path, what: str) -> ctypes.CDLL:
    path = _path(folder, what)
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise _UnavailableError(f"{path} cannot be loaded ({error})") from error


def _text(dll: ctypes.CDLL, function: str) -> str:
    """What a function without arguments says."""
    try:
        call = dll[function]
    except AttributeError as error:
        raise _UnavailableError(f"{dll._name} has no function {function}; install Backlight again") from error
    call.restype = ctypes.c_char_p
    return str(call().decode())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
