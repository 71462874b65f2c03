"""What labels are worth, on small images and with short trainings."""

from dataclasses import replace
from typing import Any

import pytest

from backlight.bench import labels


def test_every_way_is_trained_on_every_number_of_labels(tmp_path, monkeypatch):
    small: dict[str, Any] = {"data": "digits", "layers": (12, 8)}
    monkeypatch.setattr(labels, "TRUNK", replace(labels.TRUNK, **small, epochs=1))
    monkeypatch.setattr(labels, "ENCODER", replace(labels.ENCODER, data="digits", layers=(12,), code=8, epochs=1))
    ways = [
        replace(way, settings=replace(way.settings, **(small if way.start is None else {"data": "digits"})))
        for way in labels.WAYS
    ]
    monkeypatch.setattr(labels, "WAYS", tuple(ways))
    monkeypatch.setattr(labels, "_STEPS", 20)
    said: list[str] = []
    rows = list(labels.measure_labels(tmp_path, seeds=2, threads=1, say=said.append, labels=(1, 4)))
    assert [row["labels"] for row in rows] == [1, 4]
    for row in rows:
        for way in ways:
            found = row[way.name]
            assert len(found["errors"]) == 2
            assert all(0 < error < 1 for error in found["errors"])
            assert abs(found["mean"] - sum(found["errors"]) / 2) < 1e-4
    assert said[:2] == ["the trunk, 1 epochs", "the encoder, 1 epochs"]
    assert rows[1]["scratch"]["errors"] != rows[1]["augmented"]["errors"]
    chart = labels.labels_chart(rows)
    assert [line.name for line in chart.lines] == [way.title for way in ways]
    for line, way in zip(chart.lines, ways, strict=True):
        assert line.y == pytest.approx([100 - 100 * row[way.name]["mean"] for row in rows], abs=1e-3)
        assert line.x == (1.0, 4.0)


def test_starting_from_another_run_leaves_the_head_alone_to_learn():
    assert {way.start: way.settings.freeze for way in labels.WAYS} == {None: 0, "trunk": 1, "encoder": 1}
