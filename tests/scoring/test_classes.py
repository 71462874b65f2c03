"""Class by class, by definition: loops over pairs and over examples."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.scoring.areas import areas, class_rankings
from backlight.scoring.calibration import calibration
from backlight.scoring.classes import auc, per_class
from backlight.scoring.metrics import confusion_matrix
from backlight.scoring.quality import class_quality, label_quality, several_quality

quick = settings(deadline=None, max_examples=60)


def drawn(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, count)
    z = rng.normal(size=(count, classes)) + 2.0 * np.eye(classes)[y]
    outputs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return outputs.astype(np.float32), y


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=40))
def test_auc_counts_the_pairs(pairs):
    scores, positive = (np.array(column) for column in zip(*pairs, strict=True))
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0 for a in scores[positive].tolist() for b in scores[~positive].tolist()
    ]
    got = auc(scores.astype(np.float32), positive)
    assert got == (pytest.approx(np.mean(wins)) if wins else None)


def test_auc_of_classes():
    outputs, y = drawn(200, 3)
    found = areas(class_rankings(outputs, y, 3))
    assert found.each == tuple(auc(outputs[:, k], y == k) for k in range(3))
    assert found.mean == pytest.approx(np.mean(np.array(found.each, float)))
    assert areas(class_rankings(outputs[:, 1:2], (y == 1).astype(int), 2)).each == (found.each[1],) * 2
    missing = areas(class_rankings(outputs, np.where(y == 2, 0, y), 3))
    first, second, none = missing.each
    assert none is None
    assert missing.mean == pytest.approx(np.mean([first, second]))
    assert auc(np.array([np.nan, 1.0]), np.array([True, False])) is None


def test_per_class_by_definition():
    outputs, y = drawn(300, 4)
    predicted = outputs[:, :3].argmax(axis=1)  # the last class is never answered
    rows = per_class(confusion_matrix(y, predicted, 4), "abcd", [None] * 4)
    for k, row in enumerate(rows):
        hits = ((y == k) & (predicted == k)).sum()
        precision = hits / max((predicted == k).sum(), 1)
        recall = hits / (y == k).sum()
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        assert row["precision"] == (pytest.approx(precision) if k < 3 else None)
        assert row["recall"] == pytest.approx(recall)
        assert row["f1"] == pytest.approx(f1)
        assert (row["name"], row["support"]) == ("abcd"[k], (y == k).sum())
    assert per_class(np.zeros((1, 1), int), "a", [None])[0]["recall"] is None


@pytest.mark.parametrize(("classes", "count"), [(2, 500), (5, 500), (3, 70_000)])
def test_calibration_by_definition(classes, count):
    outputs, y = drawn(count, classes)
    found = calibration(outputs, y)
    assert found is not None
    confidence, right = outputs.max(axis=1), outputs.argmax(axis=1) == y
    error = 0.0
    for b, told in enumerate(found["bins"]):
        inside = (confidence > b / 10) & (confidence <= (b + 1) / 10)
        assert told["count"] == inside.sum()
        if inside.any():
            assert told["confidence"] == pytest.approx(confidence[inside].mean())
            assert told["accuracy"] == pytest.approx(right[inside].mean())
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
        else:
            assert told["confidence"] is told["accuracy"] is None
    assert found["ece"] == pytest.approx(error, rel=1e-5)
    assert found["brier"] == pytest.approx(((outputs - np.eye(classes)[y]) ** 2).sum(axis=1).mean(), rel=1e-5)


def test_calibration_of_one_output_is_that_of_its_two_classes():
    outputs, y = drawn(300, 2)
    one, two = calibration(outputs[:, 1:], y), calibration(outputs, y)
    assert one is not None
    assert two is not None
    for key in ("ece", "brier", "confidence"):
        assert one[key] == pytest.approx(two[key], rel=1e-4)


def test_a_sure_and_right_network_is_calibrated_and_other_numbers_are_no_confidence():
    found = calibration(np.eye(3)[[0, 1, 2]], np.array([0, 1, 2]))
    assert found is not None
    assert (found["ece"], found["brier"]) == (0.0, 0.0)
    assert calibration(np.array([[1.5, 0.0]]), np.array([0])) is None
    assert calibration(np.array([[np.nan, 0.0]]), np.array([0])) is None


def test_several_questions_are_told_of_one_by_one():
    (first, a), (second, b) = drawn(100, 3, 1), drawn(100, 2, 2)
    y = np.stack([a, b], axis=1)
    found = several_quality(np.ones(100), np.concatenate([first, second], axis=1), y, [("p", "xyz"), ("q", "no")])
    right = np.stack([first.argmax(axis=1) == a, second.argmax(axis=1) == b], axis=1)
    assert found["score"] == "exact"
    low, high = found["interval"]
    assert low < right.all(axis=1).mean() < high
    for k, (outputs, question) in enumerate(zip((first, second), found["questions"], strict=True)):
        alone: dict[str, Any] = class_quality(np.ones(100), outputs, y[:, k], ("xyz", "no")[k])
        assert question["accuracy"] == pytest.approx(right[:, k].mean())
        assert {key: question[key] for key in ("interval", "auc", "per_class", "calibration")} == {
            key: alone[key] for key in ("interval", "auc", "per_class", "calibration")
        }
        assert question["intervals"] == {"auc": alone["intervals"]["auc"]}


def test_labels_are_told_of_one_by_one():
    rng = np.random.default_rng(0)
    y, outputs = rng.integers(0, 2, (50, 3)).astype(float), rng.random((50, 3))
    found = label_quality(np.ones(50), outputs, y, "abc")
    for k, row in enumerate(found["per_class"]):
        hits = ((outputs[:, k] > 0.5) & (y[:, k] == 1)).sum()
        assert row["recall"] == pytest.approx(hits / y[:, k].sum())
        assert row["auc"] == auc(outputs[:, k], y[:, k] == 1)
    assert found["calibration"]["bins"][9]["count"] == ((outputs > 0.9) | (outputs < 0.1)).sum()


@pytest.mark.oracle
def test_as_scikit_learn_has_it():
    metrics = pytest.importorskip("sklearn.metrics")
    outputs, y = drawn(400, 4)
    exact = outputs.astype(np.float64) / outputs.sum(axis=1, keepdims=True, dtype=np.float64)
    found = class_quality(np.ones(400), outputs, y, "abcd")
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(y, exact, multi_class="ovr"), rel=1e-6)
    table = metrics.precision_recall_fscore_support(y, outputs.argmax(axis=1))
    for k, row in enumerate(found["per_class"]):
        assert [row[key] for key in ("precision", "recall", "f1", "support")] == pytest.approx(
            [part[k] for part in table]
        )
    brier = metrics.brier_score_loss(y, exact, scale_by_half=False)
    assert found["calibration"]["brier"] == pytest.approx(brier, rel=1e-5)
    scores = np.round(outputs[:, 0], 1)  # with ties
    assert auc(scores, y == 0) == pytest.approx(metrics.roc_auc_score(y == 0, scores))
    calibrated = pytest.importorskip("sklearn.calibration")
    share, mean = calibrated.calibration_curve(
        outputs.argmax(axis=1) == y, outputs.max(axis=1).astype(np.float64), n_bins=10
    )
    bins = [told for told in found["calibration"]["bins"] if told["count"]]
    assert [told["accuracy"] for told in bins] == pytest.approx(share)
    assert [told["confidence"] for told in bins] == pytest.approx(mean)
