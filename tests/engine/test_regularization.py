"""Penalties, clipping, averaging and smoothed labels: by their definitions, in every engine, to the same bits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backlight.engine import Examples, Stretch, native, open_session, reference, row_source
from backlight.network import Draws
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem
from tests.engine.test_bits import CREWS, ROWS, SOURCES, bits, made
from tests.engine.test_rates import Signs

MODULES: dict[str, Any] = {"native": native, "reference": reference}
SEED, STEPS, COUNT = 2, 6, 23
EVERY_WAY = pytest.mark.parametrize("way", cases.REGULARIZATIONS)


def small(dtype: str = "float64") -> Problem:
    """Three dense layers with dropout, of one panel and of several, and 23 examples whose targets are shares."""
    p = problem(dtype=dtype)
    network = type(p.network).mlp(5, 9, 37, 3, hidden="tanh", dropout=0.2, seed=3, dtype=dtype)  # type: ignore[arg-type]
    return Problem(network, p.loss, p.x, p.y)


def possible(p: Problem, how: cases.Regularization) -> cases.Regularization:
    """What a problem allows of a regularization: labels of classes are smoothed, examples clipped one by one."""
    how = how if p.loss == "cross_entropy" else replace(how, smoothing=0.0)
    return replace(how, clip_examples=None) if p.network.coupled else how


def smoothed(p: Problem, smoothing: float) -> Any:
    """(1 − s) y + s / K, with K of every output's own softmax, and 2 for a logistic output."""
    sizes = p.network.sizes or (p.network.outputs,)
    shares = np.concatenate([np.full(k, 1 / k if p.network.output == "softmax" else 0.5) for k in sizes])
    return (1 - smoothing) * np.asarray(p.y) + smoothing * shares


def every_gradient(p: Problem, rows: Any, y: Any, frozen: frozenset[int]) -> tuple[Any, Any]:
    """Losses (m,), and each example's own gradient (m, size), multiplied out; 0 for frozen layers."""
    network = p.network
    backward = network.backward(network.forward(p.x[rows], Draws(SEED, 1, rows)), y[rows], p.loss)
    own = np.zeros((len(rows), network.params.size))
    for index, layer, place in network.dense_layers():
        grads = backward.grads[index]
        if index not in frozen and grads is not None:
            W, b = grads.per_example()
            own[:, place] = np.concatenate([W.reshape(len(rows), layer.W.size), b], axis=1)
    return backward.losses, own


def by_hand(
    p: Problem, case: cases.OptimizerCase, how: cases.Regularization, frozen: frozenset[int], weight: Any
) -> tuple[Any, Any, Any]:
    """Parameters and averages after the steps, and their objectives, from gradients of single examples."""
    p = p.copied()
    network, order, y = p.network, np.arange(COUNT)[::-1], smoothed(p, how.smoothing)
    learn, weights = np.zeros((2, network.params.size), bool)
    for index, layer, place in network.dense_layers():
        learn[place] = index not in frozen
        weights[place.start : place.start + layer.W.size] = index not in frozen
    given, visited, objectives = [], [], []
    for step in range(STEPS):
        rows = order[step * 4 : step * 4 + 4]
        losses, own = every_gradient(p, rows, y, frozen)
        W = network.params[weights]
        objectives.append(weight[rows] @ losses / len(rows) + how.l1 * abs(W).sum() + how.l2 * (W**2).sum() / 2)
        if how.clip_examples is not None:
            own *= np.minimum(1, how.clip_examples / np.linalg.norm(own, axis=1))[:, None]
        g = weight[rows] @ own / len(rows)
        g[weights] += how.l1 * np.sign(W) + how.l2 * W
        if how.clip is not None:
            g *= min(1, how.clip / np.linalg.norm(g))
        given.append(g)
        decay = case.lr * case.optimizer.weight_decay * network.params * weights
        network.params[...] += (case.update(given, case.lr) - decay) * learn
        visited.append(network.params.copy())
    if how.average is None:
        return network.params, None, np.array(objectives)
    kept = how.average ** np.arange(STEPS - 1, -1, -1)
    return network.params, kept @ np.array(visited) / kept.sum(), np.array(objectives)


def stretch(lr: float, frozen: frozenset[int] = frozenset()) -> Stretch:
    return Stretch(np.arange(COUNT)[::-1], 4, 0, STEPS, 1, 0, lr, None, frozen)


