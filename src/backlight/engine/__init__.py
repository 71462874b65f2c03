"""How a step is computed: the program form of a network, and the engines that execute it."""

from backlight.engine.interruption import ctrl_c_held_back
from backlight.engine.opening import ENGINES, engine_build, engine_name, open_session
from backlight.engine.program import Program, compile_program
from backlight.engine.rows import RowSource, row_source
from backlight.engine.seam import (
    Advance,
    Clipping,
    Deltas,
    Examples,
    ExamplesSeen,
    Optimizer,
    Rule,
    Session,
    Stretch,
    Task,
    check_coupled,
)
from backlight.engine.updating import clip_factor
from backlight.engine.whole import StoppedError, WholeBatch, WholeObjective, WholeSession, dot

__all__ = [
    "ENGINES",
    "Advance",
    "Clipping",
    "Deltas",
    "Examples",
    "ExamplesSeen",
    "Optimizer",
    "Program",
    "RowSource",
    "Rule",
    "Session",
    "StoppedError",
    "Stretch",
    "Task",
    "WholeBatch",
    "WholeObjective",
    "WholeSession",
    "check_coupled",
    "clip_factor",
    "compile_program",
    "ctrl_c_held_back",
    "dot",
    "engine_build",
    "engine_name",
    "open_session",
    "row_source",
]
