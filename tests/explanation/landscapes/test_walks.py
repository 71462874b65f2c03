"""Walks are trainings, thinned; they end in the very bits."""

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.explanation.landscapes.walks import MOST_BYTES, moments, room, walk
from backlight.network import Network
from backlight.training import Trainer, Training


def begun(**given: object) -> Training:
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    network = Network.mlp(3, 4, 2, seed=0)
    return Trainer(network, **{"batch_size": 3, "epochs": 50, **given}).start(x, (x[:, 0] > 0).astype(np.int64))  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [2, 10, 100, 1000])
def test_every_point_is_that_of_its_step(most: int) -> None:
    walked = walk(begun(), 70, "path", most)
    assert len(walked.steps) <= max(most, 71)
    assert (walked.steps[0], walked.steps[-1]) == (0, 70)
    again = begun()
    for step, point in zip(walked.steps.tolist(), walked.points, strict=True):
        again.advance_to(step)
        assert point.tobytes() == again.network.params.tobytes()
    assert walked.seconds > 0


def test_moments_are_few_and_closest_at_the_beginning() -> None:
    for last in (0, 1, 7, 99, 100, 1000, 10**6):
        found = moments(last, 100)
        assert len(found) == min(last + 1, len(found)) <= 100
        assert (found[0], found[-1]) == (0, last)
        assert (np.diff(found) > 0).all()
    gaps = np.diff(moments(10**6, 100))
    assert gaps[0] < gaps[-1] / 50


def test_memory_stays_bounded() -> None:
    for size in (10, 10**4, 10**6, 10**7, 10**9):
        for paths in (1, 3):
            points = room(size, 4, paths)
            assert points == 2 or points * size * 4 * paths <= MOST_BYTES


def test_a_walk_that_diverges_ends_where_it_did() -> None:
    walked = walk(begun(optimizer="sgd", lr=1e25, loss="cross_entropy"), 100, "wild")
    assert walked.diverged
    assert walked.steps[-1] < 100
    assert np.isfinite(walked.points).all()


def test_a_walk_begins_at_the_beginning() -> None:
    training = begun()
    training.advance_to(1)
    with pytest.raises(InputError, match="stands at step 1"):
        walk(training, 5, "late")
