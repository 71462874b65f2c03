"""Networks, examples and sessions to compare with, drawn or made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from backlight.arrays import FloatName
from backlight.data.augment import Augmentation
from backlight.engine import Clipping, Examples, Optimizer, Session, Task, compile_program, open_session, row_source
from backlight.engine.library import Library, load, why_not
from backlight.engine.native import NativeSession
from backlight.network import Network
from backlight.training import SGD
from tests import cases

EVERY_ENGINE = pytest.mark.parametrize("engine", cases.ENGINES)
HIDDEN = [name for name in cases.ACTIVATIONS if name != "exponential"]  # stacked, that one overflows


@dataclass(frozen=True)
class Problem:
    """A network, a loss, and examples for them."""

    network: Network
    loss: str
    x: Any
    y: Any

    def task(
        self,
        batch_size: int | None = None,
        *,
        optimizer: Optimizer | None = None,
        seed: int = 0,
        weight: Any = None,
        record_examples: bool = False,
        threads: int | None = None,
        augmentation: Augmentation | None = None,
        regularization: cases.Regularization | None = None,
    ) -> Task:
        """What a session is opened for; its batches hold all examples unless told otherwise."""
        how = regularization or cases.Regularization()
        program = compile_program(self.network, self.loss)
        objective = replace(program.objective, smoothing=how.smoothing, l1=how.l1, l2=how.l2)
        y = np.asarray(self.y)
        y = y.astype(np.int64 if self.network.objective(self.loss).indices(y) else self.network.dtype)
        return Task(
            replace(program, objective=objective),
            self.network.params,
            Examples(row_source(self.x), y, None if weight is None else np.asarray(weight, self.network.dtype)),
            optimizer or SGD(),
            batch_size=batch_size or len(self.x),
            seed=seed,
            threads=threads,
            record_examples=record_examples,
            augmentation=augmentation,
            clipping=Clipping(how.clip, how.clip_examples),
            average=how.average,
        )

    def session(self, batch_size: int | None = None, *, engine: str = "reference", **given: Any) -> Session:
        """A session of an engine; arguments as for `task`."""
        return open_session(engine, self.task(batch_size, **given))

    def crewed(self, crew: int, batch_size: int | None = None, **given: Any) -> NativeSession:
        """A session of the native engine that takes every step with that many threads."""
        return NativeSession(compiled(), self.task(batch_size, **given), crew=crew)

    def copied(self, dtype: FloatName | None = None) -> "Problem":
        """The same problem with a network of its own."""
        return Problem(self.network.copy(dtype), self.loss, self.x, self.y)


def compiled() -> Library:
    """The compiled engine, without which these tests make no sense."""
    library = load()
    assert library is not None, why_not()
    return library


def problem(
    layers: str = "deep", output: str = "softmax", loss: str = "cross_entropy", *, n: int = 23, dtype: str = "float64"
) -> Problem:
    """The problem of a case."""
    network = cases.network_of(layers, output, dtype=dtype)
    y = cases.LOSSES[loss].targets(output, n, network.outputs, 1)
    return Problem(network, loss, cases.some((n, cases.INPUTS), 1).astype(dtype), y)


def outputs_of(output: str, most: int) -> st.SearchStrategy[int]:
    """Widths that an output may have."""
    return st.integers(4 if output == cases.GROUPED else 1, most)


def ended(widths: Sequence[int], output: str, **given: Any) -> Network:
    """A multi-layer perceptron with that output, in groups or not."""
    last = cases.ending(output, widths[-1])
    return Network.mlp(*widths, output=last.function, sizes=last.sizes, **given)


@st.composite
def problems(draw: st.DrawFn, dtype: str = "float64") -> Problem:
    """Any network of up to four layers, with dropout and normalisation or without, any loss, and 1 to 64 examples."""
    output, loss = draw(st.sampled_from(cases.ENDINGS))
    widths = [*draw(st.lists(st.integers(1, 40), min_size=1, max_size=4)), draw(outputs_of(output, 40))]
    hidden, dropout = draw(st.sampled_from(HIDDEN)), draw(st.sampled_from([0.0, 0.3]))
    # of a few normalised numbers errors are what is left when most has cancelled: in float32 hardly more than roundings
    norm = None if dtype == "float32" else draw(st.sampled_from([None, "batch", "layer"]))
    widths[1:-1] = [max(units, 2) if norm == "layer" else units for units in widths[1:-1]]
    n, seed = draw(st.integers(1, 64)), draw(st.integers(0, 99))
    network = ended(widths, output, hidden=hidden, norm=norm, dropout=dropout, seed=seed, dtype=dtype)
    x = cases.some((n, widths[0]), seed).astype(draw(st.sampled_from(["float32", "float64"])))
    y: Any = cases.LOSSES[loss].targets(output, n, widths[-1], seed)
    if network.output == "softmax" and loss == "cross_entropy" and draw(st.booleans()):
        y = cases.class_indices(output, y) if widths[-1] > 1 else y
    if draw(st.booleans()):
        x = (np.abs(x) * 100).astype(np.uint8)
    return Problem(network, loss, x, y)