@EVERY_ENGINE
@EVERY_WAY
@pytest.mark.parametrize("name", ["sgd with decay", "momentum", "adam with decay"])
@pytest.mark.parametrize(("frozen", "chunk"), [(frozenset(), 2048), (frozenset({0}), 3), (frozenset({3}), 2048)])
def test_steps_are_those_of_the_definition(monkeypatch, engine, way, name, frozen, chunk):
    monkeypatch.setattr(MODULES[engine], "CHUNK", chunk)
    case, how, p, weight = cases.OPTIMIZERS[name], cases.REGULARIZATIONS[way], small(), 0.5 + np.arange(23) / 23
    params, average, objectives = by_hand(p, case, how, frozen, weight)
    given: dict[str, Any] = {"optimizer": case.optimizer, "seed": SEED, "weight": weight, "regularization": how}
    session = p.session(4, engine=engine, **given)
    advance = session.advance(stretch(case.lr, frozen))
    assert advance.finite
    np.testing.assert_allclose(p.network.params, params, rtol=1e-9, atol=1e-11)  # six steps amplify roundings
    np.testing.assert_allclose(advance.objectives, objectives, rtol=1e-11)
    assert (session.average is None) == (average is None)
    if average is not None:
        np.testing.assert_allclose(session.average, average, rtol=1e-9, atol=1e-11)  # type: ignore[arg-type]


@EVERY_WAY
@pytest.mark.parametrize("problem_name", SOURCES)
def test_the_engines_agree_in_float32(way, problem_name):
    case, how, found = cases.OPTIMIZERS["adam"], cases.REGULARIZATIONS[way], []
    for engine in cases.ENGINES:
        p = made(problem_name, "float32")
        how = possible(p, how)
        if p.network.coupled:  # of the biases' gradients, which are rounding alone, Adam would make steps
            case = cases.OPTIMIZERS["momentum"]
        session = p.session(29, engine=engine, optimizer=case.optimizer, seed=SEED, regularization=how)
        advance = session.advance(Stretch(np.arange(ROWS), 29, 0, 5, 0, 0, case.lr / 10))
        average = p.network.params if session.average is None else session.average
        found.append((advance.objectives, p.network.params, average))
    for native_one, defined in zip(*found, strict=True):
        np.testing.assert_allclose(native_one, defined, rtol=2e-4, atol=2e-4 * np.abs(defined).max())


@EVERY_ENGINE
@EVERY_WAY
@pytest.mark.parametrize("output", ["logistic", cases.GROUPED])
@pytest.mark.parametrize("classes", [False, True])
def test_labels_of_every_kind_are_smoothed(engine, way, output, classes):
    how, p = cases.REGULARIZATIONS[way], problem("deep", output)
    if classes and output == cases.GROUPED:
        indices = cases.class_indices(output, np.asarray(p.y))
        hot = np.concatenate([np.eye(k)[indices[:, g]] for g, k in enumerate(p.network.sizes)], axis=1)
        p, given = Problem(p.network, p.loss, p.x, hot), Problem(p.network, p.loss, p.x, indices)
    else:
        given = p
    session = given.session(23, engine=engine, regularization=how)
    smooth = smoothed(p, how.smoothing)
    rows = np.arange(23)
    backward = p.network.backward(p.network.forward(p.x), smooth, p.loss)
    losses, gradient = session.gradients(rows)
    np.testing.assert_allclose(losses, backward.losses, rtol=1e-10)
    np.testing.assert_allclose(gradient, backward.gradient(), rtol=1e-9, atol=1e-13)
    last = max(session.deltas(rows).deltas)
    np.testing.assert_allclose(session.deltas(rows).losses, backward.losses, rtol=1e-10)
    np.testing.assert_allclose(session.deltas(rows).deltas[last], backward.errors[last], atol=1e-12)  # type: ignore[arg-type]
    plain = p.network.losses(p.network.forward(p.x), np.asarray(p.y), p.loss)
    np.testing.assert_allclose(session.losses(session.examples)[0], plain, rtol=1e-10)  # measured without smoothing
    assert (how.smoothing > 0) == (not np.allclose(plain, backward.losses))


@EVERY_ENGINE
def test_what_examples_say_is_told_before_clipping(engine):
    found = []
    for way in ("never clipped", "clipped examples"):
        session = small().session(4, engine=engine, regularization=cases.REGULARIZATIONS[way], record_examples=True)
        found.append(session.advance(replace(stretch(0.1), count=1)).examples)
    assert np.array_equal(found[0].squared_norms, found[1].squared_norms)  # type: ignore[union-attr]
    assert (found[0].squared_norms > 0.3**2).any()  # type: ignore[union-attr]


@EVERY_ENGINE
@pytest.mark.parametrize("way", ["clipped examples", "clipped"])
def test_a_gradient_of_no_length_is_left_alone(engine, way):
    p = small()
    p.network.params[...] = 0.0
    y = np.full((23, 3), 1 / 3)
    session = Problem(p.network, p.loss, p.x, y).session(4, engine=engine, regularization=cases.REGULARIZATIONS[way])
    assert session.advance(stretch(0.1)).finite
    np.testing.assert_allclose(p.network.params, 0.0, atol=1e-15)


