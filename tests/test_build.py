"""Compiling the engine: by the functions that do it, and by installing and packing."""

import ctypes
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tools import compile_engine as compiling
from tools import cross_build
from tools.compile_engine import CompilerError, Plan, compile_engine, system_compiler
from tools.library_files import LibraryFile, read_library
from tools.targets import TARGETS, this_machine

from tests.stub_engine import compiled_stub, stub_plan, stub_sources

ROOT = compiling.ROOT


def _wrapped(folder: Path, body: str) -> str:
    """A compiler that is a shell script."""
    script = folder / "wrapped-cc"
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


def test_every_instruction_set_becomes_a_library_that_says_its_build(tmp_path):
    plan = stub_plan(stub_sources(tmp_path / "c"))
    outcome = compile_engine(plan, tmp_path / "compiled")
    names = [plan.target.library(what) for what in ("cpu", *plan.target.instruction_sets)]
    assert [path.name for path in outcome.libraries] == names
    assert sorted(path.name for path in (tmp_path / "compiled").iterdir()) == sorted(names)
    assert not outcome.complaints
    for path in outcome.libraries:
        dll = ctypes.CDLL(str(path))
        dll.backlight_build.restype = ctypes.c_char_p
        assert dll.backlight_build().decode() == plan.build
    assert f"backlight {compiling.version()}, " in plan.build


def test_only_another_build_is_compiled_again(tmp_path):
    def stamps() -> list[tuple[int, int]]:
        return [(path.stat().st_ino, path.stat().st_mtime_ns) for path in outcome.libraries]

    sources = stub_sources(tmp_path / "c")
    outcome = compile_engine(stub_plan(sources), tmp_path / "compiled")
    before = stamps()
    assert compile_engine(stub_plan(sources), tmp_path / "compiled") == outcome
    assert stamps() == before
    with (sources / "stub.h").open("a", encoding="utf-8") as file:
        file.write("/* changed */\n")
    assert compile_engine(stub_plan(sources), tmp_path / "compiled") == outcome
    assert not set(stamps()) & set(before)


def test_sources_compiler_and_options_are_in_the_build(tmp_path):
    plan = stub_plan(stub_sources(tmp_path / "c"))
    other = replace(plan.compiler, name="another 1.0")
    builds = {p.build for p in (plan, replace(plan, compiler=other), replace(plan, sanitized=True))}
    assert len(builds) == 3
    assert Plan(plan.target, plan.compiler, plan.sources).build == plan.build


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")
def test_an_instruction_set_that_the_compiler_does_not_know_is_left_out(tmp_path):
    plan = stub_plan(stub_sources(tmp_path / "c"))
    if plan.target.machine != "x86-64":
        pytest.skip("there is one instruction set")
    refusal = 'case "$*" in *march=x86-64-v4*) echo "error: bad value" >&2; exit 1;; esac'
    script = _wrapped(tmp_path, f'{refusal}; exec {plan.compiler.command[0]} "$@"')
    outcome = compile_engine(replace(plan, compiler=replace(plan.compiler, command=(script,))), tmp_path / "compiled")
    assert [path.stem for path in outcome.libraries] == ["backlight-cpu", "backlight-x86-64-v2", "backlight-x86-64-v3"]
    assert outcome.complaints == (f"{plan.target.library('x86-64-v4')}: error: bad value",)


def test_sources_with_an_error_leave_no_library_not_even_an_older_one(tmp_path):
    before = compiled_stub(tmp_path)
    assert before.libraries
    (tmp_path / "c" / "stub.c").write_text("int unfinished(", encoding="utf-8")
    outcome = compile_engine(stub_plan(tmp_path / "c"), tmp_path / "compiled")
    assert not outcome.libraries
    assert len(outcome.complaints) == len(before.libraries) - 1
    assert all("error" in line and "stub.c:1" in line for line in outcome.complaints)
    assert not list((tmp_path / "compiled").iterdir())


