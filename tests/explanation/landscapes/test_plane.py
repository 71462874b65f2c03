"""The plane lies closest to the paths, and projects as planes do."""

import numpy as np
import pytest

from backlight.explanation.landscapes.plane import Plane, filter_normalised, main_plane, random_plane
from backlight.network import Activation, BatchNorm, Dense, Network

NETWORK = Network.mlp(3, 4, 2, seed=1, dtype="float64")
SIZE = NETWORK.params.size


def path(points: int, seed: int = 0, rank: int = SIZE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return NETWORK.params + np.cumsum(rng.normal(size=(points, rank)), axis=0) @ rng.normal(size=(rank, SIZE))


def by_definition(paths: list[np.ndarray], directions: np.ndarray) -> float:
    """The mean squared distance from the plane through the first path's end, every path counting alike."""
    centre = paths[0][-1]
    basis = np.linalg.qr(directions.T)[0]
    means = []
    for points in paths:
        ways = points - centre
        means.append(((ways - ways @ basis @ basis.T) ** 2).sum(axis=1).mean())
    return float(sum(means))


@pytest.mark.parametrize("lengths", [(9,), (9, 30), (3, 40, 7)])
def test_no_other_plane_through_the_end_lies_closer(lengths: tuple[int, ...]) -> None:
    paths = [path(length, seed) for seed, length in enumerate(lengths)]
    plane = main_plane(NETWORK, paths, 0)
    least = by_definition(paths, plane.directions)
    ways = np.concatenate([(points - paths[0][-1]) / np.sqrt(len(points)) for points in paths])
    singular = np.linalg.svd(ways)[1] ** 2
    assert least == pytest.approx(singular[2:].sum(), rel=1e-9)
    assert plane.shares == pytest.approx(tuple(singular[:2] / singular.sum()), rel=1e-9)
    assert sum(plane.shares) == pytest.approx(1 - least / singular.sum(), rel=1e-9)
    rng = np.random.default_rng(9)
    for _ in range(20):
        assert least < by_definition(paths, plane.directions + 0.01 * rng.normal(size=(2, SIZE)))


def test_directions_are_at_right_angles_and_of_length_1() -> None:
    plane = main_plane(NETWORK, [path(20)], 0)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    places, _ = plane.project(path(20))
    assert places[0, 0] < 0
    assert places[np.abs(places[:, 1]).argmax(), 1] > 0


def test_projection_is_least_squares() -> None:
    rng = np.random.default_rng(3)
    plane = Plane(rng.normal(size=SIZE), rng.normal(size=(2, SIZE)), (), (0.0, 0.0), 2)
    points = rng.normal(size=(5, SIZE))
    places, distances = plane.project(points)
    for point, place, distance in zip(points, places, distances, strict=True):
        found, squares, *_ = np.linalg.lstsq(plane.directions.T, point - plane.centre, rcond=None)
        np.testing.assert_allclose(place, found, rtol=1e-9)
        assert distance == pytest.approx(np.sqrt(squares[0]), rel=1e-9)
        assert np.linalg.norm(point - plane.at(*place)) == pytest.approx(distance, rel=1e-9)


@pytest.mark.parametrize(("points", "rank", "drawn"), [(1, SIZE, 2), (2, SIZE, 1), (9, 1, 1), (9, 2, 0)])
def test_missing_directions_are_drawn(points: int, rank: int, drawn: int) -> None:
    plane = main_plane(NETWORK, [path(points, rank=rank)], 0)
    assert plane.drawn == drawn
    assert sum(plane.shares) == pytest.approx(float(drawn < 2))
    assert abs(plane.directions[0] @ plane.directions[1]) < 1e-9
    assert plane.project(path(points, rank=rank))[1] == pytest.approx(0.0, abs=1e-9)


def test_nothing_moved_at_all() -> None:
    plane = main_plane(NETWORK, [np.tile(NETWORK.params, (5, 1))], 0)
    assert (plane.drawn, plane.shares) == (2, (0.0, 0.0))
    nothing = Network([Dense(2, 2)], seed=None)
    empty = main_plane(nothing, [np.zeros((3, 6), np.float32)], 0)
    assert np.isfinite(empty.directions).all()
    assert empty.project(np.ones((1, 6)))[1] == pytest.approx(6**0.5)


def test_random_directions_are_as_long_as_each_units_weights() -> None:
    for k in range(2):
        direction = filter_normalised(NETWORK, NETWORK.params, 7, k, frozenset({2}))
        first, last = NETWORK.layers[0], NETWORK.layers[2]
        assert isinstance(first, Dense)
        assert isinstance(last, Dense)
        rows = direction[: first.W.size].reshape(first.W.shape)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.linalg.norm(first.W, axis=1), rtol=1e-12)
        assert not direction[first.W.size :].any()  # biases, and the frozen layer
    a, b = (filter_normalised(NETWORK, NETWORK.params, 7, k, frozenset()) for k in range(2))
    assert abs(a @ b) < 0.9 * np.linalg.norm(a) * np.linalg.norm(b)


def test_a_random_plane_holds_little_of_a_path_and_says_so() -> None:
    points = path(30)
    plane = random_plane(NETWORK, [points], 4)
    _, distances = plane.project(points)
    whole = ((points - points[-1]) ** 2).sum(axis=1).mean()
    assert sum(plane.shares) == pytest.approx(1 - (distances**2).mean() / whole, rel=1e-9)
    assert (plane.directions == random_plane(NETWORK, [points], 4).directions).all()
    assert (plane.directions != random_plane(NETWORK, [points], 5).directions).any()


def test_running_statistics_go_along_and_count_in_no_distance() -> None:
    network = Network([Dense(2, 2), BatchNorm(2), Activation("relu"), Dense(2, 2)], seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    points = network.params + np.cumsum(rng.normal(size=(12, network.params.size)), axis=0)
    (statistics,) = network.statistics
    points[:, statistics] *= 1e3
    plane = main_plane(network, [points], 0)
    learnt = np.delete(points - points[-1], np.r_[statistics], axis=1)
    singular = np.linalg.svd(learnt)[1] ** 2
    assert plane.shares == pytest.approx(tuple(singular[:2] / singular.sum()), rel=1e-9)
    _, distances = plane.project(points)
    assert (distances**2).sum() == pytest.approx(singular[2:].sum(), rel=1e-9)
    assert plane.directions[:, statistics].any()
    variances = slice(statistics.start + 2, statistics.stop)
    far = plane.at(*(-1e4 * plane.directions[:, variances][:, 0]))
    assert far[variances].min() == 0.0
    np.testing.assert_array_equal(plane.at(0.3, 0.4, 5), plane.at(0.3, 0.4)[5:])
