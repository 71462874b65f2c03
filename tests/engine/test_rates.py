"""Learning rates and decays per step and layer, frozen layers, and optimizers that the native engine does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from backlight.arrays import Floats
from backlight.engine import Rule, Stretch, native
from backlight.engine.updating import apply_update
from backlight.network import Draws
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem

STEPS, SEED, ROWS = 6, 2, 23


def small(dtype: str = "float64") -> Problem:
    p = problem("deep", dtype=dtype)
    network = type(p.network).mlp(5, 9, 37, 3, hidden="tanh", dropout=0.2, seed=3, dtype=dtype)  # type: ignore[arg-type]
    assert [index for index, _, _ in network.dense_layers()] == [0, 3, 6]
    return Problem(network, p.loss, p.x, p.y)


def rates(scale: float, seed: int) -> Any:
    """One number per step and dense layer, none like another."""
    return scale * (0.2 + np.abs(cases.some((STEPS, 3), seed)))


def by_hand(p: Problem, case: cases.OptimizerCase, lr: Any, decay: Any, frozen: frozenset[int]) -> Any:
    """The parameters after the steps, layer by layer from all gradients so far."""
    network, order = p.network.copy(), np.arange(ROWS)[::-1]
    gradients: dict[int, list[Any]] = {}
    for step in range(STEPS):
        rows = order[step * 4 : step * 4 + 4]
        backward = network.backward(network.forward(p.x[rows], Draws(SEED, 1, rows)), p.y[rows])
        flat = backward.gradient()
        for k, (index, layer, place) in enumerate(network.dense_layers()):
            gradients.setdefault(index, []).append(flat[place])
            if index in frozen:
                continue
            rate, shrink = (np.broadcast_to(value, (STEPS, 3))[step, k] for value in (lr, decay))
            decayed = np.zeros(layer.size)
            decayed[: layer.W.size] = rate * shrink * layer.W.reshape(-1)
            network.params[place] += case.update(gradients[index], rate) - decayed
    return network.params


def stretch(lr: Any, decay: Any, frozen: frozenset[int]) -> Stretch:
    return Stretch(np.arange(ROWS)[::-1], 4, 0, STEPS, 1, 0, lr, decay, frozen)


CONDUCT = {
    "lr by step and layer": (rates(1, 1), None, frozenset()),
    "lr by layer": (rates(1, 1)[0], None, frozenset()),
    "lr by step": (rates(1, 1)[:, :1], None, frozenset()),
    "decay instead of its own": (1.0, 0.3, frozenset()),
    "no decay instead of its own": (1.0, 0.0, frozenset()),
    "decay by step and layer": (1.0, rates(0.5, 2), frozenset()),
    "both": (rates(1, 3), rates(0.5, 2), frozenset()),
    "the first layer frozen": (1.0, None, frozenset({0})),
    "the last layer frozen": (rates(1, 3), None, frozenset({6})),
    "all but the middle one frozen": (1.0, rates(0.5, 2), frozenset({0, 6})),
    "all frozen": (1.0, 0.1, frozenset({0, 3, 6})),
}


@EVERY_ENGINE
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
@pytest.mark.parametrize("conduct", CONDUCT)
@pytest.mark.parametrize("chunk", [2048, 3])
def test_rates_decays_and_frozen_layers_by_definition(monkeypatch, engine, name, conduct, chunk):
    monkeypatch.setattr(native, "CHUNK", chunk)
    case, (lr, decay, frozen) = cases.OPTIMIZERS[name], CONDUCT[conduct]
    lr, p = case.lr * lr, small()
    start, own = p.network.params.copy(), case.optimizer.weight_decay if decay is None else decay
    expected = by_hand(p, case, lr, own, frozen)
    session = p.session(4, optimizer=case.optimizer, seed=SEED, engine=engine)
    advance = session.advance(stretch(lr, decay, frozen))
    assert advance.finite
    assert len(advance.objectives) == STEPS
    np.testing.assert_allclose(p.network.params, expected, rtol=1e-10, atol=1e-11)  # six steps amplify roundings
    for index, _, place in p.network.dense_layers():
        assert np.array_equal(p.network.params[place], start[place]) == (index in frozen)
        assert all((array[place] != 0).any() == (index not in frozen) for array in session.state.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_layers_thawed_later_find_their_state_as_it_was(dtype, name):
    """Frozen after some steps, a layer keeps its parameters and the optimizer's numbers bit by bit; then it goes on."""
    case, found = cases.OPTIMIZERS[name], []
    for engine in cases.ENGINES:
        p = small(dtype)
        session = p.session(4, optimizer=case.optimizer, seed=SEED, engine=engine)
        for step, frozen in enumerate([(), (3,), (0, 3), (6,), ()]):
            kept = {key: array.copy() for key, array in {"params": p.network.params, **session.state}.items()}
            order = np.arange(ROWS)
            session.advance(Stretch(order, 4, step, 1, 0, step, case.lr, frozen=frozenset(frozen)))
            for index, _, place in p.network.dense_layers():
                for key, array in {"params": p.network.params, **session.state}.items():
                    assert np.array_equal(array[place], kept[key][place]) == (index in frozen)
        found.append([p.network.params, *session.state.values()])
    for own, expected in zip(*found, strict=True):
        tolerance = 1e-4 if dtype == "float32" else 1e-11  # five steps; adam divides by the size of what rounds
        np.testing.assert_allclose(own, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_a_rate_of_one_number_is_that_number_everywhere(name):
    case, found = cases.OPTIMIZERS[name], set()
    for lr, decay in ((case.lr, None), (np.full((STEPS, 3), case.lr), np.full(3, case.optimizer.weight_decay))):
        p = small("float32")
        p.session(4, optimizer=case.optimizer, engine="native").advance(stretch(lr, decay, frozenset()))
        found.add(p.network.params.tobytes())
    assert len(found) == 1


# optimizers of one's own ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signs:
    """The sign of a mean of gradients: no rule that the native engine knows."""

    weight_decay: float = 0.1
    name: str = "signs"
    rule: Rule | None = None

    def initial_state(self, size: int, dtype: Any) -> dict[str, Floats]:
        return {"mean": np.zeros(size, dtype)}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        state["mean"][...] = 0.9 * state["mean"] + (step + 1) * grads
        np.multiply(np.arctan(state["mean"]), -lr, out=updates)


@dataclass(frozen=True)
class Unknown:
    """An optimizer, without its rule."""

    known: Any
    rule: Rule | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.known, name)