def test_a_function_that_is_nowhere_is_an_error_when_linked(tmp_path):
    sources = stub_sources(tmp_path / "c")
    (sources / "more.c").write_text("int absent(void); int more(void) { return absent(); }\n", encoding="utf-8")
    outcome = compile_engine(stub_plan(sources), tmp_path / "compiled")
    assert not outcome.libraries
    assert "absent" in outcome.complaints[0]


def test_without_sources_there_is_no_library(tmp_path):
    sources = stub_sources(tmp_path / "c")
    (sources / "stub.c").unlink()
    outcome = compile_engine(stub_plan(sources), tmp_path / "compiled")
    assert outcome.libraries == ()
    assert outcome.complaints == (f"there are no C sources in {sources}",)


@pytest.mark.skipif(sys.platform == "win32", reason="the compilers are shell scripts")
def test_a_compiler_counts_only_if_it_can_build_a_library(tmp_path, monkeypatch):
    target = this_machine()
    working = system_compiler(target) if target else None
    if target is None or working is None:
        pytest.skip("there is no C compiler here")
    real = shutil.which(working.command[0])
    monkeypatch.setenv("CC", _wrapped(tmp_path, f'exec {real} "$@"') + " -O2")
    chosen = system_compiler(target)
    assert chosen is not None
    assert (chosen.name, chosen.command[1:]) == (working.name, ("-O2",))
    monkeypatch.setenv("CC", _wrapped(tmp_path, "exit 1"))
    assert system_compiler(target) is None
    monkeypatch.setenv("CC", str(tmp_path / "absent"))
    assert system_compiler(target) is None
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system_compiler(target) is None


def test_another_platform_is_not_compiled_for_with_this_machines_compiler():
    assert all(system_compiler(target) is None for target in TARGETS.values() if target != this_machine())


def test_a_failed_command_is_told_by_its_first_error(tmp_path):
    code = "import sys; sys.exit('In file included from a.c:\\na.c:3:1: error: no such thing\\nerror: more')"
    with pytest.raises(CompilerError, match=r"^a\.c:3:1: error: no such thing$"):
        compiling._run([sys.executable, "-c", code], tmp_path)


def test_a_library_says_what_it_is_for_and_what_it_offers(tmp_path):
    outcome = compiled_stub(tmp_path)
    target = this_machine()
    assert target is not None
    cpu, *engines = [read_library(path) for path in outcome.libraries]
    for found in (cpu, *engines):
        assert (found.system, found.machine) == (target.system, target.machine)
    assert {"backlight_build", "backlight_instruction_set"} <= cpu.exports
    assert all({"backlight_build", "backlight_isa", "backlight_sum"} <= found.exports for found in engines)
    (tmp_path / "text").write_text("text", encoding="utf-8")
    with pytest.raises(ValueError, match="begins with b'text'; it must be a 64-bit ELF, Mach-O or PE library"):
        read_library(tmp_path / "text")


def test_the_newest_glibc_is_found_among_the_needs():
    needs = frozenset({"libc.so.6", "libc.so.6 GLIBC_2.2.5", "libm.so.6 GLIBC_2.29", "libc.so.6 GLIBC_2.4"})
    assert LibraryFile("linux", "arm64", frozenset(), needs).newest_glibc() == (2, 29)
    assert LibraryFile("linux", "arm64", frozenset(), frozenset({"libc.so.6"})).newest_glibc() == (0,)


def _wheel(folder: Path, platform: str, libraries: dict[str, bytes]) -> Path:
    path = folder / f"backlight-0-py3-none-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in libraries.items():
            archive.writestr(f"backlight/engine/compiled/{name}", data)
    return path


