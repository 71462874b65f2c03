"""Normalised networks with penalties, clipping, averages, accumulation and augmentation: by their definitions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backlight.arrays import Floats, Ints
from backlight.data.augment import Augmentation
from backlight.engine import Stretch, open_session
from backlight.errors import InputError
from backlight.network import BatchNorm
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem
from tests.engine.test_normalisation import NORMED, ROWS, SEED, Twice, trained
from tests.engine.test_regularization import possible, smoothed

pytestmark = EVERY_ENGINE
EVERY_NORM = pytest.mark.parametrize("layers", NORMED)
BATCH, STEPS = 9, 3  # of a step's 9 examples 4, 4 and 1 pass at once where batches are accumulated
WEIGHT = 0.5 + np.arange(ROWS) / ROWS


def gradient_of(p: Problem, network: Any, rows: Ints, how: cases.Regularization, frozen: frozenset[int]) -> Any:
    """The sum over a pass of w_n times the (clipped) gradient of example n, its losses, and what it learns from."""
    trace, learning = trained(network, rows, 1, frozen)
    y, weight = smoothed(p, how.smoothing)[rows], WEIGHT[rows]
    if network.coupled:
        backward = network.backward(trace, y, p.loss, sample_weight=weight)
        gradient = backward.gradient() * len(rows)
    else:
        backward, own = network.backward(trace, y, p.loss), np.zeros((len(rows), network.params.size))
        for index, (grads, place) in enumerate(zip(backward.grads, network.places(), strict=True)):
            still = index in frozen or (index - 1 in frozen and place.start < place.stop)
            if grads is not None and not still:
                parts = [part.reshape(len(rows), -1) for part in grads.per_example()]
                own[:, place] = np.concatenate(parts, axis=1)
        if how.clip_examples is not None:
            own *= np.minimum(1, how.clip_examples / np.linalg.norm(own, axis=1))[:, None]
        gradient = weight @ own
    return gradient, weight @ backward.losses, [(network.layers.index(norm), trace) for norm in learning]


def masks(network: Any, frozen: frozenset[int]) -> tuple[Any, Any]:
    """Which parameters gradients move, and which of them are weights."""
    learn, weights = np.zeros((2, network.params.size), bool)
    for index, layer, place in network.dense_layers():
        learn[place] = index not in frozen
        weights[place.start : place.start + layer.W.size] = index not in frozen
    for index, norm, place in network.norm_layers():
        learn[place.start : place.start + 2 * norm.units] = index - 1 not in frozen
    return learn, weights


def by_hand(
    p: Problem, case: cases.OptimizerCase, how: cases.Regularization, frozen: frozenset[int], pass_size: int
) -> tuple[Floats, Floats, list[float]]:
    """Parameters, their average and the objectives of some steps."""
    network, given, visited, objectives = p.network.copy(), [], [], []
    learn, weights = masks(network, frozen)
    for step in range(STEPS):
        rows, start = np.arange(ROWS)[::-1][step * BATCH :][:BATCH], network.copy()
        W, g, losses = network.params[weights], np.zeros(network.params.size), 0.0
        for first in range(0, len(rows), pass_size):
            gradient, said, learning = gradient_of(p, start, rows[first : first + pass_size], how, frozen)
            g, losses = g + gradient / len(rows), losses + said / len(rows)
            for index, trace in learning:
                network.layers[index].learn_statistics(trace.caches[index])
        objectives.append(losses + how.l1 * abs(W).sum() + how.l2 * (W**2).sum() / 2)
        g[weights] += how.l1 * np.sign(W) + how.l2 * W
        g *= learn
        if how.clip is not None:
            g *= min(1.0, how.clip / float(np.linalg.norm(g)))
        given.append(g)
        decay = case.lr * case.optimizer.weight_decay * network.params * weights
        network.params[...] += (case.update(given, case.lr) - decay) * learn
        visited.append(network.params.copy())
    kept = (how.average or 0.0) ** np.arange(STEPS - 1.0, -1.0, -1.0)
    return network.params, kept @ np.array(visited) / kept.sum(), objectives


@EVERY_NORM
@pytest.mark.parametrize("way", cases.REGULARIZATIONS)
@pytest.mark.parametrize(
    ("name", "frozen", "pass_size"), [("sgd with decay", set(), None), ("momentum", set(), 4), ("momentum", {0}, 4)]
)
def test_steps_are_those_of_the_definition(engine, layers, way, name, frozen, pass_size):
    p, case, frozen = problem(layers), cases.OPTIMIZERS[name], frozenset(frozen)
    how = possible(p, cases.REGULARIZATIONS[way])
    params, average, objectives = by_hand(p, case, how, frozen, pass_size or BATCH)
    task = p.task(BATCH, optimizer=case.optimizer, seed=SEED, weight=WEIGHT, regularization=how)
    session = open_session(engine, replace(task, pass_size=pass_size))
    advance = session.advance(Stretch(np.arange(ROWS)[::-1], BATCH, 0, STEPS, 1, 0, case.lr, None, frozen))
    np.testing.assert_allclose(p.network.params, params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(advance.objectives, objectives, rtol=1e-11)
    if how.average is not None:
        np.testing.assert_allclose(session.average, average, rtol=1e-9, atol=1e-11)  # type: ignore[arg-type]


@EVERY_NORM
@pytest.mark.parametrize("pass_size", [None, 4])
def test_an_optimizer_of_ones_own(engine, layers, pass_size):
    p, own = problem(layers), cases.OptimizerCase(Twice(), 0.1, lambda gs, lr: -2.0 * lr * gs[-1])  # type: ignore[arg-type]
    how = possible(p, cases.REGULARIZATIONS["all of it"])
    params, average, _ = by_hand(p, own, how, frozenset(), pass_size or BATCH)
    task = p.task(BATCH, optimizer=own.optimizer, seed=SEED, weight=WEIGHT, regularization=how)
    session = open_session(engine, replace(task, pass_size=pass_size))
    session.advance(Stretch(np.arange(ROWS)[::-1], BATCH, 0, STEPS, 1, 0, own.lr))
    np.testing.assert_allclose(p.network.params, params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(session.average, average, rtol=1e-9, atol=1e-11)  # type: ignore[arg-type]


@pytest.mark.parametrize("clip", [None, 0.1])
def test_a_dropped_step_of_several_passes_moves_no_statistics(engine, clip):
    p = problem("batch norm", "identity", "squared")
    p.y[8, 2] = 1e200
    task = p.task(BATCH, regularization=cases.Regularization(clip=clip, average=0.9))
    session, kept = open_session(engine, replace(task, pass_size=4)), p.network.params.copy()
    assert not session.advance(Stretch(np.arange(ROWS), BATCH, 0, 1, 0, 0, 0.001)).finite
    assert np.array_equal(p.network.params, kept)
    assert np.array_equal(session.average, kept)  # type: ignore[arg-type]


@EVERY_NORM
def test_a_gradient_is_asked_for_as_a_step_has_it(engine, layers):
    """With frozen layers, whose part is 0, in passes as the step takes them, and with clipped examples."""
    p, rows, frozen = problem(layers), np.arange(BATCH), frozenset({0})
    how = possible(p, cases.Regularization(clip_examples=0.3))
    learn, _ = masks(p.network, frozen)
    expected = sum(gradient_of(p, p.network, rows[k : k + 4], how, frozen)[0] for k in (0, 4, 8)) / BATCH
    session = open_session(engine, replace(p.task(BATCH, seed=SEED, weight=WEIGHT, regularization=how), pass_size=4))
    kept, everywhere = p.network.params.copy(), session.gradients(rows, 1)[1]
    _, found = session.gradients(rows, 1, frozen=frozen, clip_examples=True)
    np.testing.assert_allclose(found, expected * learn, rtol=1e-9, atol=1e-13)
    assert not np.allclose(found, everywhere * learn, rtol=1e-3)
    assert np.array_equal(p.network.params, kept)


@EVERY_NORM
def test_batches_are_varied_before_they_are_normalised(engine, layers):
    p, augmentation, rows = problem(layers), Augmentation(noise=0.3), np.arange(ROWS)
    varied = augmentation.changed(p.x.copy(), seed=SEED, epoch=2, rows=rows)
    found = p.session(engine=engine, seed=SEED, augmentation=augmentation).gradients(rows, 2)
    expected = Problem(p.network, p.loss, varied, p.y).session(engine=engine, seed=SEED).gradients(rows, 2)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-13)


def test_examples_of_normalised_batches_are_not_clipped(engine):
    p = problem("both norms")
    assert any(isinstance(layer, BatchNorm) for layer in p.network.layers)
    with pytest.raises(InputError, match="examples cannot be clipped one by one while batch normalisation makes each"):
        p.session(5, engine=engine, regularization=cases.Regularization(clip_examples=1.0))
