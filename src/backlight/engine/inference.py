"""Inference: a network's outputs, one row in microseconds or millions in chunks."""

import threading
from functools import partial
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats
from backlight.engine import library
from backlight.engine.crew import crew_size, work_together
from backlight.engine.interruption import ctrl_c_held_back
from backlight.engine.library import Library
from backlight.engine.native_interface import OUTPUTS, Work
from backlight.engine.net import Net
from backlight.engine.opening import engine_name
from backlight.engine.program import Program, compile_program
from backlight.engine.rows import RowSource, row_source
from backlight.errors import InputError
from backlight.network import Network

_CHUNK: Final = 512


class Predictor:
    """A network as it is now, ready to answer: its weights are copied, in the order in which the engine reads them.

    Any number of threads may call it; they take turns.

    Args:
        network: the network; what is learnt afterwards does not reach the predictor.
        engine: "auto", "native" or "reference".
        threads: the most threads for many rows; all processors if None.

    Raises:
        InputError: there is no such engine.

    Example:
        >>> network = Network.mlp(4, 8, 3, output="softmax", seed=0)
        >>> predictor = Predictor(network)
        >>> predictor(np.ones(4)).shape, predictor(np.ones((1000, 4))).shape
        ((3,), (1000, 3))
        >>> bool(np.allclose(predictor(np.ones(4)), network.predict(np.ones((1, 4)))[0], atol=1e-6))
        True
    """

    def __init__(self, network: Network, *, engine: str = "auto", threads: int | None = None) -> None:
        self._network = network.copy()
        loaded = library.load() if engine_name(engine) == "native" else None
        self._native: _Native | None = None
        if loaded is not None:
            self._native = _Native(loaded, compile_program(network), self._network.params, crew_size(threads))

    def __call__(self, x: Any) -> Floats:
        """The outputs (outputs,) of one row (inputs,), or (n, outputs) of rows (n, inputs).

        Args:
            x: numbers; uint8 is read as value / 255.

        Raises:
            InputError: x has another shape or is no numbers.
        """
        x = np.asarray(x)
        if x.shape[-1:] != (self._network.inputs,) or x.ndim > 2 or x.dtype.kind not in "iufb":
            inputs = self._network.inputs
            raise InputError(
                f"x is {x.dtype} of shape {x.shape}; numbers of shape ({inputs},) or (n, {inputs}) are needed"
            )
        if self._native is None:
            outputs = self._network.predict(np.atleast_2d(x))
            return outputs[0] if x.ndim == 1 else outputs
        return self._native.one(x) if x.ndim == 1 else self._native.many(x)


class _Native:
    def __init__(self, loaded: Library, program: Program, params: Floats, threads: int) -> None:
        self._program, self._params, self._threads = program, params, threads
        self._net = Net(loaded, program, capacity=_CHUNK, training=False, threads=threads, seed=0)
        self._turn, self._in_panels = threading.Lock(), False
        self._row, self._out = (
            np.zeros((1, program.inputs), program.dtype),
            np.empty((1, program.outputs), program.dtype),
        )
        self._first = np.zeros(1, np.int64)
        self._one = self._work(RowSource(self._row), self._first, self._out)

    def _work(self, source: RowSource, order: Any, out: Floats) -> Work:
        work = Work(mode=OUTPUTS, rows=len(order), batch=len(order), threads=1)
        work.arrays[0], work.leave[0] = self._params.ctypes.data, 1
        work.read(source)
        work.order, work.outputs = order.ctypes.data, out.ctypes.data
        return work

    def one(self, x: Any) -> Floats:
        """One row."""
        with self._turn:
            if x.dtype == np.uint8:
                np.multiply(x, 1.0 / 255.0, out=self._row[0], dtype=self._row.dtype, casting="unsafe")
            else:
                self._row[0] = x
            self._run(self._one)
            answer: Floats = self._out[0].copy()
        return answer

    def _run(self, work: Work) -> None:
        stop = partial(setattr, work, "stop", 1)
        work.in_panels[0], work.stop = self._in_panels, 0
        with ctrl_c_held_back(stop) as pressed:
            try:
                if work is self._one:
                    self._net.run(work, 0)
                else:
                    work_together(partial(self._net.run, work), work.threads, stop)
            finally:
                self._in_panels = bool(work.in_panels[0])
        if pressed:
            raise KeyboardInterrupt

    def many(self, x: Any) -> Floats:
        """Any number of rows."""
        if len(x) == 0:
            return np.empty((0, self._program.outputs), self._program.dtype)
        source, order = row_source(x), np.arange(len(x))
        out = np.empty((len(x), self._program.outputs), self._program.dtype)
        with self._turn:
            work = self._work(source, order, out)
            work.threads = min(self._threads, len(x) // _CHUNK + 1)
            self._run(work)
        return out
