"""How far the native engine is from exact arithmetic: no further than NumPy, up to a small factor."""

import platform
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.engine import Stretch, library
from backlight.errors import InputError
from backlight.network import Activation, Network
from tests import cases
from tests.engine.drawn import HIDDEN, Problem, ended, outputs_of

FACTOR = 4
ROUNDINGS = 4
"""What is allowed where the reference is exact by luck, as happens where few numbers are added up: so many roundings of
the numbers involved, which `involved` tells."""
LR = 0.1
SMOOTH = ("tanh", "sigmoid", "softplus", "gelu")
X86, ARM = library.INSTRUCTION_SETS


@st.composite
def float32_problems(draw: st.DrawFn) -> Problem:
    """Networks of up to five layers of up to 300 units, batches of up to 257."""
    output, loss = draw(st.sampled_from(cases.ENDINGS))
    widths = draw(st.lists(st.one_of(st.integers(1, 300), st.integers(1, 9)), min_size=1, max_size=5))
    widths.append(draw(st.one_of(outputs_of(output, 300), outputs_of(output, 9))))
    n, seed = draw(st.one_of(st.integers(1, 257), st.integers(1, 9))), draw(st.integers(0, 99))
    network = ended(widths, output, hidden=draw(st.sampled_from(HIDDEN)), seed=seed, dtype="float32")
    x = cases.some((n, widths[0]), seed).astype(np.float32)
    y = cases.LOSSES[loss].targets(output, n, widths[-1], seed).astype(np.float32)
    return Problem(network, loss, x, y)


def taken(p: Problem, engine: str, dtype: Any) -> tuple[Any, Any, Any]:
    """Losses, gradient, and parameters after one step, in float64; from the same float32 beginning."""
    own, rows = p.copied(dtype), np.arange(len(p.x))
    session = own.session(engine=engine)
    losses, gradient = session.gradients(rows)
    session.advance(Stretch(rows, len(rows), 0, 1, 0, 0, LR))
    return losses.astype(float), gradient.astype(float), own.network.params.astype(float)


def involved(p: Problem) -> tuple[float, float]:
    """The sizes of the numbers that losses and the gradient are made of, one rounding of each being passed on.

    A rounding of z is one of its terms' sizes abs(a) abs(W) + abs(b), of which s is the largest in any layer. It
    changes the losses by delta s, the errors of the outputs by f' s, and what is proportional to exp(z) by s of itself.
    """
    network = p.network.copy("float64")
    trace = network.forward(p.x)
    backward, last = network.backward(trace, p.y, p.loss), len(network.layers) - 1
    dense = list(network.dense_layers())
    s = max((np.abs(trace.a_in(k)) @ np.abs(layer.W.T) + np.abs(layer.b)).max() for k, layer, _ in dense)
    incoming, grads, output = trace.a_in(dense[-1][0]), backward.dense(dense[-1][0]), network.layers[last]
    elementwise = isinstance(output, Activation) and output.function != "softmax"
    slope = output.slope(trace.caches[last]) if elementwise else np.ones_like(trace.out)  # type: ignore[union-attr, arg-type]
    every = [backward.dense(k) for k, _, _ in dense]
    sums = [np.abs(g.delta).T @ np.maximum(np.abs(g.a), 1) for g in every]  # 1: the biases
    changed = np.abs(slope * s).T @ np.maximum(np.abs(incoming), 1)
    losses = (1 + s) * np.abs(backward.losses).max() + s * np.abs(grads.delta).sum(axis=1).max()
    return float(losses), float(((1 + s) * max(each.max() for each in sums) + changed.max()) / len(p.x))


@settings(deadline=None, max_examples=60)
@given(float32_problems())
def test_a_step_in_float32_errs_hardly_more_than_numpy_does(p):
    exact, reference, native = (
        taken(p, *kind) for kind in (("reference", "float64"), ("reference", "float32"), ("native", "float32"))
    )
    losses, gradient = involved(p)
    sizes = (losses, gradient, LR * gradient + np.abs(exact[2]).max())
    for expected, numpy, own, size in zip(exact, reference, native, sizes, strict=True):
        error, allowed = np.abs(own - expected).max(), np.abs(numpy - expected).max()
        assert error <= FACTOR * allowed + ROUNDINGS * 2.0**-23 * size


@pytest.mark.parametrize("hidden", SMOOTH)
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS)
def test_fifty_steps_in_float64_are_those_of_the_reference(hidden, optimizer):
    """Smooth networks only: at a kink, a rounding may choose another side."""
    case, found = cases.OPTIMIZERS[optimizer], []
    for engine in cases.ENGINES:
        network = Network.mlp(9, 21, 18, 4, hidden=hidden, dropout=0.2, seed=1, dtype="float64")
        p = Problem(network, "cross_entropy", cases.some((73, 9), 2), np.arange(73) % 4)
        session = p.session(15, optimizer=case.optimizer, engine=engine, seed=4)
        objectives = [
            session.advance(Stretch(np.arange(73)[::-1], 15, 0, 5, epoch, 5 * epoch, case.lr)).objectives
            for epoch in range(10)
        ]
        found.append([network.params, *session.state.values(), np.concatenate(objectives)])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def _usable(name: str) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKLIGHT_INSTRUCTION_SET", name)
        try:
            return library.load() is not None
        except InputError:
            return False


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", X86 if platform.machine().lower() in {"x86_64", "amd64"} else ARM)
def test_every_instruction_set_computes_the_same(monkeypatch, name, dtype):
    if not _usable(name):
        pytest.skip(f"this processor has no {name}")
    monkeypatch.setenv("BACKLIGHT_INSTRUCTION_SET", name)
    assert getattr(library.load(), "instruction_set", None) == name
    tolerance = 2e-5 if dtype == "float32" else 1e-11  # five steps amplify roundings
    for hidden, (output, loss) in zip(HIDDEN, cases.ENDINGS[-len(HIDDEN) :], strict=True):
        network = ended((37, 50, 33, 7), output, hidden=hidden, dropout=0.2, seed=1, dtype=dtype)
        x = (50 * np.abs(cases.some((131, 37), 2))).astype(np.uint8)
        p = Problem(network, loss, x, cases.LOSSES[loss].targets(output, 131, 7, 3))
        found = [_everything(p.copied().crewed(crew, 33, record_examples=True)) for crew in (1, 3)]
        expected = _everything(p.session(33, record_examples=True))
        for one, other, reference in zip(*found, expected, strict=True):
            assert one.tobytes() == other.tobytes()
            np.testing.assert_allclose(one, reference, rtol=0, atol=tolerance * np.abs(reference).max())


def _everything(session: Any) -> list[Any]:
    """What a few steps, and a look, give."""
    advance = session.advance(Stretch(np.arange(131)[::-1], 33, 0, 4, 1, 0, 0.01))
    rows = np.arange(31)
    deltas = session.deltas(rows, 2)
    return [
        *(session.params, advance.objectives, advance.examples.losses, advance.examples.squared_norms),
        *(*session.gradients(rows, 2), *session.losses(session.examples), *deltas.deltas.values()),
        *(session.outputs(session.examples.source, np.array([k])) for k in range(3)),
    ]
