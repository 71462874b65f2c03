"""Which engine does the work."""

from typing import Final

from backlight.arrays import Floats
from backlight.engine.program import Program
from backlight.engine.reference import ReferenceSession
from backlight.engine.seam import Examples, Optimizer, Session
from backlight.engine.threads import blas_libraries
from backlight.errors import InputError, nearest

ENGINES: Final = ("auto", "reference")


def engine_name(choice: str = "auto") -> str:
    """The name of the engine that a choice stands for.

    Raises:
        InputError: there is no such engine.

    Example:
        >>> engine_name("auto")
        'reference'
    """
    if choice not in ENGINES:
        raise InputError(f"there is no engine {choice!r}; {nearest(choice, list(ENGINES))}")
    return "reference"


def engine_build(choice: str = "auto") -> dict[str, str]:
    """What the bits of a run depend on: the engine, its build and the instruction set that it uses."""
    import numpy as np

    libraries = blas_libraries()
    build = ", ".join([f"numpy {np.__version__}", *(f"{lib['internal_api']} {lib['version']}" for lib in libraries)])
    return {
        "name": engine_name(choice),
        "build": build,
        "instruction_set": ", ".join(str(lib.get("architecture", "unknown")) for lib in libraries) or "unknown",
    }


def open_session(
    choice: str,
    program: Program,
    params: Floats,
    examples: Examples,
    optimizer: Optimizer,
    *,
    batch_size: int,
    seed: int,
    threads: int | None = None,
) -> Session:
    """A session of the chosen engine; arguments as for `ReferenceSession`.

    Raises:
        InputError: there is no such engine.
    """
    engine_name(choice)
    return ReferenceSession(program, params, examples, optimizer, batch_size=batch_size, seed=seed, threads=threads)