@pytest.mark.parametrize("conduct", CONDUCT)
@pytest.mark.parametrize("chunk", [2048, 3])
@pytest.mark.parametrize("name", ["signs", *cases.OPTIMIZERS])
def test_an_optimizer_without_a_rule_does_in_python_what_the_reference_does(monkeypatch, conduct, chunk, name):
    monkeypatch.setattr(native, "CHUNK", chunk)
    optimizer = Signs() if name == "signs" else Unknown(cases.OPTIMIZERS[name].optimizer)
    lr, decay, frozen = CONDUCT[conduct]
    found = []
    for engine in cases.ENGINES:
        p = small()
        session = p.session(4, optimizer=optimizer, engine=engine, seed=SEED)
        advance = session.advance(stretch(0.01 * lr, decay, frozen))
        found.append([p.network.params, *session.state.values(), advance.objectives])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("frozen", [frozenset(), frozenset({3})])
@pytest.mark.parametrize("chunk", [2048, 3])
def test_with_an_optimizer_without_a_rule_examples_are_recorded_as_well(monkeypatch, frozen, chunk):
    monkeypatch.setattr(native, "CHUNK", chunk)
    found = []
    for engine in cases.ENGINES:
        session = small().session(4, optimizer=Signs(), engine=engine, seed=SEED, record_examples=True)
        seen = session.advance(stretch(0.01, None, frozen)).examples
        assert seen is not None
        found.append([seen.losses, seen.squared_norms])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-11)


def test_an_optimizer_without_a_rule_drops_a_step_that_is_not_finite():
    network = cases.network_of("dense", "identity")
    x = cases.some((ROWS, 5))
    x[9, 2] = 1e200
    p = Problem(network, "squared", x, cases.some((ROWS, 3)))
    session = p.session(4, optimizer=Signs(), engine="native")
    advance = session.advance(Stretch(np.arange(ROWS), 4, 0, 6, 0, 0, 0.001))
    assert (len(advance.objectives), advance.finite) == (2, False)
    assert np.isfinite(p.network.params).all()


def test_an_update_is_added_in_one_place():
    """A test of the tests: were the definition's decay not the decay that stands there, they would notice."""
    p = small()
    session: Any = p.session(4, optimizer=Signs(), engine="reference")
    before, grads = p.network.params.copy(), np.ones(p.network.params.size)
    apply_update(session, stretch(0.5, 0.2, frozenset({3})), 0, grads, np.empty_like(grads), np.empty_like(grads))
    for index, layer, place in p.network.dense_layers():
        moved = p.network.params[place] - before[place]
        decay = np.concatenate([0.1 * before[place][: layer.W.size], np.zeros(layer.units)])
        expected = np.zeros(layer.size) if index == 3 else -0.5 * np.arctan(1.0) - decay
        np.testing.assert_allclose(moved, expected, atol=1e-15)
