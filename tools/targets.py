"""What the engine can be compiled for: systems, processors, and the tags of the wheels that hold the outcome."""

import platform
import sys
from dataclasses import dataclass
from typing import Final

INSTRUCTION_SETS: Final = {"x86-64": ("x86-64-v2", "x86-64-v3", "x86-64-v4"), "arm64": ("arm64",)}
SUFFIXES: Final = {"linux": ".so", "darwin": ".dylib", "win32": ".dll"}

_MACHINES: Final = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Target:
    """A system and a kind of processor.

    Attributes:
        platform: the platform in the tag of a wheel for it.
        system: linux, darwin or win32.
        machine: x86-64 or arm64.
        zig: what zig's compiler calls it.
    """

    platform: str
    system: str
    machine: str
    zig: str

    @property
    def instruction_sets(self) -> tuple[str, ...]:
        """The instruction sets that the engine is compiled for, lowest first."""
        return INSTRUCTION_SETS[self.machine]

    def library(self, what: str) -> str:
        """The file name of a library."""
        return f"backlight-{what}{SUFFIXES[self.system]}"


# What wheels are made for, wherever they are made. Linux with glibc 2.17 or newer, macOS 11 or newer.
TARGETS: Final = {
    target.platform: target
    for target in (
        Target("manylinux_2_17_x86_64", "linux", "x86-64", "x86_64-linux-gnu.2.17"),
        Target("manylinux_2_17_aarch64", "linux", "arm64", "aarch64-linux-gnu.2.17"),
        Target("macosx_11_0_x86_64", "darwin", "x86-64", "x86_64-macos.11.0"),
        Target("macosx_11_0_arm64", "darwin", "arm64", "aarch64-macos.11.0"),
        Target("win_amd64", "win32", "x86-64", "x86_64-windows-gnu"),
    )
}


def this_machine() -> Target | None:
    """This machine, or None if the engine cannot be compiled for its system or processor."""
    machine = _MACHINES.get(platform.machine().lower())
    if machine is None or sys.maxsize < 2**32:
        return None
    processor = "x86_64" if machine == "x86-64" else "aarch64"
    if sys.platform == "linux":
        return Target(f"linux_{processor}", "linux", machine, "native")
    if sys.platform == "darwin":
        return TARGETS["macosx_11_0_" + ("x86_64" if machine == "x86-64" else "arm64")]
    if sys.platform == "win32":
        return TARGETS["win_amd64"] if machine == "x86-64" else None
    return None