@EVERY_ENGINE
def test_a_penalty_that_is_not_finite_drops_its_step(engine):
    p = small()
    p.network.params[0] = 1e200
    before = p.network.params.copy()
    session = p.session(4, engine=engine, regularization=cases.REGULARIZATIONS["l2"])
    advance = session.advance(stretch(0.1))
    assert (len(advance.objectives), advance.finite) == (0, False)
    assert np.array_equal(p.network.params, before)


@EVERY_WAY
def test_an_optimizer_without_a_rule_takes_the_same_steps(way):
    found = []
    for engine in cases.ENGINES:
        p = small()
        session = p.session(4, engine=engine, optimizer=Signs(), regularization=cases.REGULARIZATIONS[way])
        objectives = session.advance(stretch(0.01, frozenset({3}))).objectives
        average = p.network.params if session.average is None else session.average
        found.append((p.network.params, objectives, average))
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-10, atol=1e-12)


# accumulation ---------------------------------------------------------------------------------------------------------


@EVERY_ENGINE
@EVERY_WAY
@pytest.mark.parametrize("record_examples", [False, True])
def test_accumulated_batches_are_one_batch_as_large(engine, way, record_examples):
    how, found = cases.REGULARIZATIONS[way], []
    for pass_size in (None, 3):
        p = small()
        task = replace(
            p.task(8, seed=SEED, regularization=how, record_examples=record_examples, weight=np.arange(23) / 11),
            pass_size=pass_size,
        )
        session = open_session(engine, task)
        advance = session.advance(Stretch(np.arange(23), 8, 0, 3, 0, 0, 0.2))
        seen = advance.examples
        said = [] if seen is None else [seen.losses, seen.squared_norms]
        found.append([p.network.params, advance.objectives, *said])
        assert len(advance.objectives) == 3  # a step is an update; the last one has 7 examples
    for parts, whole in zip(*found, strict=True):
        np.testing.assert_allclose(parts, whole, rtol=1e-10, atol=1e-13)


def test_accumulation_needs_no_more_memory_than_its_batches():
    p = small()
    session: Any = open_session("native", replace(p.task(23), pass_size=3))
    assert session.capacity == 3


# bits -----------------------------------------------------------------------------------------------------------------


def advanced(p: Problem, crew: int, how: cases.Regularization, parts: tuple[int, ...], batch_size: int = 29) -> Any:
    """The bits that an epoch leaves behind, its steps asked for in parts."""
    case, first, objectives = cases.OPTIMIZERS["adam with decay"], 0, []
    given: dict[str, Any] = {"record_examples": not p.network.coupled, "regularization": possible(p, how)}
    session = p.crewed(crew, batch_size, optimizer=case.optimizer, seed=8, **given)
    for count in parts:
        advance = session.advance(Stretch(np.arange(ROWS)[::-1], batch_size, first, count, 4, first, case.lr))
        objectives.append(advance.objectives)
        session.losses(session.examples, np.arange(9))  # looking disturbs nothing
        if count == 1:
            assert (session.average is None) == (how.average is None)
        first += count
    averages = [] if session.average is None else [session.average]
    return bits(session.params, *session.state.values(), *averages, np.concatenate(objectives))


@EVERY_WAY
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_depend_neither_on_threads_nor_on_how_steps_are_asked_for(way, name, dtype):
    how = cases.REGULARIZATIONS[way]
    expected = advanced(made(name, dtype), 1, how, (5,))
    assert advanced(made(name, dtype), 3, how, (2, 1, 2)) == expected


@pytest.mark.parametrize("crew", CREWS)
def test_nor_on_how_many_threads_there_are(crew):
    how = cases.REGULARIZATIONS["all of it"]
    assert advanced(made("wide", "float32"), crew, how, (5,)) == advanced(made("wide", "float32"), 1, how, (5,))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_neither_do_those_of_small_batches(name, batch_size):
    how, steps = cases.REGULARIZATIONS["all of it"], -(-ROWS // batch_size)
    expected = advanced(made(name, "float32"), 1, how, (steps,), batch_size)
    assert advanced(made(name, "float32"), 3, how, (steps,), batch_size) == expected


def test_chunks_give_the_same_bits_for_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(native, "CHUNK", 11)
    how = cases.REGULARIZATIONS["all of it"]
    assert advanced(made("odd", "float32"), 3, how, (5,)) == advanced(made("odd", "float32"), 1, how, (5,))


def test_options_that_change_nothing_change_no_bits():
    found = []
    for how in (cases.Regularization(), cases.REGULARIZATIONS["never clipped"], cases.Regularization(average=0.9)):
        p = made("odd", "float32")
        session = p.crewed(2, 29, seed=8, regularization=how)
        session.advance(Stretch(np.arange(ROWS), 29, 0, 5, 0, 0, 0.1))
        session.losses(Examples(row_source(p.x), session.examples.y), np.arange(3))
        found.append(p.network.params.tobytes())
    assert len(set(found)) == 1
