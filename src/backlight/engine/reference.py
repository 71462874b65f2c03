"""The reference engine: one training step in plain NumPy, the definition of what every engine computes.

A step is told in the order of its story: every example speaks (its row is gathered, passed forward, judged, and its
error passed back), then every weight listens (gradients, and the update). Nothing of a batch's size is allocated in
the batch loop: all memory is taken when the session is opened. A batch of more than `CHUNK` rows, or more
than the task's `pass_size`, is worked through in chunks, their gradients added up in order.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine.interruption import ctrl_c_held_back
from backlight.engine.normalising import Norm
from backlight.engine.parts import ActivationPart, DensePart, DropoutPart
from backlight.engine.program import ActivationOp, DenseOp, NormOp, Op, Program
from backlight.engine.rows import RowSource
from backlight.engine.seam import Advance, Deltas, Examples, ExamplesSeen, Stretch, Task
from backlight.engine.threads import Threads
from backlight.engine.updating import apply_update, clip_factor
from backlight.network.layers import Draws
from backlight.network.objective import encode_targets

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation

CHUNK = 4096
_EVALUATION_CHUNK = 1024


class _Workspace:
    """All memory for passes of up to `capacity` rows; without `grads`, for passes that no weight listens to."""

    def __init__(
        self,
        program: Program,
        params: Floats,
        grads: Floats | None,
        capacity: int,
        augmentation: "Augmentation | None" = None,
    ) -> None:
        self.program, self.capacity, self.augmentation = program, capacity, augmentation
        self.parts = [self._part(op, params, grads) for op in program.ops]
        self.dense = [part for part in self.parts if isinstance(part, DensePart)]
        self.norms = [part for part in self.parts if isinstance(part, Norm)]
        self.listeners: tuple[DensePart | Norm, ...] = (*self.dense, *self.norms)
        shape = (capacity, program.outputs)
        self.x = np.empty((capacity, program.inputs), program.dtype)
        self.raw = np.empty((0, program.inputs), np.uint8)
        self.targets, self.error = np.empty(shape, program.dtype), np.empty(shape, program.dtype)
        self.scratch = [np.empty(shape, program.dtype) for _ in range(2)]
        self.losses = np.empty(capacity, program.dtype)
        self.indices = np.empty((capacity, max(1, len(program.objective.sizes))), np.int64)
        self.z = self.a = self.error

    def _part(self, op: Op, params: Floats, grads: Floats | None) -> DensePart | Norm | ActivationPart | DropoutPart:
        if isinstance(op, DenseOp):
            return DensePart(op, params, grads, self.capacity)
        if isinstance(op, NormOp):
            return Norm(op, params, grads, self.capacity)
        if isinstance(op, ActivationOp):
            return ActivationPart(op, params.dtype, self.capacity)
        return DropoutPart(op, params.dtype, self.capacity)

    def forward(
        self, source: RowSource, rows: Ints, draws: Draws | None = None, frozen: frozenset[int] = frozenset()
    ) -> Floats:
        """Gather rows and pass them forward; the outputs stay until the next pass."""
        x = self.x[: len(rows)]
        if source.dtype != x.dtype and (self.raw.dtype != source.dtype or not len(self.raw)):
            self.raw = np.empty((self.capacity, self.program.inputs), source.dtype)
        source.gather(rows, self.raw[: len(rows)], x)
        if self.augmentation is not None and draws is not None:
            x[...] = self.augmentation.changed(x, seed=draws.seed, epoch=draws.epoch, rows=rows)
        z = out = x
        for part in self.parts:
            still = isinstance(part, Norm) and part.layer in frozen
            z, out = out, part.forward(out, None if still else draws)
        self.z, self.a = (z if isinstance(self.parts[-1], ActivationPart) else out), out
        return out

    def judge(self, examples: Examples, rows: Ints, *, smooth: bool = False) -> Floats:
        """The losses (m,) of the last forward pass against the rows' targets, smoothed or as they are."""
        m, y = len(rows), examples.y
        targets, losses, objective = self.targets[:m], self.losses[:m], self.program.objective
        if y is None:
            examples.source.gather(rows, self.raw[:m], targets)
        elif objective.indices(y):
            indices = self.indices[:m]
            np.take(y.reshape(len(y), -1), rows, axis=0, out=indices, mode="clip")
            encode_targets(indices.reshape(m, *y.shape[1:]), targets, objective.sizes)
        else:
            np.take(y.reshape(len(y), -1), rows, axis=0, out=targets, mode="clip")
        if smooth:
            objective.smooth(targets)
        objective.losses(self.z, self.a, targets, losses, [s[:m] for s in self.scratch])
        return losses

    def backward(self, frozen: frozenset[int] = frozenset(), weights: Floats | None = None) -> None:
        """Pass the errors of the last forward pass, weighted if asked, back to the first layer that learns."""
        m = len(self.a)
        error, objective = self.error[:m], self.program.objective
        objective.slope(self.a, self.targets[:m], error, [s[:m] for s in self.scratch])
        if weights is not None:
            np.multiply(error, weights[:, None], out=error)
        lowest = next((part for part in self.dense if part.layer not in frozen), self.dense[-1])
        for part in reversed(self.parts[:-1] if objective.fused else self.parts):
            if part is lowest:
                lowest.delta = error
                return
            error = part.backward(error)