def test_a_wheel_for_another_platform_or_with_other_libraries_is_found_out(tmp_path):
    outcome = compiled_stub(tmp_path)
    libraries = {path.name: path.read_bytes() for path in outcome.libraries}
    target = this_machine()
    assert target is not None
    assert cross_build.check(_wheel(tmp_path, target.platform, libraries), target) == []
    assert (
        "its tag must be py3-none-any"
        in cross_build.check(_wheel(tmp_path, target.platform, libraries), replace(target, platform="any"))[0]
    )
    swapped = dict(zip(libraries, reversed(libraries.values()), strict=True))
    wrong = cross_build.check(_wheel(tmp_path, target.platform, swapped), target)
    assert f"{target.library('cpu')}: cannot be asked" in wrong
    fewer = dict(list(libraries.items())[1:])
    assert "it holds the libraries" in cross_build.check(_wheel(tmp_path, target.platform, fewer), target)[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"machine": "riscv"}, "is for linux on riscv; it must be for linux on x86-64"),
        ({"exports": frozenset({"backlight_build", "helper"})}, "offers helper; only names that begin with backlight"),
        ({"exports": frozenset({"backlight_run"})}, "does not offer backlight_build"),
        ({"needs": frozenset({"libgomp.so.1"})}, "needs libgomp.so.1; only libc.so.6"),
        ({"needs": frozenset({"libc.so.6 GLIBC_2.34"})}, r"needs glibc \(2, 34\); 2.17 must be enough"),
    ],
)
def test_a_faulty_library_is_found_out(change, told):
    target = TARGETS["manylinux_2_17_x86_64"]
    good = LibraryFile("linux", "x86-64", frozenset({"backlight_build"}), frozenset({"libc.so.6 GLIBC_2.14"}))
    assert cross_build._faults(good, target) == []
    with pytest.raises(AssertionError, match=told):
        assert cross_build._faults(replace(good, **change), target) == []


@pytest.mark.parametrize(("words", "code"), [([], 2), (["a", "b"], 2)])
def test_the_command_says_how_it_is_used(words, code, capsys):
    assert compiling.main(words) == code
    assert "usage: python -m tools.compile_engine FOLDER" in capsys.readouterr().err
    assert cross_build.main(["beos"]) == 2
    assert "there is no platform 'beos'; there are manylinux_2_17_x86_64" in capsys.readouterr().err


@pytest.fixture
def project(tmp_path):
    """What a source distribution has, with the stand-in for the engine."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, root)
    ignored = shutil.ignore_patterns("__pycache__", "c", "compiled")
    for name in ("tools", "src"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    stub_sources(root / "src" / "backlight" / "engine" / "c")
    return root


def _packed(project: Path, **variables: str) -> tuple[str, dict[str, bytes]]:
    """The tag of the project's wheel, and what it holds in place of the engine."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "."]
    made = project / "made"
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run([*command, "--wheel-dir", str(made)], cwd=project, check=True, env={**os.environ, **variables})
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".c", ".h"))]
        names = [name for name in archive.namelist() if name.startswith("backlight/engine/compiled/")]
        return wheel.stem.partition("-py3-")[2], {Path(name).name: archive.read(name) for name in names}


@pytest.mark.slow
def test_a_wheel_holds_the_engine_and_is_for_this_platform(project):
    plan = stub_plan(project / "src" / "backlight" / "engine" / "c")
    tag, held = _packed(project)
    assert tag == f"none-{plan.target.platform}"
    assert sorted(held) == sorted(plan.target.library(what) for what in ("cpu", *plan.target.instruction_sets))
    assert all(plan.build.encode() in data for data in held.values())


@pytest.mark.slow
def test_where_nothing_is_compiled_the_wheel_is_for_any_platform_and_says_why(project):
    tag, held = _packed(project, BACKLIGHT_NO_COMPILE="1")
    assert tag == "none-any"
    assert held == {"why-not.txt": b"BACKLIGHT_NO_COMPILE was set when Backlight was installed\n"}
    (project / "src" / "backlight" / "engine" / "c" / "stub.c").write_text("int unfinished(", encoding="utf-8")
    stub_plan(project)
    tag, held = _packed(project)
    assert tag == "none-any"
    assert b"it could not be compiled when Backlight was installed" in held["why-not.txt"]
    assert b"stub.c:1" in held["why-not.txt"]
