from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backlight.data.dataset import PARTS
from backlight.data.splits import split, split_as_told, split_groups, split_in_order
from backlight.errors import InputError

fractions = st.floats(0.0, 0.49)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), fractions, fractions, st.integers(0, 2**64 - 1))
def test_parts_are_disjoint_cover_everything_and_ascend(codes: Any, validation: Any, test: Any, seed: int) -> None:
    parts = split(len(codes), validation=validation, test=test, seed=seed, classes=np.array(codes))
    assert tuple(parts) == PARTS
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(codes)))
    for rows in parts.values():
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), fractions, fractions, st.integers(0, 2**64 - 1))
def test_every_class_is_learnt_from_and_spread_in_proportion(codes: Any, validation: Any, test: Any, seed: int) -> None:
    classes = np.array(codes)
    parts = split(len(codes), validation=validation, test=test, seed=seed, classes=classes)
    assert set(classes[parts["train"]]) == set(codes)
    for code, size in zip(*np.unique(classes, return_counts=True), strict=True):
        assert abs(int((classes[parts["test"]] == code).sum()) - test * size) < 1 + 1e-9
        got = int((classes[parts["validation"]] == code).sum())
        assert validation * size - 2 < got < validation * size + 1 + 1e-9


@given(st.lists(st.integers(5, 60), min_size=1, max_size=8), st.integers(0, 1000))
def test_totals_match_the_fractions_when_the_classes_leave_room(sizes: Any, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    parts = split(len(classes), validation=0.15, test=0.15, seed=seed, classes=classes)
    expected = int(0.15 * len(classes) + 0.5)
    assert len(parts["test"]) == expected
    assert len(parts["validation"]) == expected


@given(st.integers(1, 300), st.integers(0, 1000), st.floats(0, 0.4))
def test_the_test_part_does_not_depend_on_validation(count: Any, seed: int, validation: Any) -> None:
    one = split(count, validation=0.0, test=0.3, seed=seed)
    other = split(count, validation=validation, test=0.3, seed=seed)
    assert np.array_equal(one["test"], other["test"])
    assert set(other["train"]) <= set(one["train"])


def test_same_seed_same_rows_and_another_seed_other_rows() -> None:
    def rows(seed: int) -> list[int]:
        return list(split(1000, validation=0.15, test=0.15, seed=seed)["test"])

    assert rows(3) == rows(3)
    assert rows(3) != rows(4)


def test_rows_of_a_known_split() -> None:
    """Fixed values: were they to change, every seed would mean another split than before."""
    parts = split(20, validation=0.15, test=0.15, seed=0, classes=np.arange(20) % 2)
    assert {part: rows.tolist() for part, rows in parts.items() if part != "train"} == {
        "validation": [2, 4, 13],
        "test": [0, 10, 11],
    }


def test_a_class_with_one_example_is_learnt_from() -> None:
    classes = np.array([0] * 40 + [1])
    for seed in range(20):
        assert 40 in split(41, validation=0.45, test=0.45, seed=seed, classes=classes)["train"]


def test_either_part_may_be_empty() -> None:
    parts = split(10, validation=0, test=0, seed=0)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 10, "validation": 0, "test": 0}


@pytest.mark.parametrize(
    ("count", "validation", "test", "words"),
    [
        (10, -0.1, 0.1, "validation is -0.1; it must be a fraction of the rows from 0 to 0.9"),
        (10, 0.1, 0.95, "test is 0.95; it must be"),
        (10, float("nan"), 0.1, "validation is nan; it must be"),
        (10, 0.5, 0.5, "together leave nothing to learn from"),
        (0, 0.1, 0.1, "no rows with a target"),
    ],
)
def test_impossible_splits(count: Any, validation: Any, test: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        split(count, validation=validation, test=test, seed=0)


@given(st.lists(st.integers(0, 12), min_size=3, max_size=80), st.integers(0, 1000))
def test_groups_are_never_torn_apart(groups: Any, seed: int) -> None:
    codes = np.unique(groups, return_inverse=True)[1]
    if codes.max() < 2:
        return
    parts = split_groups(codes, validation=0.2, test=0.2, seed=seed)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(codes)))
    held = [set(codes[rows].tolist()) for rows in parts.values()]
    assert all(held)
    assert sum(map(len, held)) == codes.max() + 1


def test_a_group_that_is_the_whole_table_is_refused() -> None:
    with pytest.raises(InputError, match="has one group, the whole table, and 3 parts need at least as many groups"):
        split_groups(np.zeros(9, np.int64), validation=0.2, test=0.2, seed=0)
    with pytest.raises(InputError, match="has 2 groups, and 3 parts need"):
        split_groups(np.arange(9) % 2, validation=0.2, test=0.2, seed=0)
    alone = split_groups(np.zeros(9, np.int64), validation=0.0, test=0.0, seed=0)
    assert len(alone["train"]) == 9


@given(st.lists(st.integers(0, 30), min_size=5, max_size=80), st.floats(0, 0.4), st.floats(0, 0.4))
def test_time_never_runs_backwards(moments: Any, validation: float, test: float) -> None:
    when = np.array(moments, np.float64)
    held = int(validation * len(when) + 0.5) + int(test * len(when) + 0.5)
    if held and np.sort(when)[len(when) - held] == when.min():
        with pytest.raises(InputError, match="of the same moment"):
            split_in_order(when, validation=validation, test=test)
        return
    try:
        parts = split_in_order(when, validation=validation, test=test)
    except InputError:  # ties moved the bounds to the earliest moment
        return
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(when)))
    before, between, after = (when[parts[part]] for part in PARTS)
    assert len(before)
    assert before.max() < min([*between, *after, np.inf])
    assert max([-np.inf, *between]) < min([*after, np.inf])


def test_words_for_parts() -> None:
    words = ["TRAIN", " fit", "dev", "Validation", "hold-out", "testing"]
    parts = split_as_told(words, np.arange(6), "part")
    assert {part: rows.tolist() for part, rows in parts.items()} == {
        "train": [0, 1], "validation": [2, 3], "test": [4, 5]
    }  # fmt: skip
    with pytest.raises(InputError, match="column 'part' holds 'trian', which names no part"):
        split_as_told(["trian"], np.zeros(3, np.int64), "part")
    with pytest.raises(InputError, match="column 'part' is empty in row 1"):
        split_as_told(["train"], np.array([0, -1]), "part")
    with pytest.raises(InputError, match="puts no row into the training part"):
        split_as_told(["test"], np.zeros(3, np.int64), "part")