class ReferenceSession:
    """A session of the reference engine; `task.threads` are those that NumPy's matrix products may use, 1 if None."""

    name = "reference"

    def __init__(self, task: Task) -> None:
        self.program, self.params, self.examples = task.program, task.params, task.examples
        self.optimizer, program, params = task.optimizer, task.program, task.params
        self.seed, self.threads, self.record_examples = task.seed, Threads(task.threads), task.record_examples
        self._state = task.optimizer.initial_state(program.size, program.dtype)
        self.clipping, self.decay_of_average = task.clipping, task.average
        self.average = None if task.average is None else params.copy()
        self.grads, self.updates = np.zeros_like(params), np.empty_like(params)
        self._scratch = np.empty_like(params)
        self._total = self.grads  # memory of its own once a batch needs several chunks
        self._task, capacity = task, task.at_once(CHUNK)
        self._work = _Workspace(program, params, self.grads, capacity, task.augmentation)
        self._evaluation: _Workspace | None = None
        self._weights, self._ones = np.empty(capacity, program.dtype), np.ones(capacity, program.dtype)

    def advance(self, stretch: Stretch) -> Advance:
        """Take the steps of a stretch."""
        with ctrl_c_held_back(self.stop) as pressed:
            advance = self._advance(stretch)
        return replace(advance, interrupted=bool(pressed))

    def _advance(self, stretch: Stretch) -> Advance:
        objectives, done, finite = np.empty(stretch.count), 0, True
        seen, place, self._stopped = self._to_be_seen(stretch), 0, False
        with self.threads.limited(), np.errstate(all="ignore"):
            while done < stretch.count and not self._stopped:
                rows = stretch.rows(done)
                here = seen and seen.part(place, place + len(rows))
                loss = self._gradient(rows, stretch.epoch, here, stretch.frozen, self.clipping.examples)
                objectives[done] = loss + self._penalty(stretch.frozen)
                finite = bool(np.isfinite(objectives[done]))
                if not finite:
                    break
                for norm in self._work.norms:
                    norm.learn_statistics()
                apply_update(self, stretch, done, self.grads, self.updates, self._scratch)
                done, place = done + 1, place + len(rows)
        return Advance(objectives[:done], finite, examples=seen and seen.part(0, place))

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays."""
        return self._state

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, return after its step."""
        self._stopped = True

    def _to_be_seen(self, stretch: Stretch) -> ExamplesSeen | None:
        if not self.record_examples:
            return None
        count = min(stretch.count * stretch.batch_size, len(stretch.order) - stretch.first * stretch.batch_size)
        return ExamplesSeen(*(np.empty(count, self.program.dtype) for _ in range(2)))

    def _penalty(self, frozen: frozenset[int]) -> float:
        return self.program.objective.penalty(part.W for part in self._work.dense if part.layer not in frozen)

    def _gradient(
        self,
        rows: Ints,
        epoch: int | None,
        seen: ExamplesSeen | None,
        frozen: frozenset[int] = frozenset(),
        clip: float | None = None,
    ) -> float:
        """Leave the gradient of the rows' mean loss in `grads` and return that mean; write down what is seen."""
        objective, several = 0.0, len(rows) > self._work.capacity
        for place, chunk in _chunks(rows, self._work.capacity):
            weights = self._speak(chunk, len(rows), epoch, frozen)
            objective += float(np.dot(weights, self._work.losses[: len(chunk)]))
            if seen is not None or clip is not None:
                squares = self._squared_norms(len(chunk), frozen)
            if seen is not None:
                seen.losses[place] = self._work.losses[: len(chunk)]
                seen.squared_norms[place] = squares
            if clip is not None:
                np.multiply(weights, [clip_factor(clip, square) for square in squares.tolist()], out=weights)
            shares = self._ones[: len(chunk)] if self._is_coupled(epoch) else weights
            for layer in self._work.listeners:
                if layer.layer not in frozen:
                    layer.listen(shares)
            for norm in self._work.norms:
                norm.keep_statistics(len(chunk), first=place.start == 0)
            if several:
                self._add_up(first=place.start == 0)
        if several:
            np.copyto(self.grads, self._total)
        return objective

    def _squared_norms(self, count: int, frozen: frozenset[int]) -> Floats:
        """Σ_l ‖delta_n‖² (‖a_n‖² + 1) of the last pass, over the layers that learn, with their normalisations."""
        norms = np.zeros(count, self.program.dtype)
        for part in self._work.listeners:
            if part.layer not in frozen:
                norms += part.squared_norms(count)
        return norms

    def _add_up(self, *, first: bool) -> None:
        if self._total is self.grads:
            self._total = np.empty_like(self.grads)
        if first:
            np.copyto(self._total, self.grads)
        else:
            np.add(self._total, self.grads, out=self._total)

    def _speak(self, rows: Ints, count: int, epoch: int | None, frozen: frozenset[int]) -> Floats:
        """Pass rows forward and their errors back; their shares of the objective."""
        work, weights = self._work, self._weights[: len(rows)]
        work.forward(self.examples.source, rows, self._draws(rows, epoch), frozen)
        work.judge(self.examples, rows, smooth=True)
        if self.examples.sample_weight is None:
            weights.fill(1.0 / count)
        else:
            np.take(self.examples.sample_weight, rows, out=weights, mode="clip")
            np.divide(weights, count, out=weights)
        work.backward(frozen, weights if self._is_coupled(epoch) else None)
        return weights

    def _is_coupled(self, epoch: int | None) -> bool:
        """Whether examples have no errors of their own, so that these are given their weights at the outputs."""
        return self.program.coupled and epoch is not None

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
        seen = ExamplesSeen(*(np.empty(len(rows), self.program.dtype) for _ in range(2)))
        with self.threads.limited(), np.errstate(all="ignore"):
            self._gradient(rows, epoch, seen, frozen, self.clipping.examples if clip_examples else None)
        grads = self.grads.copy()
        for place in self.program.kept(frozen):
            grads[place] = 0.0
        return seen.losses, grads

    def _draws(self, rows: Ints, epoch: int | None) -> Draws | None:
        return None if epoch is None else Draws(self.seed, epoch, rows)

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows."""
        self._task.check_rows(len(rows), epoch)
        work, dtype = self._work, self.program.dtype
        losses, outputs = np.empty(len(rows), dtype), np.empty((len(rows), self.program.outputs), dtype)
        incoming = {part.layer: np.empty((len(rows), part.W.shape[1]), dtype) for part in work.dense}
        deltas = {part.layer: np.empty((len(rows), part.W.shape[0]), dtype) for part in work.dense}
        with self.threads.limited(), np.errstate(all="ignore"):
            for place, chunk in _chunks(rows, work.capacity):
                outputs[place] = work.forward(self.examples.source, chunk, self._draws(chunk, epoch))
                losses[place] = work.judge(self.examples, chunk, smooth=True)
                work.backward()
                for part in work.dense:
                    incoming[part.layer][place], deltas[part.layer][place] = part.a, part.delta
        return Deltas(losses, outputs, incoming, deltas)

    def _evaluator(self) -> _Workspace:
        if self._evaluation is None:
            self._evaluation = _Workspace(self.program, self.params, None, _EVALUATION_CHUNK)
        return self._evaluation

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs for rows of any source."""
        rows = np.arange(source.count) if rows is None else rows
        outputs = np.empty((len(rows), self.program.outputs), self.program.dtype)
        work = self._evaluator()
        with self.threads.limited(), np.errstate(all="ignore"):
            for place, chunk in _chunks(rows, work.capacity):
                outputs[place] = work.forward(source, chunk)
        return outputs

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses and outputs of rows of any examples, nothing dropped."""
        rows = np.arange(examples.source.count) if rows is None else rows
        work, dtype = self._evaluator(), self.program.dtype
        losses, outputs = np.empty(len(rows), dtype), np.empty((len(rows), self.program.outputs), dtype)
        with self.threads.limited(), np.errstate(all="ignore"):
            for place, chunk in _chunks(rows, work.capacity):
                outputs[place] = work.forward(examples.source, chunk)
                losses[place] = work.judge(examples, chunk)
        return losses, outputs


def _chunks(rows: Ints, size: int) -> Iterator[tuple[slice, Ints]]:
    for start in range(0, len(rows), size):
        yield slice(start, start + size), rows[start : start + size]
