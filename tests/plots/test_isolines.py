"""Isolines enclose what is not above their level, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from backlight.plots.isolines import Ring, levels, rings


def area(ring: Ring) -> float:
    x, y = np.array(ring).T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def inside(found: list[Ring], x: float, y: float) -> bool:
    """Whether a point lies within an odd number of rings: a ray to the right crosses them that often."""
    crossings = 0
    for ring in found:
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                crossings += 1
    return crossings % 2 == 1


def bowl(points: int = 81) -> np.ndarray:
    side = np.linspace(-1, 1, points)
    return side[None, :] ** 2 + side[:, None] ** 2


def test_the_isoline_of_a_bowl_is_a_circle() -> None:
    (ring,) = rings(bowl(), 0.25)
    distances = np.hypot(*(np.array(ring) - 0.5).T)
    assert distances == pytest.approx(0.25, abs=3e-4)
    assert area(ring) == pytest.approx(np.pi / 16, rel=2e-3)


def test_what_reaches_a_border_goes_along_it() -> None:
    (ring,) = rings(bowl(), 1.5)
    assert area(ring) == pytest.approx(1 - (4 - area_of_disc_and_square(1.5)) / 4, rel=2e-3)
    assert np.array(ring).min() == 0.0
    assert np.array(ring).max() == 1.0


def area_of_disc_and_square(squared_radius: float) -> float:
    side = np.linspace(-1, 1, 2001)
    return 4 * float((side[None, :] ** 2 + side[:, None] ** 2 <= squared_radius).mean())


def test_a_hill_in_a_hollow_is_a_hole() -> None:
    outer, inner = sorted(rings(np.abs(bowl() - 0.5), 0.2), key=area, reverse=True)
    assert area(outer) == pytest.approx(np.pi * 0.7 / 4, rel=2e-3)
    assert area(inner) == pytest.approx(np.pi * 0.3 / 4, rel=2e-3)


@pytest.mark.parametrize(("middle", "count"), [(0.0, 1), (1.0, 2)])
def test_saddles_follow_the_mean_of_their_corners(middle: float, count: int) -> None:
    heights = np.full((4, 4), 9.0)
    heights[1:3, 1:3] = [[0.0, 1.0 + middle], [1.0 + middle, 0.0]]
    assert len(rings(heights, 0.75)) == count


def test_all_and_nothing() -> None:
    assert rings(bowl(), -1.0) == []
    assert [area(ring) for ring in rings(bowl(), 3.0)] == [1.0]
    assert rings(np.full((3, 3), np.nan), 1.0) == []


@given(arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=7), elements=st.integers(0, 5)))
def test_the_places_of_a_grid_lie_on_their_side(values: np.ndarray) -> None:
    heights, height, width = values.astype(float), values.shape[0] - 1, values.shape[1] - 1
    found = rings(heights, 2.5)
    for row, column in np.ndindex(*values.shape):
        x = min(max(column / width, 1e-9), 1 - 1e-9)
        y = min(max(row / height, 1e-9), 1 - 1e-9)
        assert inside(found, x, y) == (values[row, column] <= 2), (row, column)


def test_levels_grow_and_lie_within() -> None:
    for heights in (bowl(), 1000 + bowl(), 1e-6 * bowl() - 3, np.exp(9 * bowl())):
        found = levels(heights)
        assert len(found) == 12
        assert np.all(np.diff(found) > 0)
        assert heights.min() < found[0]
        assert found[-1] <= heights.max()
    assert levels(np.full((2, 2), np.inf)) == ()
    assert len(levels(np.array([[1.0, np.nan], [np.inf, 2.0]]))) == 12
