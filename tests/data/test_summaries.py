from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.columns import CategoryColumn, DateColumn, fit_column
from backlight.data.tables.summaries import Summary, TextSummary, add_to, empty_summary, summary_of, weekday

DAY = 86_400.0


@given(arrays(np.float64, 30, elements=st.floats(-1e6, 1e6) | st.just(np.nan)), st.integers(0, 30))
def test_pieces_add_up_to_the_whole(values: Any, cut: int) -> None:
    for kind in (Numbers, Moments):
        whole, parts = summary_of(kind(values)), empty_summary(kind(values))
        for piece in (values[:cut], values[cut:]):
            add_to(parts, kind(piece))
        assert isinstance(whole, Summary)
        assert isinstance(parts, Summary)
        assert (parts.count, parts.missing, parts.low, parts.high) == (
            whole.count,
            whole.missing,
            whole.low,
            whole.high,
        )
        assert np.isclose(parts.mean, whole.mean, rtol=1e-9, atol=1e-6)
        if whole.count:
            there = values[~np.isnan(values)] / (DAY if kind is Moments else 1.0)
            assert np.isclose(parts.mean, there.mean(), rtol=1e-9, atol=1e-6)
            assert np.isclose(np.sqrt(parts.squares / parts.count), there.std(), rtol=1e-6, atol=1e-5)


def test_codes_that_go_on_are_counted_together() -> None:
    summary = TextSummary()
    summary.add(Texts(np.array([0, 1, -1], np.int32), ("a", "b")))
    summary.add(Texts(np.array([2, 0, 0], np.int32), ("a", "b", "c")))
    assert summary.present == {"a": 3, "b": 1, "c": 1}
    assert (summary.count, summary.missing, summary.others) == (5, 1, 0)


def test_texts_that_are_not_told_apart_are_no_category() -> None:
    cells = Texts(np.array([0] * 50 + [1] * 40 + [2] * 30, np.int32), ("a", "b", "the rest"), folded=True)
    column = fit_column("c", summary_of(cells))
    assert column == CategoryColumn("c", ("a", "b"), missing=False, others=True)
    assert isinstance(column, CategoryColumn)
    block = np.empty((3, 3), np.float32)
    assert column.write(Texts(np.array([0, 2, 1], np.int32), ("a", "b", "the rest"), folded=True), block) == 0
    assert block.argmax(axis=1).tolist() == [0, 2, 1]


def moments(*seconds: float) -> Cells:
    return Moments(np.array(seconds))


YEAR = np.arange(0, 366, 3.0) * DAY


@pytest.mark.parametrize(
    ("seconds", "parts"),
    [
        (YEAR, ("elapsed", "season", "weekday")),
        (YEAR + 3600.0, ("elapsed", "season", "weekday", "hour")),
        (np.arange(0, 50, 7.0) * DAY, ("elapsed",)),
        (np.arange(24) * 3600.0, ("hour",)),
        (np.arange(0, 30, 7.0) * DAY, ("elapsed",)),
    ],
)
def test_the_parts_of_a_date_that_vary_become_inputs(seconds: Any, parts: Any) -> None:
    column = fit_column("d", summary_of(Moments(seconds)))
    assert isinstance(column, DateColumn)
    assert column.parts == parts


def test_the_parts_of_a_date_by_definition() -> None:
    column = DateColumn("d", 0.0, 1.0, True, ("elapsed", "season", "weekday", "hour"))
    block = np.empty((3, len(column.names)), np.float32)
    assert column.write(moments(0.0, 2.25 * DAY, np.nan), block) == 0
    assert weekday(np.array([0.0, 2.25])).tolist() == [3, 5]  # a Thursday, a Saturday
    angle = 2 * np.pi * 2.25 / 365.2425
    assert np.allclose(block[0], [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    assert np.allclose(block[1], [2.25, np.sin(angle), np.cos(angle), 0, 0, 0, 0, 0, 1, 0, 1, 0, 0], atol=1e-6)
    assert block[2].tolist() == [0] * 12 + [1]
    assert column.names[3:5] == ("d is a Monday", "d is a Tuesday")
