"""Both engines vary examples alike, in training alone, whatever the threads, the batch or the type of the pixels."""

import math
from typing import Any

import numpy as np
import pytest

from backlight.data.augment import Augmentation
from backlight.engine import Stretch, native
from backlight.network import Activation, Dense, Network
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem
from tests.engine.test_bits import bits

SHAPES = ((1, 1), (3, 5, 3), (28, 28), (64, 64, 3), (7, 33), (17, 2, 1))
SEED, EPOCH, ROWS = 2**40 + 4, 3, 9
GROUPS = (0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 4)
NOISY = (True, False, True, True, False, True, True, True, False, True, False)
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}


def images(shape: tuple[int, ...], kind: str, rows: int = ROWS) -> Any:
    """Noise, so that every place is another's; every engine's worst case."""
    x = np.random.default_rng(1).random((rows, math.prod(shape)))
    return np.rint(255 * x).astype(np.uint8) if kind == "uint8" else x.astype(kind)


def problem(x: Any, dtype: Any = "float32", *widths: int) -> Problem:
    network = Network.mlp(x.shape[1], *(widths or (4,)), 3, seed=1, dtype=dtype)
    return Problem(network, "cross_entropy", x, np.arange(len(x)) % 3)


def seen(p: Problem, engine: str, augmentation: Augmentation, rows: Any = None, epoch: int | None = EPOCH) -> Any:
    """The inputs that the first layer hears."""
    session = p.session(ROWS, engine=engine, seed=SEED, augmentation=augmentation)
    return session.deltas(np.arange(ROWS) if rows is None else rows, epoch).incoming[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("given", cases.IMAGE_AUGMENTATIONS)
def test_engines_agree_on_images(shape, given):
    augmentation = Augmentation(shape, **cases.IMAGE_AUGMENTATIONS[given])
    for dtype, tolerance in TOLERANCE.items():
        for kind in ("uint8", "float32", "float64"):
            p = problem(images(shape, kind), dtype)
            own, expected = (seen(p, engine, augmentation) for engine in cases.ENGINES)
            assert own.dtype == expected.dtype == dtype
            np.testing.assert_allclose(own, expected, rtol=0, atol=tolerance * max(1, max(shape) / 28))


@pytest.mark.parametrize("given", cases.TABLE_AUGMENTATIONS)
@pytest.mark.parametrize("grouped", [False, True])
def test_engines_agree_on_tables(given, grouped):
    places: dict[str, Any] = {"column": GROUPS, "noisy": NOISY} if grouped else {}
    augmentation = Augmentation(**cases.TABLE_AUGMENTATIONS[given], **places)
    for dtype in TOLERANCE:
        p = problem(cases.some((ROWS, len(GROUPS)), 2).astype(dtype), dtype)
        own, expected = (seen(p, engine, augmentation) for engine in cases.ENGINES)
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)
        assert (own != p.x).any()


@EVERY_ENGINE
@pytest.mark.parametrize("given", [name for name in cases.IMAGE_AUGMENTATIONS if name != "nothing"])
def test_a_row_is_varied_by_seed_epoch_and_its_number_alone(engine, given):
    p, augmentation = problem(images((9, 12), "uint8")), Augmentation((9, 12), **cases.IMAGE_AUGMENTATIONS[given])
    every = seen(p, engine, augmentation)
    some = np.array([7, 0, 7])
    assert np.array_equal(seen(p, engine, augmentation, some), every[some])
    assert (seen(p, engine, augmentation, epoch=EPOCH + 1) != every).any()
    other = p.session(ROWS, engine=engine, seed=SEED + 1, augmentation=augmentation)
    assert (other.deltas(np.arange(ROWS), EPOCH).incoming[0] != every).any()
    twins = Problem(p.network, p.loss, np.repeat(p.x[:1], ROWS, axis=0), p.y)
    assert len(np.unique(seen(twins, engine, augmentation), axis=0)) > 1


