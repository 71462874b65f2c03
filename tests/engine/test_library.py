import ctypes
import platform
import re
import shutil
import sys
from pathlib import Path

import pytest
from tools import targets

from backlight.engine import library
from backlight.engine.library import INSTRUCTION_SETS, Library, load, why_not
from backlight.errors import InputError
from tests.stub_engine import compiled_stub

X86 = platform.machine().lower() in {"x86_64", "amd64"}

# The flags by which Linux shows what an instruction set adds to the one before.
FLAGS = {
    "x86-64-v2": {"pni", "ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "lahf_lm"},
    "x86-64-v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


@pytest.fixture(autouse=True)
def _as_it_comes(monkeypatch):
    # The sanitizers of `make sanitize` watch the engine, not compilers.
    for name in ("BACKLIGHT_INSTRUCTION_SET", "BACKLIGHT_LIBRARY_FOLDER", "LD_PRELOAD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def put(tmp_path: Path, monkeypatch):
    """Compiles the stand-in for a processor and has it looked for there."""

    def put(processor: str | None = None) -> Path:
        compiled_stub(tmp_path, processor)
        monkeypatch.setenv("BACKLIGHT_LIBRARY_FOLDER", str(tmp_path / "compiled"))
        return tmp_path / "compiled"

    return put


def _loaded() -> Library:
    found = load()
    assert found is not None, why_not()
    return found


def test_the_best_instruction_set_is_loaded(put):
    put()
    found = _loaded()
    assert why_not() is None
    known = next(family for family in INSTRUCTION_SETS if found.instruction_set in family)
    assert found.instruction_set in known
    assert re.fullmatch(r"backlight \S+, (gcc|clang) [\d.]+, sources [0-9a-f]{8}", found.build)
    found.dll.backlight_isa.restype = ctypes.c_char_p
    assert found.dll.backlight_isa().decode() == found.instruction_set
    found.dll.backlight_sum.restype = ctypes.c_float
    assert found.dll.backlight_sum((ctypes.c_float * 4)(1, 2, 3, 4.5)) == 10.5
    assert load() is found


@pytest.mark.skipif(not (X86 and sys.platform == "linux"), reason="asks Linux on x86-64")
def test_the_processor_says_of_itself_what_linux_says(put):
    put()
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    flags = set(next(line for line in text.splitlines() if line.startswith("flags")).split())
    has = []
    for name, needed in FLAGS.items():
        if not needed <= flags:
            break
        has.append(name)
    if has:
        assert _loaded().instruction_set == has[-1]
    else:
        assert "none is compiled" in str(why_not())


@pytest.mark.skipif(not X86, reason="arm64 has one instruction set")
def test_a_processor_gets_what_it_can_do_and_what_there_is(put, monkeypatch):
    folder = put("x86-64-v3")
    assert _loaded().instruction_set == "x86-64-v3"
    library._found.cache_clear()
    next(folder.glob("backlight-x86-64-v3.*")).unlink()
    assert _loaded().instruction_set == "x86-64-v2"
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", "x86-64-v3")
    with pytest.raises(InputError, match="'x86-64-v3'; on this processor it must be one of 'x86-64-v2', or not set"):
        load()


@pytest.mark.skipif(not X86, reason="arm64 has one instruction set")
def test_a_lower_instruction_set_can_be_asked_for(put, monkeypatch):
    put("x86-64-v3")
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", "x86-64-v2")
    assert _loaded().instruction_set == "x86-64-v2"
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", "x86-64-v4")
    for ask in (load, why_not):
        with pytest.raises(InputError, match="it must be one of 'x86-64-v2', 'x86-64-v3', or not set for the best"):
            ask()


@pytest.mark.skipif(not X86, reason="arm64 has no lesser one")
def test_a_processor_without_a_compiled_instruction_set(put):
    put("x86-64")
    assert load() is None
    assert "this processor's instruction set is x86-64, and none is compiled for it" in str(why_not())


def test_an_unknown_instruction_set_is_refused(monkeypatch):
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", "avx")
    with pytest.raises(InputError, match="is 'avx'; it must be one of 'x86-64-v2', 'x86-64-v3', 'x86-64-v4', 'arm64'"):
        load()


def test_nothing_compiled_is_told_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("BACKLIGHT_LIBRARY_FOLDER", str(tmp_path))
    assert load() is None
    assert why_not() == f"nothing is compiled in {tmp_path}"
    library._found.cache_clear()
    (tmp_path / "why-not.txt").write_text("there was no compiler\n", encoding="utf-8")
    assert why_not() == "there was no compiler"
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", "arm64")
    with pytest.raises(
        InputError, match="is 'arm64', and there is no compiled engine: there was no compiler; unset it"
    ):
        load()


def test_a_library_that_cannot_be_loaded_is_told(put):
    folder = put()
    for path in folder.glob("backlight-*"):
        if "cpu" not in path.name:
            path.write_bytes(b"\x7fELF")
    assert load() is None
    assert re.search(r"backlight-\S+ cannot be loaded \(.+\)", str(why_not()))


def test_a_library_of_another_kind_is_told(put):
    folder = put()
    cpu = next(folder.glob("backlight-cpu.*"))
    engine = next(path for path in folder.glob("backlight-*") if path != cpu)
    shutil.copy(engine, folder / "copy")
    (folder / "copy").replace(cpu)
    assert load() is None
    assert "has no function backlight_instruction_set; install Backlight again" in str(why_not())


def test_the_names_are_those_that_are_compiled():
    assert tuple(targets.INSTRUCTION_SETS.values()) == INSTRUCTION_SETS
    machine = targets.this_machine()
    if machine is not None:
        assert library._path(Path(), "cpu").name == machine.library("cpu")
