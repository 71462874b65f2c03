"""The flat structures that the compiled engine is handed; the mirror of c/interface.h."""

import ctypes
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backlight.engine.program import DenseOp, DropoutOp, NormOp, Op, Program
from backlight.engine.rows import RowSource
from backlight.randomness import Purpose, stream_key

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation

_Whole = ctypes.c_int64
_Pointer = ctypes.c_void_p

FUNCTIONS: Final = (
    *("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu"),
    *("gelu", "softplus", "exponential", "logistic", "softmax"),
)
LOSSES: Final = ("squared", "cross_entropy", "absolute", "huber", "poisson")
RULES: Final = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SOURCES: Final = ("uint8", "float32", "float64")
TRAIN, GRADIENTS, DELTAS, OUTPUTS, LOSSES_ONLY, NOTHING = range(6)
_DENSE, _ACTIVATION, _DROPOUT, _BATCH_NORM, _LAYER_NORM = range(5)


class OpStructure(ctypes.Structure):
    """`struct op`."""

    _fields_ = [
        *((name, _Whole) for name in ("kind", "layer", "incoming", "units", "function", "W", "b", "threshold")),
        *((name, ctypes.c_double) for name in ("scale", "momentum")),
    ]


class AugmentationStructure(ctypes.Structure):
    """`struct augmentation`."""

    _fields_ = [
        *((name, _Whole) for name in ("height", "width", "channels")),
        *((name, ctypes.c_double) for name in ("rotate", "scale", "shear", "shift")),
        ("flip", _Whole),
        ("reach", ctypes.c_double),
        ("radius", _Whole),
        ("smooth", _Pointer),
        *((name, ctypes.c_double) for name in ("erase", "noise")),
        *((name, _Pointer) for name in ("normals", "noisy")),
        *((name, _Whole) for name in ("silence", "columns")),
        ("column", _Pointer),
        ("key", _Whole * 2),
    ]


class Setup(ctypes.Structure):
    """`struct setup`."""

    _fields_ = [
        ("ops", ctypes.POINTER(OpStructure)),
        ("sizes", ctypes.POINTER(_Whole)),
        *((name, _Whole) for name in ("count", "groups", "inputs", "outputs", "loss", "fused")),
        *((name, _Whole) for name in ("capacity", "training", "threads")),
        ("key", _Whole * 2),
        ("augmentation", ctypes.POINTER(AugmentationStructure)),
    ]


class Work(ctypes.Structure):
    """`struct work`."""

    _fields_ = [
        *((name, _Whole) for name in ("mode", "threads")),
        ("arrays", _Pointer * 5),
        *((name, _Whole * 5) for name in ("in_panels", "leave")),
        ("x", _Pointer),
        *((name, _Whole) for name in ("x_stride", "x_kind")),
        ("x_scale", ctypes.c_double),
        ("y", _Pointer),
        ("y_indices", _Whole),
        *((name, _Pointer) for name in ("sample_weight", "order")),
        *((name, _Whole) for name in ("rows", "batch", "steps", "epoch", "by_chance", "optimizer")),
        ("hyper", ctypes.c_double * 4),
        ("corrections", _Pointer),
        *((name, _Pointer) for name in ("lr", "decay", "frozen", "objectives", "losses", "norms", "outputs")),
        *((name, _Pointer) for name in ("incoming", "deltas", "statistics")),
        *((name, _Whole) for name in ("stop", "done", "finite", "begin", "crowded")),
        *((name, ctypes.c_double) for name in ("l1", "l2", "smoothing", "clip", "clip_examples")),
        ("averaging", _Pointer),
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
            *(_DROPOUT, op.layer, op.units, op.units, 0, 0, 0, _threshold(op.rate), 1.0 / (1.0 - op.rate))
        )
    if isinstance(op, NormOp):
        kind = _BATCH_NORM if op.batches else _LAYER_NORM
        places = op.scale.start, op.shift.start
        return OpStructure(kind, op.layer, op.units, op.units, 0, *places, 0, op.eps, op.momentum)
    return OpStructure(_ACTIVATION, op.layer, op.units, op.units, FUNCTIONS.index(op.function))


def _threshold(probability: float) -> int:
    """The drawn words of 32 bits below it are that probable."""
    return round(probability * 2.0**32)


def _augmentation(given: "Augmentation", inputs: int, seed: int, kept: list[Any]) -> AugmentationStructure:
    """An augmentation as the engine reads it while a session is opened; what it points to is added to `kept`."""
    from backlight.data.augment.corruption import normal_numbers
    from backlight.data.augment.elastic import gaussian_weights

    def pointer(values: Any, dtype: type) -> int:
        kept.append(np.ascontiguousarray(values, dtype))
        return int(kept[-1].ctypes.data)

    alpha, sigma = given.elastic
    weights = gaussian_weights(sigma) if alpha else np.ones(1)
    height, width = given.shape[:2] or (0, 0)
    column = given.column or tuple(range(inputs))
    return AugmentationStructure(
        *(height, width, given.channels if given.shape else 0),
        *(math.radians(given.rotate), given.scale, math.radians(given.shear), given.shift, _threshold(given.flip)),
        *(alpha, len(weights) - 1, pointer(weights, np.float64), given.erase),
        *(given.noise, pointer(normal_numbers(), np.float64) if given.noise else None),
        *(pointer(given.noisy, np.int64) if given.noisy else None, _threshold(given.columns)),
        *((max(column) + 1, pointer(column, np.int64)) if given.columns else (0, None)),
        (_Whole * 2)(*stream_key(seed, Purpose.AUGMENTATION)),
    )


def setup(
    program: Program,
    *,
    capacity: int,
    training: bool,
    threads: int,
    seed: int,
    augmentation: "Augmentation | None" = None,
) -> Setup:
    """The description of a session.

    Args:
        program: what to execute.
        capacity: the most rows that pass at once.
        training: whether errors are ever passed back.
        threads: the most threads of a call.
        seed: of dropout's draws and augmentation's.
        augmentation: how rows are varied in training.
    """
    ops = (OpStructure * len(program.ops))(*map(_structure, program.ops))
    objective = program.objective
    sizes = objective.sizes or (program.outputs,)
    kept: list[Any] = []
    described = Setup(
        *(ops, (_Whole * len(sizes))(*sizes), len(program.ops), len(sizes), program.inputs, program.outputs),
        *(LOSSES.index(objective.loss), objective.fused),
        *(capacity, training, threads, (_Whole * 2)(*stream_key(seed, Purpose.DROPOUT))),
    )
    if augmentation is not None:
        described.augmentation = ctypes.pointer(_augmentation(augmentation, program.inputs, seed, kept))
        described.kept = kept
    return described


def functions(dll: ctypes.CDLL, bits: int) -> tuple[Any, Any, Any]:
    """`open`, `run` and `close` for a precision of 32 or 64 bits."""
    start, run, end = (getattr(dll, f"backlight{bits}_{name}") for name in ("open", "run", "close"))
    start.argtypes, start.restype = [ctypes.POINTER(Setup)], _Pointer
    run.argtypes, run.restype = [_Pointer, ctypes.POINTER(Work), _Whole], None
    end.argtypes, end.restype = [_Pointer], None
    return start, run, end
