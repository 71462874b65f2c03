"""Which engine does the work."""

import sys
from functools import cache
from typing import Final

from backlight.engine import library
from backlight.engine.native import NativeSession
from backlight.engine.reference import ReferenceSession
from backlight.engine.seam import Session, Task
from backlight.engine.threads import blas_libraries
from backlight.errors import InputError, nearest

ENGINES: Final = ("auto", "native", "reference")


def engine_name(choice: str = "auto") -> str:
    """The name of the engine that a choice stands for: the native one where it could be compiled.

    Raises:
        InputError: there is no such engine, or the native one is asked for and not there.

    Example:
        >>> engine_name("reference")
        'reference'
    """
    if choice not in ENGINES:
        raise InputError(f"there is no engine {choice!r}; {nearest(choice, list(ENGINES))}")
    if choice == "reference":
        return choice
    reason = library.why_not()
    if reason is None:
        return "native"
    if choice == "native":
        raise InputError(f"the native engine is not there: {reason}; choose the engine reference")
    _say_once(reason)
    return "reference"


@cache
def _say_once(reason: str) -> None:
    sys.stderr.write(f"backlight: running the reference engine, which is slower: {reason}\n")


def engine_build(choice: str = "auto") -> dict[str, str]:
    """What the bits of a run depend on: the engine, its build and the instruction set that it uses."""
    import numpy as np

    name = engine_name(choice)
    loaded = library.load() if name == "native" else None
    if loaded is not None:
        return {"name": name, "build": loaded.build, "instruction_set": loaded.instruction_set}
    libraries = blas_libraries()
    build = ", ".join([f"numpy {np.__version__}", *(f"{lib['internal_api']} {lib['version']}" for lib in libraries)])
    return {
        "name": name,
        "build": build,
        "instruction_set": ", ".join(str(lib.get("architecture", "unknown")) for lib in libraries) or "unknown",
    }


def open_session(choice: str, task: Task) -> Session:
    """A session of the chosen engine.

    Raises:
        InputError: there is no such engine, or the number of threads is below 1.
    """
    loaded = library.load() if engine_name(choice) == "native" else None
    return ReferenceSession(task) if loaded is None else NativeSession(loaded, task)
