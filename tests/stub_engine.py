"""A small stand-in for the engine's C sources, for the tests of compiling and loading."""

import shutil
from pathlib import Path

import pytest
from tools.compile_engine import SOURCES, Outcome, Plan, compile_engine, system_compiler
from tools.targets import this_machine

ENGINE = """
#include "stub.h"
#define EXPORT __attribute__((visibility("default")))
EXPORT const char *backlight_build(void);
EXPORT const char *backlight_isa(void);
EXPORT float backlight_sum(const float *x);
const char *backlight_build(void) { return BACKLIGHT_BUILD; }
const char *backlight_isa(void) { return BACKLIGHT_ISA; }
float backlight_sum(const float *x) {
    lanes sum;
    __builtin_memcpy(&sum, x, sizeof sum);
    return sum[0] + sum[1] + sum[2] + sum[3];
}
"""
HEADER = "typedef float lanes __attribute__((vector_size(16)));\n"

# What answers in the processor's stead.
PRETENDED = """
#define EXPORT __attribute__((visibility("default")))
EXPORT const char *backlight_instruction_set(void);
EXPORT const char *backlight_build(void);
const char *backlight_instruction_set(void) { return "NAME"; }
const char *backlight_build(void) { return BACKLIGHT_BUILD; }
"""


def stub_sources(folder: Path, processor: str | None = None) -> Path:
    """A folder of C sources; the processor is this machine's, or claims to have the instruction set that is named."""
    folder.mkdir()
    (folder / "stub.c").write_text(ENGINE, encoding="utf-8")
    (folder / "stub.h").write_text(HEADER, encoding="utf-8")
    if processor is None:
        shutil.copy(SOURCES / "cpu.c", folder)
    else:
        (folder / "cpu.c").write_text(PRETENDED.replace("NAME", processor), encoding="utf-8")
    return folder


def stub_plan(sources: Path) -> Plan:
    """How to compile the sources on this machine; without a compiler, the test is skipped."""
    target = this_machine()
    compiler = system_compiler(target) if target else None
    if target is None or compiler is None:
        pytest.skip("there is no C compiler here")
    return Plan(target, compiler, sources)


def compiled_stub(folder: Path, processor: str | None = None) -> Outcome:
    """The stand-in, compiled into `folder / "compiled"`."""
    return compile_engine(stub_plan(stub_sources(folder / "c", processor)), folder / "compiled")
