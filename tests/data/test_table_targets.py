from typing import Any

import numpy as np
import pytest

from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.targets import read_targets
from backlight.data.targets import Classes, Quantities, SeveralClasses
from backlight.errors import InputError

nan = np.nan


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values, np.float64))


def read(*columns: Cells, task: str | None = None) -> Any:
    return read_targets({f"t{k}": cells for k, cells in enumerate(columns)}, task, "t.csv")


def test_whole_numbers_with_gaps_are_classes_in_their_order() -> None:
    raw = read(numbers(*[99, 3, nan, 7] * 5))
    assert raw.classes == (Classes(("3", "7", "99"), "t0"),)
    assert raw.values[:4, 0].tolist() == [2, 0, -1, 1]
    assert raw.labelled.tolist() == [i for i in range(20) if i % 4 != 2]


def test_several_classes_are_stratified_by_their_combinations_if_they_are_few() -> None:
    one, other = Texts.of(["a", "b"] * 50), Texts.of(["x", "x", "y", "y"] * 25)
    raw = read(one, other)
    assert raw.strata is not None
    assert len(np.unique(raw.strata)) == 4
    target, y = raw.fit(np.arange(100), standardised=True)
    assert isinstance(target, SeveralClasses)
    assert target.sizes == (2, 2)
    assert y[:3].tolist() == [[0, 0], [1, 0], [0, 1]]
    many = read(Texts.of([f"k{i % 13}" for i in range(100)]), Texts.of([f"m{i % 7}" for i in range(100)]))
    assert many.strata is None


def test_a_row_needs_every_target() -> None:
    raw = read(numbers(0.5, nan, 1.5, 2.5), numbers(1, 2, nan, 4), task="regression")
    assert raw.labelled.tolist() == [0, 3]
    target, y = raw.fit(raw.labelled, standardised=True)
    assert isinstance(target, Quantities)
    assert np.allclose(y[[0, 3]], [[-1, -1], [1, 1]])
    assert np.isnan(y[1, 0])
    assert raw.strata is None


@pytest.mark.parametrize(
    ("columns", "task", "words"),
    [
        ((Texts.of(["a", "b"] * 9), numbers(*np.arange(18) / 4)), None, "'t0' has classes and 't1' is a quantity"),
        ((Moments(np.arange(9.0)),), None, "t.csv: the target 't0' holds dates, which cannot be predicted"),
        ((numbers(nan, nan),), None, "the target 't0' has no values; choose another target"),
        ((Texts.of([None, None]),), None, "the target 't0' has no values"),
        ((Texts.of(["a", "b"] * 9),), "regression", "holds text such as 'a'; regression needs numbers"),
        ((Texts.of([f"k{i}" for i in range(60)]),), None, "60 different values in 60 rows, too many for classes"),
        ((numbers(*np.arange(60)),), "classification", "60 different values in 60 rows, too many for classes"),
        ((Texts.of(["a"] * 9),), None, "'a' in every row, and one class gives nothing to learn"),
    ],
)
def test_targets_that_cannot_be(columns: Any, task: str | None, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(*columns, task=task)
    assert words in str(caught.value)


def test_one_class_in_the_training_part_is_refused() -> None:
    raw = read(Texts.of(["a"] * 5 + ["b"] * 5))
    with pytest.raises(InputError, match="'a' in every row of the training part"):
        raw.fit(np.arange(5), standardised=True)
