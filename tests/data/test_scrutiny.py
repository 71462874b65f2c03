from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.scrutiny import Scrutiny, scrutinise

N = 300
RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 3, N)[:, None]
AMOUNTS = RNG.normal(size=N)[:, None]
RARE = (np.arange(N) % 20 == 0).astype(np.int64)[:, None]
NOISE = RNG.normal(size=N)


def look(cells: Cells, y: NDArray[Any], name: str = "c", **options: Any) -> Scrutiny:
    return scrutinise({name: cells}, y, np.arange(N), ["t"] * y.shape[1], **options)


def numbers(values: Any) -> Numbers:
    return Numbers(np.asarray(values, np.float64))


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (numbers(range(N)), "anything"),
        (numbers(range(1000, 1000 + N)), "row"),
        (numbers(RNG.permutation(N)), "id"),
        (numbers(5 * RNG.permutation(N)), "PassengerId"),
        (numbers(7 * np.arange(N)), "customer_id"),
        (numbers(3 * np.arange(N)), "Unnamed: 0"),
    ],
)
def test_identifiers_are_left_out_unless_they_are_kept(cells: Cells, name: str) -> None:
    assert look(cells, CLASSES, name).left_out == {
        name: "it looks like an identifier: a different whole number in every row; --keep uses it"
    }
    assert look(cells, CLASSES, name, keep=[name]) == Scrutiny()


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (numbers(RNG.permutation(N)), "size"),
        (numbers(np.arange(N) / 2), "id"),
        (numbers(np.arange(N) % 250), "id"),
        (numbers([np.nan, *range(1, N)]), "id"),
        (numbers(5 * np.arange(N)), "idle"),
        (numbers(5 * np.arange(N)), "valid"),
    ],
)
def test_what_is_no_identifier(cells: Cells, name: str) -> None:
    assert look(cells, CLASSES, name) == Scrutiny()


@pytest.mark.parametrize(
    ("cells", "y"),
    [
        (Texts.of([str(k) for k in CLASSES[:, 0]]), CLASSES),
        (Texts.of(["xyz"[k] for k in CLASSES[:, 0]]), CLASSES),
        (numbers([[7, 1, 3][k] for k in CLASSES[:, 0]]), CLASSES),
        (numbers(RARE[:, 0]), RARE),
        (numbers(AMOUNTS[:, 0]), AMOUNTS),
        (numbers(40 - 3 * AMOUNTS[:, 0]), AMOUNTS),
        (numbers(40 - 3 * AMOUNTS[:, 0]), np.hstack([NOISE[:, None], AMOUNTS])),
    ],
)
def test_what_says_the_same_as_the_target_is_left_out(cells: Cells, y: Any) -> None:
    assert look(cells, y).left_out == {"c": "it says the same as the target 't'; --keep uses it"}
    assert look(cells, y, keep=["c"]) == Scrutiny()


@pytest.mark.parametrize(
    ("cells", "y"),
    [
        (Texts.of([f"{k}{i % 2}" for i, k in enumerate(CLASSES[:, 0])]), CLASSES),
        (numbers(AMOUNTS[:, 0] + 1e-3 * NOISE), AMOUNTS),
        (numbers(np.where(CLASSES[:, 0] == 1, np.nan, NOISE)), (CLASSES == 1).astype(np.int64)),
        (Moments(np.where(RARE[:, 0] == 1, np.nan, NOISE)), RARE),
    ],
)
def test_what_nearly_tells_the_target_is_warned_of(cells: Cells, y: Any) -> None:
    found = look(cells, y)
    assert not found.left_out
    assert [warning[:40] for warning in found.warnings] == ["'c' alone tells 't' almost without error"]


@pytest.mark.parametrize(
    ("cells", "y"),
    [
        (numbers(NOISE), CLASSES),
        (numbers(NOISE), AMOUNTS),
        (numbers(AMOUNTS[:, 0] + 0.1 * NOISE), AMOUNTS),
        (Texts.of([f"k{i % 9}" for i in range(N)]), CLASSES),
        (Texts.of([f"k{i}" for i in range(N)]), CLASSES),
        (numbers(np.zeros(N)), CLASSES),
        (numbers(RNG.integers(0, 2, N)), RARE),
        (numbers([1.0, *[0.0] * (N - 1)]), np.array([[1], *[[0]] * (N - 1)])),  # one row alone proves nothing
        (numbers(np.full(N, np.nan)), CLASSES),
    ],
)
def test_honest_columns_are_left_alone(cells: Cells, y: Any) -> None:
    assert look(cells, y) == Scrutiny()


def test_only_the_training_part_is_looked_at() -> None:
    values = np.where(np.arange(N) < 200, CLASSES[:, 0], 5.0)
    assert scrutinise({"c": numbers(values)}, CLASSES, np.arange(200), ["t"]).left_out
    assert not scrutinise({"c": numbers(values)}, CLASSES, np.arange(100, N), ["t"]).left_out
