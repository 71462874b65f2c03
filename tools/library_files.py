"""Reads what a shared library says of itself: for which system and processor, what it offers, what it needs.

ELF, Mach-O and PE, as far as the engine's libraries use them: 64 bits, little-endian, one processor per file.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ELF_MACHINES: Final = {62: "x86-64", 183: "arm64"}
_MACHO_MACHINES: Final = {0x01000007: "x86-64", 0x0100000C: "arm64"}
_PE_MACHINES: Final = {0x8664: "x86-64", 0xAA64: "arm64"}


@dataclass(frozen=True)
class LibraryFile:
    """What a shared library says of itself.

    Attributes:
        system: linux, darwin or win32.
        machine: x86-64 or arm64.
        exports: the functions that it offers.
        needs: the libraries that it needs, and on Linux the versions of their symbols (`libc.so.6 GLIBC_2.14`).
        oldest: the oldest release of macOS that it is for; empty elsewhere.
    """

    system: str
    machine: str
    exports: frozenset[str]
    needs: frozenset[str]
    oldest: str = ""

    def newest_glibc(self) -> tuple[int, ...]:
        """The oldest version of glibc that has all that the library needs; (0,) if any will do."""
        found = (re.search(r" GLIBC_([\d.]+)$", need) for need in self.needs)
        return max((tuple(int(part) for part in match[1].split(".")) for match in found if match), default=(0,))


def read_library(path: Path) -> LibraryFile:
    """What the library in a file says of itself.

    Raises:
        ValueError: it is no shared library of a known kind.
    """
    data = path.read_bytes()
    readers: dict[bytes, Callable[[bytes], LibraryFile]] = {
        b"\x7fELF": _read_elf,
        b"\xcf\xfa\xed\xfe": _read_macho,
        b"MZ": _read_pe,
    }
    for magic, reader in readers.items():
        if data.startswith(magic):
            return reader(data)
    raise ValueError(f"{path} begins with {data[:4]!r}; it must be a 64-bit ELF, Mach-O or PE library")


def _string(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


def _read_elf(data: bytes) -> LibraryFile:
    """By its section headers: dynamic symbols (11), needed libraries (6) and versions (0x6ffffffe)."""
    machine, table = struct.unpack_from("<H", data, 18)[0], struct.unpack_from("<Q", data, 40)[0]
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + k * size) for k in range(count)]
    exports, needs = set(), set()
    for _, kind, _, _, start, length, link, info, _, _ in sections:
        strings = sections[link][4] if link < count else 0
        if kind == 11:
            for at in range(start, start + length, 24):
                name, how, _, place, _, _ = struct.unpack_from("<IBBHQQ", data, at)
                if place and how >> 4 == 1 and how & 15 == 2:  # defined here, global, a function
                    exports.add(_string(data, strings + name))
        elif kind == 6:
            for at in range(start, start + length, 16):
                tag, value = struct.unpack_from("<QQ", data, at)
                needs |= {_string(data, strings + value)} if tag == 1 else set()
        elif kind == 0x6FFFFFFE:
            needs |= set(_elf_versions(data, start, strings, info))
    return LibraryFile("linux", _ELF_MACHINES.get(machine, str(machine)), frozenset(exports), frozenset(needs))


def _elf_versions(data: bytes, at: int, strings: int, count: int) -> Iterator[str]:
    for _ in range(count):
        _, entries, file, first, following = struct.unpack_from("<HHIII", data, at)
        entry = at + first
        for _ in range(entries):
            _, _, _, name, step = struct.unpack_from("<IHHII", data, entry)
            yield f"{_string(data, strings + file)} {_string(data, strings + name)}"
            entry += step
        at += following


def _read_macho(data: bytes) -> LibraryFile:
    """By its load commands: symbols (2), needed libraries (12), oldest system (0x24, 0x32)."""
    machine, _, _, count = struct.unpack_from("<IIII", data, 4)
    exports: set[str] = set()
    needs: set[str] = set()
    oldest, at = "", 32
    for _ in range(count):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 2:
            symbols, number, strings, _ = struct.unpack_from("<IIII", data, at + 8)
            for k in range(number):
                name, how, place, _, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * k)
                # Defined in a section, external, not private to the file, no note for debuggers.
                if place and how & 0xE0 == 0 and how & 0x11 == 1:
                    exports.add(_string(data, strings + name).removeprefix("_"))
        elif kind == 12:
            needs.add(_string(data, at + struct.unpack_from("<I", data, at + 8)[0]))
        elif kind in {0x24, 0x32}:
            packed = struct.unpack_from("<I", data, at + (8 if kind == 0x24 else 12))[0]
            oldest = f"{packed >> 16}.{packed >> 8 & 255}"
        at += size
    name = _MACHO_MACHINES.get(machine, str(machine))
    return LibraryFile("darwin", name, frozenset(exports), frozenset(needs), oldest)


def _read_pe(data: bytes) -> LibraryFile:
    """By its export and import directories."""
    header = struct.unpack_from("<I", data, 60)[0]
    machine, count = struct.unpack_from("<HH", data, header + 4)
    optional = header + 24
    sections = optional + struct.unpack_from("<H", data, header + 20)[0]
    areas: list[tuple[int, ...]] = [struct.unpack_from("<IIII", data, sections + 40 * k + 8) for k in range(count)]

    def place(address: int) -> int:
        """Where in the file lies what will have this address."""
        return next(p + address - a for size, a, length, p in areas if a <= address < a + max(size, length))

    offered, _, wanted = struct.unpack_from("<III", data, optional + 112)
    exports, needs = set(), set()
    if offered:
        number, _, names = struct.unpack_from("<III", data, place(offered) + 24)
        listed = place(names) if number else 0
        exports = {_string(data, place(struct.unpack_from("<I", data, listed + 4 * k)[0])) for k in range(number)}
    at = place(wanted) if wanted else None
    while at is not None and (name := struct.unpack_from("<I", data, at + 12)[0]):
        needs.add(_string(data, place(name)))
        at += 20
    return LibraryFile("win32", _PE_MACHINES.get(machine, str(machine)), frozenset(exports), frozenset(needs))
