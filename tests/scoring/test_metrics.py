import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.scoring.metrics import HIGHER_IS_BETTER, confusion_matrix, macro_f1, measure, predicted_classes

quick = settings(deadline=None, max_examples=60)


@quick
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_classification_by_definition(pairs):
    y, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    outputs = np.full((len(y), 4), 0.1)
    outputs[np.arange(len(y)), predicted] = 0.7
    losses = np.arange(len(y), dtype=np.float32)
    got = measure(losses, outputs, y)
    assert got["loss"] == pytest.approx((len(y) - 1) / 2)
    assert got["accuracy"] == pytest.approx((y == predicted).mean())
    scores = []
    for k in range(4):
        hits = ((y == k) & (predicted == k)).sum()
        claimed, present = (predicted == k).sum(), (y == k).sum()
        precision, recall = hits / max(claimed, 1), hits / max(present, 1)
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
        assert got["confusion"][k] == [((y == k) & (predicted == m)).sum() for m in range(4)]
    assert got["macro_f1"] == pytest.approx(np.mean(scores))


def test_a_single_output_decides_at_one_half():
    assert predicted_classes(np.array([[0.5], [0.51], [0.1]])).tolist() == [0, 1, 0]
    got = measure(np.zeros(3), np.array([[0.2], [0.9], [0.8]]), np.array([0, 1, 0]))
    assert got["accuracy"] == pytest.approx(2 / 3)
    assert got["confusion"] == [[1, 1], [0, 1]]


def test_an_absent_class_counts_as_zero():
    assert macro_f1(np.array([[2, 0, 0], [0, 2, 0], [0, 0, 0]])) == pytest.approx(2 / 3)
    assert confusion_matrix(np.array([0]), np.array([0]), 2).tolist() == [[1, 0], [0, 0]]


def test_labels_by_definition():
    outputs = np.array([[0.9, 0.2], [0.6, 0.6], [0.1, 0.1]])
    got = measure(np.ones(3), outputs, np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), labels=True)
    assert got == {"loss": 1.0, "accuracy": pytest.approx(4 / 6), "exact": pytest.approx(1 / 3)}


@quick
@given(st.integers(2, 30), st.integers(1, 3), st.floats(0.1, 1000), st.integers(0, 99))
def test_regression_by_definition(n, j, unit, seed):
    rng = np.random.default_rng(seed)
    y, outputs = rng.normal(size=(n, j)), rng.normal(size=(n, j))
    got = measure(np.zeros(n), outputs.astype(np.float32), y if j > 1 or seed % 2 else y[:, 0], unit)
    errors = outputs - y
    rmse = [np.sqrt(np.mean(errors[:, k] ** 2)) * unit for k in range(j)]
    r2 = [1 - (errors[:, k] ** 2).sum() / ((y[:, k] - y[:, k].mean()) ** 2).sum() for k in range(j)]
    assert got["rmse"] == pytest.approx(np.mean(rmse), rel=1e-5)  # the outputs were rounded to float32
    assert got["mae"] == pytest.approx(np.abs(errors).mean() * unit, rel=1e-5)
    assert got["r2"] == pytest.approx(np.mean(r2), rel=1e-4)


def test_each_target_has_a_unit_of_its_own():
    y, outputs = np.array([[0.0, 0.0], [2.0, 4.0]]), np.array([[1.0, 1.0], [3.0, 5.0]])
    got = measure(np.zeros(2), outputs, y, np.array([10.0, 100.0]))
    assert got["rmse"] == got["mae"] == 55


def test_targets_that_are_all_equal_have_no_r2():
    assert measure(np.zeros(2), np.ones((2, 1)), np.zeros((2, 1)))["r2"] is None


def test_every_metric_has_a_direction():
    measured = {
        *measure(np.zeros(2), np.ones((2, 2)), np.array([0, 1])),
        *measure(np.zeros(2), np.ones((2, 2)), np.zeros((2, 2))),
        *measure(np.zeros(2), np.ones((2, 2)), np.zeros((2, 2)), labels=True),
    }
    assert set(HIGHER_IS_BETTER) == measured - {"confusion"}
