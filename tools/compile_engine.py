"""Compiles the engine's C sources: one shared library per instruction set, and one that asks the processor.

Run by the build hook when Backlight is installed, and by hand: `python -m tools.compile_engine FOLDER [--sanitize]`.
The standard library is all that it needs.
"""

import hashlib
import importlib.util
import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from tools.targets import Target, this_machine

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "src" / "backlight" / "engine" / "c"
COMPILED: Final = ROOT / "src" / "backlight" / "engine" / "compiled"

# The C compiler for machines that have none. Its options change between versions, so it is a version that was tried.
ZIGLANG: Final = "ziglang~=0.17.1"

SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")
TRIAL: Final = "#include <math.h>\n#include <stdlib.h>\n#include <string.h>\nint trial(void) { return 0; }\n"


class CompilerError(Exception):
    """A compiler ended with an error; the message is the first line that says why."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler.

    Attributes:
        command: how it is called.
        name: what it is, with its version.
        zig: whether it is zig's, which compiles for any target and has its own names for processors.
    """

    command: tuple[str, ...]
    name: str
    zig: bool = False


@dataclass(frozen=True)
class Plan:
    """What is compiled, for what, and by what.

    Attributes:
        target: the system and processor to compile for.
        compiler: what compiles.
        sources: the folder of the C sources.
        sanitized: whether the libraries check themselves while they run, which is slow.
    """

    target: Target
    compiler: Compiler
    sources: Path = SOURCES
    sanitized: bool = False

    def compile_flags(self, instruction_set: str) -> list[str]:
        """The options that turn sources into objects for an instruction set."""
        flags = ["-std=c11", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"]
        flags += ["-O1", *SANITIZERS] if self.sanitized else ["-O2", "-g0"]
        if self.target.system == "win32":
            flags.append("-DWIN32_LEAN_AND_MEAN")  # windows.h without sockets, whose names are common words
        else:
            flags += ["-fPIC", "-pthread"]
        if self.compiler.zig:
            flags += ["-target", self.target.zig, f"-mcpu={self._zig_processor(instruction_set)}"]
        else:
            flags.append("-march=" + ("armv8-a" if instruction_set == "arm64" else instruction_set))
            flags += self._oldest_macos()
        if instruction_set == "x86-64-v4":
            flags.append("-mprefer-vector-width=512")
        return flags

    def link_flags(self) -> list[str]:
        """The options that turn objects into a shared library; the same for every instruction set."""
        flags = ["-shared", *(SANITIZERS if self.sanitized else ())]
        if self.target.system == "linux":
            flags += ["-pthread", "-Wl,--as-needed", "-Wl,--no-undefined"]
        if self.compiler.zig:
            flags += ["-O2", "-s", "-target", self.target.zig, f"-mcpu={self._zig_processor(self.target.machine)}"]
        return flags + self._oldest_macos()

    @staticmethod
    def _zig_processor(instruction_set: str) -> str:
        return "generic" if instruction_set == "arm64" else instruction_set.replace("-", "_")

    def _oldest_macos(self) -> list[str]:
        ours = self.target.system == "darwin" and not self.compiler.zig
        return ["-mmacosx-version-min=11.0"] if ours else []

    @cached_property
    def build(self) -> str:
        """A short name of the outcome: another version, compiler, source or option gives another one."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.sources.iterdir() if path.suffix in {".c", ".h", ".inc"}):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        for instruction_set in (self.target.machine, *self.target.instruction_sets):
            digest.update("\0".join(self.compile_flags(instruction_set)).encode() + b"\0\0")
        digest.update("\0".join(self.link_flags()).encode())
        return f"backlight {version()}, {self.compiler.name}, sources {digest.hexdigest()[:8]}"


@dataclass(frozen=True)
class Outcome:
    """What compiling gave.

    Attributes:
        libraries: the shared libraries; none where nothing could be compiled.
        complaints: one line for each instruction set that could not be compiled.
    """

    libraries: tuple[Path, ...]
    complaints: tuple[str, ...]


def version() -> str:
    """The version of Backlight that is compiled."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def find_compiler(target: Target) -> Compiler | None:
    """The compiler for a target: this machine's own where it works, else zig's where it is installed."""
    return system_compiler(target) or zig_compiler()


def system_compiler(target: Target) -> Compiler | None:
    """The first of $CC, or else cc, gcc and clang, that builds a shared library; they compile for this machine only."""
    if target != this_machine():
        return None
    chosen = shlex.split(os.environ.get("CC", ""), posix=os.name == "posix")
    # On Windows, GCC keeps wide vectors at addresses that the processor then refuses (its bug 54412).
    usual = ["clang"] if target.system == "win32" else ["cc", "gcc", "clang"]
    for command in [chosen] if chosen else [[name] for name in usual]:
        try:
            return _tried_out(target, command)
        except (OSError, CompilerError):
            continue
    return None


def zig_compiler() -> Compiler | None:
    """The compiler of the package `ziglang`, if that is installed."""
    if importlib.util.find_spec("ziglang") is None:
        return None
    command = [sys.executable, "-m", "ziglang"]
    number = subprocess.run([*command, "version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return Compiler((*command, "cc"), f"zig {number}", zig=True)


def compile_engine(plan: Plan, folder: Path) -> Outcome:
    """Compile every library of a plan into a folder, which then holds them and nothing of an earlier plan.

    Libraries of the same build are left as they are. An instruction set that the compiler does not know is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = plan.target
    engine = sorted(path for path in plan.sources.glob("*.c") if path.name != "cpu.c")
    jobs = {target.library("cpu"): (target.machine, [plan.sources / "cpu.c"])}
    jobs |= {target.library(name): (name, engine) for name in target.instruction_sets if engine}
    complaints = [] if engine else [f"there are no C sources in {plan.sources}"]
    with (
        tempfile.TemporaryDirectory(prefix=".compiling-", dir=folder) as scratch,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        started = {
            name: pool.submit(_renew, plan, job, folder / name, Path(scratch) / name) for name, job in jobs.items()
        }
        made = []
        for name, future in started.items():
            try:
                future.result()
                made.append(name)
            except (OSError, CompilerError) as error:
                complaints.append(f"{name}: {error}")
    if target.library("cpu") not in made or len(made) == 1:
        made = []
    for path in folder.iterdir():
        if path.is_file() and path.name not in made:
            path.unlink()
    return Outcome(tuple(folder / name for name in made), tuple(complaints))


def _renew(plan: Plan, job: tuple[str, list[Path]], library: Path, scratch: Path) -> None:
    """Compile one library, unless it is there and of this build."""
    if library.exists() and plan.build.encode() in library.read_bytes():
        return
    scratch.mkdir()
    instruction_set, sources = job
    _shared_library(plan, instruction_set, sources, scratch, library.name)
    (scratch / library.name).replace(library)


def _shared_library(plan: Plan, instruction_set: str, sources: Sequence[Path], folder: Path, name: str) -> None:
    command = list(plan.compiler.command)
    defines = [f'-DBACKLIGHT_BUILD="{plan.build}"', f'-DBACKLIGHT_ISA="{instruction_set}"']
    objects = [f"{path.stem}.o" for path in sources]
    for path, made in zip(sources, objects, strict=True):
        _run([*command, *plan.compile_flags(instruction_set), *defines, "-c", str(path), "-o", made], folder)
    libm = [] if plan.target.system == "win32" else ["-lm"]
    _run([*command, *plan.link_flags(), *objects, *libm, "-o", name], folder)


def _run(command: list[str], folder: Path) -> str:
    caches = {name: str(folder.parent / "zig") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    answer = subprocess.run(  # noqa: S603 - the compiler, with options of our own
        command, cwd=folder, env={**caches, **os.environ}, capture_output=True, text=True, errors="replace", check=False
    )
    if answer.returncode:
        lines = answer.stderr.splitlines()
        told = [line for line in lines if "error" in line or "undefined" in line] or lines
        raise CompilerError(told[0].strip() if told else f"{command[0]} ended with code {answer.returncode}")
    return answer.stdout


def _tried_out(target: Target, command: list[str]) -> Compiler:
    """The compiler of a command, after it has built a small library as the engine's are built.

    Raises:
        CompilerError: it did not work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "trial"
        folder.mkdir()
        source = folder / "trial.c"
        source.write_text(TRIAL, encoding="utf-8")
        compiler = Compiler(tuple(command), _name_of(command, folder))
        plan = Plan(target, compiler, sources=folder)
        _shared_library(plan, target.instruction_sets[0], [source], folder, target.library("trial"))
        return compiler


def _name_of(command: list[str], folder: Path) -> str:
    """What a compiler calls itself, by the macros that it defines."""
    lines = _run([*command, "-E", "-dM", "-x", "c", os.devnull], folder).splitlines()
    macros = {words[1]: words[2] for words in (line.split(maxsplit=2) for line in lines) if len(words) == 3}
    if "__clang__" in macros:
        family, parts = "clang", ("__clang_major__", "__clang_minor__", "__clang_patchlevel__")
    else:
        family, parts = "gcc", ("__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__")
    return f"{family} {'.'.join(macros[part] for part in parts if part in macros)}"


def main(words: list[str]) -> int:
    """Compile for this machine into the folder that is named; `--sanitize` for libraries that check themselves."""
    folders = [word for word in words if word != "--sanitize"]
    if len(folders) != 1:
        sys.stderr.write("usage: python -m tools.compile_engine FOLDER [--sanitize]\n")
        return 2
    target = this_machine()
    compiler = system_compiler(target) if target else None
    if target is None or compiler is None:
        sys.stderr.write("there is no C compiler that works here; install one (cc, gcc or clang) or name it in $CC\n")
        return 1
    outcome = compile_engine(Plan(target, compiler, sanitized="--sanitize" in words), Path(folders[0]))
    sys.stdout.write("".join(f"{path}\n" for path in outcome.libraries))
    sys.stderr.write("".join(f"{line}\n" for line in outcome.complaints))
    return 0 if outcome.libraries else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