@EVERY_ENGINE
def test_nothing_but_training_is_varied(engine):
    p, rows = problem(images((9, 12), "uint8")), np.arange(ROWS)
    plain = p.session(ROWS, engine=engine)
    session = p.session(ROWS, engine=engine, augmentation=Augmentation((9, 12), rotate=30, noise=0.3))
    for own, expected in (
        (session.losses(session.examples), plain.losses(plain.examples)),
        (session.gradients(rows), plain.gradients(rows)),
        ((session.outputs(session.examples.source), seen(p, engine, Augmentation((9, 12), noise=1.0), epoch=None)),
         (plain.outputs(plain.examples.source), plain.deltas(rows).incoming[0])),
    ):  # fmt: skip
        assert all(np.array_equal(a, b) for a, b in zip(own, expected, strict=True))


@EVERY_ENGINE
def test_gradients_are_those_of_the_varied_examples(engine):
    p = problem(images((9, 12), "uint8"), "float64", 8)
    augmentation = Augmentation((9, 12), **cases.IMAGE_AUGMENTATIONS["all"])
    x = augmentation.changed(p.x / 255.0, seed=SEED, epoch=EPOCH, rows=np.arange(ROWS))
    losses, grads = p.session(ROWS, engine=engine, seed=SEED, augmentation=augmentation).gradients(
        np.arange(ROWS), EPOCH
    )
    expected = Problem(p.network, p.loss, x, p.y).session(ROWS).gradients(np.arange(ROWS))
    np.testing.assert_allclose(losses, expected[0], rtol=1e-10)
    np.testing.assert_allclose(grads, expected[1], rtol=1e-9, atol=1e-12)


# threads --------------------------------------------------------------------------------------------------------------


def _trained(p: Problem, crew: int, augmentation: Augmentation, batch_size: int = 40) -> tuple[bytes, ...]:
    session = p.copied().crewed(crew, batch_size, seed=SEED, augmentation=augmentation, record_examples=True)
    count, found, order = len(p.x), [], np.random.default_rng(2).permutation(len(p.x))
    for epoch in range(2):
        steps = -(-count // batch_size)
        examples = session.advance(Stretch(order, batch_size, 0, steps, epoch, epoch * steps, 0.1)).examples
        assert examples is not None
        deltas = session.deltas(order[:50], epoch)
        found += [session.params, examples.losses, examples.squared_norms, *deltas.incoming.values(), deltas.outputs]
        found += session.gradients(order[:7], epoch)
    return bits(*found)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("first", [4, 50])  # of so many inputs, four units are cut
@pytest.mark.parametrize("given", ["affine", "elastic", "all"])
def test_training_gives_the_same_bits_for_any_number_of_threads(dtype, first, given):
    p = problem(images((19, 17), "uint8", 101), dtype, first)
    augmentation = Augmentation((19, 17), **cases.IMAGE_AUGMENTATIONS[given])
    expected = _trained(p, 1, augmentation)
    assert all(_trained(p, crew, augmentation) == expected for crew in (2, 3))


def test_so_do_tables_and_batches_in_chunks(monkeypatch):
    monkeypatch.setattr(native, "CHUNK", 11)
    p = problem(cases.some((101, len(GROUPS)), 2).astype("float32"), "float32", 30)
    augmentation = Augmentation(noise=0.1, columns=0.2, column=GROUPS, noisy=NOISY)
    assert _trained(p, 1, augmentation) == _trained(p, 3, augmentation)


@pytest.mark.parametrize("batch_size", [1, 16, 101])
def test_training_agrees_with_the_reference(batch_size):
    x, augmentation = images((19, 17), "uint8", 101), Augmentation((19, 17), **cases.IMAGE_AUGMENTATIONS["all"])
    found = []
    for engine in cases.ENGINES:
        network = Network([Dense(323, 20), Activation("tanh"), Dense(20, 3), Activation("softmax")], dtype="float64")
        p = Problem(network, "cross_entropy", x, np.arange(101) % 3)
        session = p.session(batch_size, engine=engine, seed=SEED, augmentation=augmentation)
        for epoch in range(2):
            steps = -(-101 // batch_size)
            session.advance(Stretch(np.arange(101)[::-1], batch_size, 0, steps, epoch, epoch * steps, 0.1))
        found.append(network.params)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-10)
