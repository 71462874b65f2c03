"""How much classes count, whatever the data are."""

from dataclasses import replace

import numpy as np
import pytest

from backlight.data import Classes, load, with_class_weights
from backlight.errors import InputError
from backlight.files import Settings, load_for


def test_balanced_classes_count_alike_and_rows_one_on_average():
    dataset = load("digits")
    weighed = with_class_weights(dataset, "balanced")
    train = dataset.rows["train"]
    assert weighed.weights is not None
    sums = [weighed.weights[train][dataset.y[train] == k].sum() for k in range(10)]
    np.testing.assert_allclose(sums, len(train) / 10, rtol=1e-5)
    assert dataset.weights is None


def test_named_classes_weigh_what_is_said_and_multiply_with_what_rows_weigh():
    dataset = load("digits")
    own = np.arange(len(dataset.x), dtype=np.float32)
    weighed = with_class_weights(replace(dataset, weights=own), "3=5, 4=0")
    expected = own * np.select([dataset.y == 3, dataset.y == 4], [5, 0], 1)
    assert weighed.weights is not None
    np.testing.assert_allclose(weighed.weights, expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("11=2", r"the class weights name '11'; did you mean '1'\?"),
        ("3", "the class weights are '3'; write balanced, or CLASS=WEIGHT with commas between"),
        (",".join(f"{k}=0" for k in range(10)), "digits: every row of the training part weighs 0"),
    ],
)
def test_impossible_weights_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        with_class_weights(load("digits"), given)


def test_quantities_have_no_classes_to_weigh(tmp_path):
    np.savez(tmp_path / "q.npz", x=np.eye(60), y=np.linspace(0, 1, 60))
    with pytest.raises(InputError, match="class weights are for a target with one class per row, and this one has not"):
        load_for(Settings(str(tmp_path / "q.npz"), class_weights="balanced"))


@pytest.mark.parametrize("data", ["digits", "penguins", "moons"])
def test_a_run_of_any_data_takes_class_weights(data):
    dataset = load_for(Settings(data, class_weights="balanced"))
    assert isinstance(dataset.target, Classes)
    assert dataset.weights is not None
    assert dataset.weights[dataset.rows["train"]].mean() == pytest.approx(1, rel=1e-5)
