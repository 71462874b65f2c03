"""The native engine: whole stretches of steps in one call of compiled C, on as many threads as the work is worth.

It computes what `ReferenceSession` defines. The sources stand in `c/`; `c/session.h` tells a step's story.
"""

import ctypes
import time
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine.crew import Crew, crew_size, work_together
from backlight.engine.interruption import ctrl_c_held_back
from backlight.engine.library import Library
from backlight.engine.native_interface import (
    DELTAS,
    GRADIENTS,
    LOSSES_ONLY,
    NOTHING,
    OUTPUTS,
    RULES,
    TRAIN,
    Work,
)
from backlight.engine.net import Net
from backlight.engine.program import DenseOp
from backlight.engine.rows import RowSource
from backlight.engine.seam import Advance, Deltas, Examples, ExamplesSeen, Rule, Stretch, Task
from backlight.engine.updating import apply_update, averaging_rate
from backlight.errors import InputError

CHUNK: Final = 2048
"""The most rows that pass at once; the gradients of larger batches are added up."""

_MOST_BYTES: Final = 16_000_000_000
_LEAST_ROWS: Final = 32
"""A pass of more rows than the least has at most so many rows times multiplications times bytes: the update that
follows it is not broken off, and should take less than a tenth of a second."""

_MOST_WEIGHTS: Final = 400_000_000
"""Of one layer: its tiles are counted in 24 bits."""

_EVALUATION_CHUNK: Final = 512
_AT_ONCE: Final = 2_000_000
"""Work of fewer multiplications than this needs no thread of its own."""


