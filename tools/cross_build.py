"""Builds a wheel for every platform on this one machine, with zig's compiler, and checks what is in it.

    python -m tools.cross_build [PLATFORM ...]

The wheels go into dist/. It needs `hatchling` and `ziglang` installed; `make wheels` makes an environment with both.
What cannot be done on one machine: running the libraries of the others. They are checked by their own headers: format,
processor, the functions that they offer, what they need of the system.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tools.compile_engine import ROOT, ZIGLANG, zig_compiler
from tools.library_files import LibraryFile, read_library
from tools.targets import TARGETS, Target

# Of a library a system promises that it is always there, or Python itself brings it.
ALLOWED: Final = {
    "linux": ("libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
    "darwin": ("/usr/lib/libSystem.B.dylib",),
    "win32": ("KERNEL32.dll", "api-ms-win-crt-"),
}
# What compilers put into every library of a system, besides the functions that are its own.
RUNTIME: Final = {
    "linux": set[str](),
    "darwin": {"__dso_handle", "_mh_dylib_header"},
    "win32": {"_CRT_INIT", "__mingw_module_is_dll", "atexit"},
}


def build(target: Target, folder: Path) -> Path:
    """Build the wheel for a platform, and move it into the folder.

    Raises:
        RuntimeError: it could not be built; the message is what the build said.
    """
    cache = str(ROOT / "build" / "zig")
    environment = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, **os.environ}
    environment["BACKLIGHT_TARGET"] = target.platform
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch]
        answer = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr.strip())
        (made,) = Path(scratch).glob("*.whl")
        folder.mkdir(exist_ok=True)
        return Path(shutil.move(made, folder / made.name))


def check(wheel: Path, target: Target) -> list[str]:
    """What is wrong with a wheel, a line each."""
    if not wheel.stem.endswith(f"-py3-none-{target.platform}"):
        return [f"it is named {wheel.name}; its tag must be py3-none-{target.platform}"]
    wrong: list[str] = []
    functions: dict[frozenset[str], str] = {}
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as scratch:
        names = {Path(name).name: name for name in archive.namelist() if "/engine/compiled/" in name}
        expected = [target.library(what) for what in ("cpu", *target.instruction_sets)]
        if sorted(names) != sorted(expected):
            return [f"it holds the libraries {sorted(names)}; they must be {sorted(expected)}"]
        for name in expected:
            found = read_library(Path(archive.extract(names[name], scratch)))
            wrong += [f"{name}: {line}" for line in _faults(found, target)]
            if name == target.library("cpu"):
                wrong += [] if "backlight_instruction_set" in found.exports else [f"{name}: cannot be asked"]
            else:
                functions.setdefault(found.exports, name)
    if len(functions) > 1:
        wrong.append(f"these offer different functions: {', '.join(functions.values())}")
    return wrong


def _faults(found: LibraryFile, target: Target) -> list[str]:
    faults = []
    if (found.system, found.machine) != (target.system, target.machine):
        faults.append(f"is for {found.system} on {found.machine}; it must be for {target.system} on {target.machine}")
    if "backlight_build" not in found.exports:
        faults.append("does not offer backlight_build")
    others = sorted(name for name in found.exports - RUNTIME[target.system] if not name.startswith("backlight"))
    if others:
        faults.append(f"offers {', '.join(others[:5])}; only names that begin with backlight may be offered")
    strange = sorted(need for need in found.needs if not need.startswith(ALLOWED[target.system]))
    if strange:
        faults.append(f"needs {', '.join(strange)}; only {', '.join(ALLOWED[target.system])} may be needed")
    if found.newest_glibc() > (2, 17):
        faults.append(f"needs glibc {found.newest_glibc()}; 2.17 must be enough")
    if target.system == "darwin" and found.oldest != "11.0":
        faults.append(f"is for macOS {found.oldest} on; it must be for 11.0 on")
    return faults


def main(platforms: list[str]) -> int:
    """Build and check the wheels for the platforms, all unless some are named."""
    unknown = [name for name in platforms if name not in TARGETS]
    if unknown:
        sys.stderr.write(f"there is no platform {unknown[0]!r}; there are {', '.join(TARGETS)}\n")
        return 2
    if zig_compiler() is None:
        sys.stderr.write(f"ziglang is not installed; install it: python -m pip install hatchling '{ZIGLANG}'\n")
        return 1
    faulty = False
    for name in platforms or TARGETS:
        try:
            wheel = build(TARGETS[name], ROOT / "dist")
        except RuntimeError as error:
            sys.stdout.write(f"{name}: {error}\n")
            faulty = True
            continue
        wrong = check(wheel, TARGETS[name])
        faulty |= bool(wrong)
        sys.stdout.write(f"{wheel.name}  {wheel.stat().st_size / 1024:.0f} kB  {'faulty' if wrong else 'checked'}\n")
        sys.stdout.write("".join(f"  {line}\n" for line in wrong))
        sys.stdout.flush()
    return int(faulty)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
