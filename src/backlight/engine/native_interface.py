"""The flat structures that the compiled engine is handed; the mirror of c/interface.h."""

import ctypes
from typing import Any, Final

from backlight.engine.program import DenseOp, DropoutOp, NormOp, Op, Program
from backlight.engine.rows import RowSource
from backlight.randomness import Purpose, stream_key

_Whole = ctypes.c_int64
_Pointer = ctypes.c_void_p

FUNCTIONS: Final = (
    *("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu"),
    *("gelu", "softplus", "exponential", "logistic", "softmax"),
)
LOSSES: Final = ("squared", "cross_entropy", "absolute", "huber", "poisson")
RULES: Final = ("sgd", "momentum", "adam")
SOURCES: Final = ("uint8", "float32", "float64")
TRAIN, GRADIENTS, DELTAS, OUTPUTS, LOSSES_ONLY, NOTHING = range(6)
_DENSE, _ACTIVATION, _DROPOUT, _BATCH_NORM, _LAYER_NORM = range(5)


class OpStructure(ctypes.Structure):
    """`struct op`."""

    _fields_ = [
        *((name, _Whole) for name in ("kind", "layer", "incoming", "units", "function", "W", "b", "threshold")),
        *((name, ctypes.c_double) for name in ("scale", "momentum")),
    ]


class Setup(ctypes.Structure):
    """`struct setup`."""

    _fields_ = [
        ("ops", ctypes.POINTER(OpStructure)),
        ("sizes", ctypes.POINTER(_Whole)),
        *((name, _Whole) for name in ("count", "groups", "inputs", "outputs", "loss", "fused")),
        *((name, _Whole) for name in ("capacity", "training", "threads")),
        ("key", _Whole * 2),
    ]


class Work(ctypes.Structure):
    """`struct work`."""

    _fields_ = [
        *((name, _Whole) for name in ("mode", "threads")),
        ("arrays", _Pointer * 4),
        *((name, _Whole * 4) for name in ("in_panels", "leave")),
        ("x", _Pointer),
        *((name, _Whole) for name in ("x_stride", "x_kind")),
        ("x_scale", ctypes.c_double),
        ("y", _Pointer),
        ("y_indices", _Whole),
        *((name, _Pointer) for name in ("sample_weight", "order")),
        *((name, _Whole) for name in ("rows", "batch", "steps", "epoch", "dropping", "optimizer")),
        ("hyper", ctypes.c_double * 4),
        ("corrections", _Pointer),
        *((name, _Pointer) for name in ("lr", "decay", "frozen", "objectives", "losses", "norms", "outputs")),
        *((name, _Pointer) for name in ("incoming", "deltas", "statistics")),
        *((name, _Whole) for name in ("stop", "done", "finite", "begin", "crowded")),
    ]

    def read(self, source: RowSource) -> None:
        """Take inputs from a source, which the caller keeps alive."""
        self.x, self.x_stride, self.x_scale = source.pointer, source.stride, source.scale
        self.x_kind = SOURCES.index(source.dtype.name)


def _structure(op: Op) -> OpStructure:
    if isinstance(op, DenseOp):
        return OpStructure(_DENSE, op.layer, op.incoming, op.units, 0, op.W.start, op.b.start)
    if isinstance(op, DropoutOp):
        return OpStructure(
            *(_DROPOUT, op.layer, op.units, op.units, 0, 0, 0, round(op.rate * 2.0**32), 1.0 / (1.0 - op.rate))
        )
    if isinstance(op, NormOp):
        kind = _BATCH_NORM if op.batches else _LAYER_NORM
        places = op.scale.start, op.shift.start
        return OpStructure(kind, op.layer, op.units, op.units, 0, *places, 0, op.eps, op.momentum)
    return OpStructure(_ACTIVATION, op.layer, op.units, op.units, FUNCTIONS.index(op.function))


def setup(program: Program, *, capacity: int, training: bool, threads: int, seed: int) -> Setup:
    """The description of a session.

    Args:
        program: what to execute.
        capacity: the most rows that pass at once.
        training: whether errors are ever passed back.
        threads: the most threads of a call.
        seed: of dropout's draws.
    """
    ops = (OpStructure * len(program.ops))(*map(_structure, program.ops))
    objective = program.objective
    sizes = objective.sizes or (program.outputs,)
    return Setup(
        *(ops, (_Whole * len(sizes))(*sizes), len(program.ops), len(sizes), program.inputs, program.outputs),
        *(LOSSES.index(objective.loss), objective.fused),
        *(capacity, training, threads, (_Whole * 2)(*stream_key(seed, Purpose.DROPOUT))),
    )


def functions(dll: ctypes.CDLL, bits: int) -> tuple[Any, Any, Any]:
    """`open`, `run` and `close` for a precision of 32 or 64 bits."""
    start, run, end = (getattr(dll, f"backlight{bits}_{name}") for name in ("open", "run", "close"))
    start.argtypes, start.restype = [ctypes.POINTER(Setup)], _Pointer
    run.argtypes, run.restype = [_Pointer, ctypes.POINTER(Work), _Whole], None
    end.argtypes, end.restype = [_Pointer], None
    return start, run, end