class NativeSession:
    """A session of the native engine; `task.threads` are the most that a step may use, all processors if None.

    Args:
        library: the compiled engine.
        task: what the session is for.
        crew: exactly how many threads every step uses, however small it is; for tests.
    """

    name = "native"

    def __init__(self, library: Library, task: Task, *, crew: int | None = None) -> None:
        self.program, self.params, self.examples, self.optimizer = (
            task.program,
            task.params,
            task.examples,
            task.optimizer,
        )
        self.record_examples, self._library, self._seed = task.record_examples, library, task.seed
        self._augmentation = task.augmentation
        self._crew = Crew(crew or crew_size(task.threads), always=crew is not None)
        program, optimizer = task.program, task.optimizer
        self._state, self._in_panels = optimizer.initial_state(program.size, program.dtype), False
        self.clipping, self.decay_of_average = task.clipping, task.average
        self._average = None if task.average is None else task.params.copy()
        self.rule = optimizer.rule
        self._dense = [op for op in program.ops if isinstance(op, DenseOp)]
        self._products = sum(op.incoming * op.units for op in self._dense)
        largest = max(op.incoming * op.units for op in self._dense)
        if largest > _MOST_WEIGHTS:
            raise InputError(
                f"a layer has {largest:,} weights; the native engine takes up to {_MOST_WEIGHTS:,} per layer: "
                "choose the engine reference"
            )
        at_once = _MOST_BYTES // (self._products * program.dtype.itemsize)
        self.capacity, self._task = max(1, task.at_once(min(CHUNK, max(_LEAST_ROWS, at_once)))), task
        self._grads: Floats | None = None
        self._training: Net | None = None
        self._evaluation: Net | None = None
        self._current: Work | None = None
        self._kept: list[Any] = []
        self._stopped, self._step_seconds = False, 1e-3

    def advance(self, stretch: Stretch) -> Advance:
        """Take the steps of a stretch."""
        self._stopped = False
        with ctrl_c_held_back(self.stop) as pressed:
            advance = self._advance_by_python(stretch) if self.rule is None else self._advance(stretch, self.rule)
        return replace(advance, interrupted=bool(pressed))

    def _advance(self, stretch: Stretch, rule: Rule) -> Advance:
        net, count = self._trainer(), stretch.count
        begin = stretch.first * stretch.batch_size
        order = self._hold(stretch.order[begin : begin + count * stretch.batch_size], np.int64)
        objectives = np.empty(count)
        work = self._work(TRAIN, self.examples, order, stretch.batch_size)
        work.steps, work.epoch, work.by_chance = count, stretch.epoch, 1
        work.optimizer, work.hyper = RULES.index(rule.name), (ctypes.c_double * 4)(*rule.hyper)
        if rule.name == "adam":
            work.corrections = self._pointer(_corrections(rule.hyper[:2], stretch.step, count))
        decay = self.optimizer.weight_decay if stretch.weight_decay is None else stretch.weight_decay
        work.lr, work.decay = self._per_layer(stretch.lr, count), self._per_layer(decay, count)
        work.frozen = self._frozen(stretch.frozen)
        work.objectives = self._pointer(objectives)
        self._regularize(work, stretch)
        self._give_state(work, leave=True)
        if stretch.batch_size > self.capacity or work.clip:
            work.arrays[3], work.in_panels[3], work.leave[3] = self._gradient_array().ctypes.data, 1, 1
        seen = self._to_be_seen(len(order))
        if seen is not None:
            self._see(work, seen)
        self._current = work
        try:
            if not self._stopped:
                self._call_in_parts(net, work, min(stretch.batch_size, len(order)))
        finally:
            self._in_panels, self._current = bool(work.in_panels[1] or work.in_panels[4]), None
        visited = min(len(order), work.done * stretch.batch_size)
        if seen is not None:
            seen = seen.part(0, visited)
        return Advance(objectives[: work.done], bool(work.finite), examples=seen)

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays."""
        self._put_back()
        return self._state

    @property
    def average(self) -> Floats | None:
        """The averaged parameters."""
        self._put_back()
        return self._average

    def _put_back(self) -> None:
        """Put arrays back from the engine's order, in which `advance` leaves them, into their own."""
        if self._in_panels:
            work = Work(mode=NOTHING)
            self._give_state(work, leave=False)
            try:
                self._finish(self._trainer(), work, self.capacity)
            finally:
                self._in_panels = bool(work.in_panels[1] or work.in_panels[4])

    def _give_state(self, work: Work, *, leave: bool) -> None:
        arrays = dict(enumerate(self._state.values(), start=1))
        if self._average is not None:
            arrays[4] = self._average
        for k, array in arrays.items():
            work.arrays[k], work.in_panels[k], work.leave[k] = array.ctypes.data, self._in_panels, leave

    def _regularize(self, work: Work, stretch: Stretch) -> None:
        """Say what is done with gradients besides the optimizer's update."""
        objective, clipping, decay = self.program.objective, self.clipping, self.decay_of_average
        work.l1, work.l2 = objective.l1, objective.l2
        work.clip, work.clip_examples = clipping.norm or 0.0, clipping.examples or 0.0
        if decay is not None:
            rates = [averaging_rate(decay, step) for step in range(stretch.step, stretch.step + stretch.count)]
            work.averaging = self._pointer(np.array(rates))

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, drop its step and return."""
        self._stopped, work = True, self._current
        if work is not None:
            work.stop = 1

    def gradients(
        self,
        rows: Ints,
        epoch: int | None = None,
        *,
        frozen: frozenset[int] = frozenset(),
        clip_examples: bool = False,
    ) -> tuple[Floats, Floats]:
        """Losses of the rows and the gradient of their weighted mean."""
        self._task.check_rows(len(rows), epoch)
        losses = np.empty(len(rows), self.program.dtype)
        grads = np.empty_like(self.params) if len(rows) else np.zeros_like(self.params)
        work = self._speaking(GRADIENTS, self.examples, rows, epoch)
        work.losses, work.frozen = self._pointer(losses), self._frozen(frozen)
        work.clip_examples = (clip_examples and self.clipping.examples) or 0.0
        self._listen(work, grads)
        for place in self.program.kept(frozen):
            grads[place] = 0.0
        return losses, grads

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows."""
        self._task.check_rows(len(rows), epoch)
        net, dtype, count = self._trainer(), self.program.dtype, len(rows)
        work = self._speaking(DELTAS, self.examples, rows, epoch)
        losses, outputs = np.empty(count, dtype), np.empty((count, self.program.outputs), dtype)
        incoming = {op.layer: np.empty((count, op.incoming), dtype) for op in self._dense}
        deltas = {op.layer: np.empty((count, op.units), dtype) for op in self._dense}
        work.losses, work.outputs = self._pointer(losses), self._pointer(outputs)
        for name, arrays in (("incoming", incoming), ("deltas", deltas)):
            setattr(work, name, self._pointer(np.array([a.ctypes.data for a in arrays.values()], np.uintp)))
        self._finish(net, work, count)
        return Deltas(losses, outputs, incoming, deltas)

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs for rows of any source."""
        rows = np.arange(source.count) if rows is None else rows
        outputs = np.empty((len(rows), self.program.outputs), self.program.dtype)
        work = self._speaking(OUTPUTS, Examples(source, self.examples.y), rows)
        work.outputs = self._pointer(outputs)
        self._finish(self._evaluator(), work, len(rows))
        return outputs

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses and outputs of rows of any examples, nothing dropped."""
        rows = np.arange(examples.source.count) if rows is None else rows
        losses = np.empty(len(rows), self.program.dtype)
        outputs = np.empty((len(rows), self.program.outputs), self.program.dtype)
        work = self._speaking(LOSSES_ONLY, examples, rows)
        work.losses, work.outputs = self._pointer(losses), self._pointer(outputs)
        self._finish(self._evaluator(), work, len(rows))
        return losses, outputs

    def _trainer(self) -> Net:
        if self._training is None:
            self._training = Net(
                *(self._library, self.program),
                capacity=self.capacity,
                training=True,
                threads=self._crew.most,
                seed=self._seed,
                augmentation=self._augmentation,
            )
        return self._training

    def _evaluator(self) -> Net:
        if self._evaluation is None:
            self._evaluation = Net(
                *(self._library, self.program),
                capacity=_EVALUATION_CHUNK,
                training=False,
                threads=self._crew.most,
                seed=self._seed,
            )
        return self._evaluation

    def _gradient_array(self) -> Floats:
        if self._grads is None:
            self._grads = np.zeros_like(self.params)
        return self._grads

    def _advance_by_python(self, stretch: Stretch) -> Advance:
        """Take steps whose update the compiled engine does not know."""
        objectives, grads = np.empty(stretch.count), self._gradient_array()
        updates, scratch, statistics = (np.empty_like(grads) for _ in range(3))
        visited = stretch.order[stretch.first * stretch.batch_size :][: stretch.count * stretch.batch_size]
        seen, place, done, finite = self._to_be_seen(len(visited)), 0, 0, True
        while done < stretch.count and not self._stopped:
            rows = stretch.rows(done)
            work = self._speaking(GRADIENTS, self.examples, rows, stretch.epoch)
            work.frozen, work.clip_examples = self._frozen(stretch.frozen), self.clipping.examples or 0.0
            work.statistics = self._pointer(statistics)
            if seen is not None:
                self._see(work, seen.part(place, place + len(rows)))
            objectives[done] = self._listen(work, grads) + self._penalty(stretch.frozen)
            finite = bool(np.isfinite(objectives[done]))
            if not finite:
                break
            for kept in self.program.statistics(stretch.frozen):
                self.params[kept] = statistics[kept]
            with np.errstate(all="ignore"):
                apply_update(self, stretch, done, grads, updates, scratch)
            done, place = done + 1, place + len(rows)
        return Advance(objectives[:done], finite, examples=seen and seen.part(0, place))

    def _penalty(self, frozen: frozenset[int]) -> float:
        return self.program.objective.penalty(self.params[op.W] for op in self._dense if op.layer not in frozen)

    def _listen(self, work: Work, grads: Floats) -> float:
        """Leave the gradient of the rows' mean loss in `grads` and return that mean."""
        objective = np.empty(1)
        work.steps, work.objectives = 1, self._pointer(objective)
        work.arrays[3], work.in_panels[3] = grads.ctypes.data, 1  # whatever it holds is overwritten
        self._finish(self._trainer(), work, work.rows)
        return float(objective[0])

    def _speaking(self, mode: int, examples: Examples, rows: Ints, epoch: int | None = None) -> Work:
        order = self._hold(rows, np.int64)
        work = self._work(mode, examples, order, len(order))
        work.epoch, work.by_chance = epoch or 0, epoch is not None
        return work

    def _work(self, mode: int, examples: Examples, order: Ints, batch: int) -> Work:
        self._kept = [order]
        work = Work(mode=mode, rows=len(order), batch=batch, finite=1)
        if mode in (TRAIN, GRADIENTS, DELTAS):
            work.smoothing = self.program.objective.smoothing
        work.arrays[0] = self.params.ctypes.data
        work.read(examples.source)
        if examples.y is not None:
            work.y_indices = self.program.objective.indices(examples.y)
            work.y = self._pointer(self._hold(examples.y, np.int64 if work.y_indices else self.program.dtype))
        if examples.sample_weight is not None:
            work.sample_weight = self._pointer(self._hold(examples.sample_weight, self.program.dtype))
        work.order = self._pointer(order)
        return work

    def _hold(self, array: Array, dtype: Any) -> Any:
        """The array in the form that the engine reads."""
        return np.ascontiguousarray(array, dtype)

    def _pointer(self, array: Array) -> int:
        """The address of an array, which is kept alive until the next call."""
        self._kept.append(array)
        return int(array.ctypes.data)

    def _per_layer(self, value: float | Floats, count: int) -> int:
        shape = (count, len(self._dense))
        return self._pointer(np.ascontiguousarray(np.broadcast_to(np.asarray(value, np.float64), shape)))

    def _frozen(self, frozen: frozenset[int]) -> int:
        return self._pointer(np.array([op.layer in frozen for op in self._dense], np.int64))

    def _to_be_seen(self, count: int) -> ExamplesSeen | None:
        if not self.record_examples:
            return None
        return ExamplesSeen(np.empty(count, self.program.dtype), np.empty(count, self.program.dtype))

    def _see(self, work: Work, seen: ExamplesSeen) -> None:
        work.losses, work.norms = self._pointer(seen.losses), self._pointer(seen.squared_norms)

    def _finish(self, net: Net, work: Work, rows: int) -> None:
        """Do work that is of no use when broken off."""
        with ctrl_c_held_back(partial(setattr, work, "stop", 1)) as pressed:
            self._call(net, work, rows)
        if pressed:
            raise KeyboardInterrupt

    def _call(self, net: Net, work: Work, rows: int) -> None:
        """Have the crew do the work, whole."""
        products = rows * self._products
        little = products * max(work.steps, 1) < _AT_ONCE
        work.threads = self._crew.size(products, worth_starting=not little)
        if work.threads == 1 and little:
            net.run(work, 0)
        else:
            work_together(partial(net.run, work), work.threads, partial(setattr, work, "stop", 1))

    def _call_in_parts(self, net: Net, work: Work, rows: int) -> None:
        """Have the crew take steps, in several calls where other work keeps the processors busy meanwhile."""
        steps = work.steps
        while True:
            alone = self._crew.alone_for()
            work.steps = min(steps, work.done + max(1, int(alone / self._step_seconds))) if alone else steps
            work.begin, work.crowded, begun = work.done, 0, time.perf_counter()
            self._call(net, work, rows)
            taken = work.done - work.begin
            if taken:
                self._step_seconds = (time.perf_counter() - begun) / taken
            if work.threads > 1:
                self._crew.was(crowded=bool(work.crowded))
            if work.stop or not work.finite or work.done == steps:
                return


def _corrections(decays: tuple[float, ...], step: int, count: int) -> Floats:
    """Adam's 1 / (1 − bᵗ) for both of its decays and each of the steps (count, 2), as the optimizer computes them."""
    found = np.ones((count, len(decays)))
    for column, b in enumerate(decays):
        for k in range(count):
            power = b ** (step + k + 1)
            if power < 2.0**-54:  # and so are all that follow: 1 to the last bit
                break
            found[k, column] = 1.0 / (1.0 - power)
    return found
