from dataclasses import replace

import numpy as np
import pytest

from backlight.data import Classes, load
from backlight.data.subsets import few_per_class, only_classes
from backlight.errors import InputError

DIGITS = load("digits", seed=3)


def test_only_the_examples_of_some_classes_are_left():
    kept = only_classes(DIGITS, ["7", "2"])
    assert kept.target == Classes(("2", "7"))
    assert kept.x is DIGITS.x
    for part, rows in kept.rows.items():
        own = DIGITS.rows[part]
        assert rows.tolist() == own[np.isin(DIGITS.y[own], [2, 7])].tolist()
        assert (kept.y[rows] == (DIGITS.y[rows] == 7)).all()
    assert kept.unlabelled == 0
    assert kept.set_aside == len(DIGITS.x) - sum(map(len, kept.rows.values()))


def test_rows_without_a_class_stay_without():
    y = DIGITS.y.copy()
    y[DIGITS.rows["train"][0]] = -1
    rows = {**DIGITS.rows, "train": DIGITS.rows["train"][1:]}
    kept = only_classes(replace(DIGITS, y=y, rows=rows), ["0", "1"])
    assert kept.y[DIGITS.rows["train"][0]] == -1
    assert kept.unlabelled == 1


def test_as_many_of_every_class_as_were_asked_for():
    few = few_per_class(DIGITS, 12, seed=5)
    rows = few.rows["train"]
    assert (np.bincount(few.y[rows]) == 12).all()
    assert (np.diff(rows) > 0).all()
    assert np.isin(rows, DIGITS.rows["train"]).all()
    assert few.rows["test"] is DIGITS.rows["test"]
    assert few.unlabelled == 0


def test_more_contain_fewer_and_seeds_differ():
    few, more = (set(few_per_class(DIGITS, count, seed=5).rows["train"].tolist()) for count in (4, 9))
    assert few < more
    assert few != set(few_per_class(DIGITS, 4, seed=6).rows["train"].tolist())


def test_a_class_with_fewer_keeps_all():
    few = few_per_class(DIGITS, 100_000, seed=5)
    assert few.rows["train"].tolist() == DIGITS.rows["train"].tolist()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1", "11"], "--classes names '11', which is no class here; "),
        (["1"], "--classes names 1 class; two at least are needed"),
        (["1", "1"], "--classes names 1 class; two at least are needed"),
    ],
)
def test_impossible_classes_are_refused(names, message):
    with pytest.raises(InputError, match=message):
        only_classes(DIGITS, names)


def test_data_without_classes_are_refused(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x=np.arange(40.0).reshape(20, 2), y=np.arange(20) / 3)
    data = load(path)
    with pytest.raises(InputError, match="--classes chooses among classes, and d has no single class per example"):
        only_classes(data, ["1"])
    with pytest.raises(InputError, match="--per-class counts examples of classes, and d has no single class"):
        few_per_class(data, 3, 0)
    with pytest.raises(InputError, match="per_class is 0; it must be a whole number of at least 1"):
        few_per_class(DIGITS, 0, 0)
