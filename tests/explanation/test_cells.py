"""Encoded rows, read back."""

import numpy as np
import pytest

from backlight.data import ArrayInputs, ImageInputs, TableInputs
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.explanation.cells import cells_of

AGES = np.array([20.0, 40.0, np.nan, 61.5])
CELLS: dict[str, Cells] = {
    "age": Numbers(AGES),
    "sex": Texts.of(["f", "m", None, "f"]),
    "town": Texts.of(["Ulm", "Ulm", "Bonn", "Köln"]),
    "year": Numbers(np.array([2007.0, 2008.0, 2009.0, 2009.0])),
}


def test_rows_of_a_table_are_read_back() -> None:
    inputs = TableInputs.fit(CELLS, np.arange(4))
    x, _ = inputs.encode(CELLS)
    assert [cells_of(inputs, row) for row in x.astype(float)] == [
        [20.0, "f", "Ulm", 2007.0],
        [40.0, "m", "Ulm", 2008.0],
        ["missing", "missing", "Bonn", 2009.0],
        [61.5, "f", "Köln", 2009.0],
    ]


def test_an_average_row_has_shares() -> None:
    inputs = TableInputs.fit(CELLS, np.arange(4))
    x, _ = inputs.encode(CELLS)
    age, sex, town, year = cells_of(inputs, x.astype(float).mean(axis=0))
    assert age == pytest.approx(np.nanmean(AGES), rel=1e-5)
    assert (sex, town, year) == ("f 50 %, m 25 %, …", "Ulm 50 %, Bonn 25 %, …", 2008.25)


def test_a_category_that_training_never_saw_is_none_of_the_known() -> None:
    inputs = TableInputs.fit({"town": CELLS["town"]}, np.arange(4))
    x, unseen = inputs.encode({"town": Texts.of(["Rom"])})
    assert unseen == {"town": 1}
    assert cells_of(inputs, x[0].astype(float)) == ["none of the known"]


def test_arrays_and_images_are_read_back() -> None:
    raw = np.array([[1.5, 200.0], [2.5, 400.0]])
    inputs = ArrayInputs.fit(raw, (2,))
    assert cells_of(inputs, inputs.encode(raw)[1].astype(float)) == [2.5, 400.0]
    assert cells_of(ArrayInputs((2,), "uint8", (), ()), np.array([0.2, 1.0])) == [51.0, 255.0]
    assert cells_of(ImageInputs((1, 2), "uint8"), np.array([0.2, 1.0])) == [0.2, 1.0]


def test_dates_and_folded_text_are_read_back() -> None:
    days = np.array([0.0, 400.25, 20_000.0])
    cells: dict[str, Cells] = {"when": Moments(86_400.0 * days), "name": Texts.of([f"n{i}" for i in range(3)])}
    inputs = TableInputs.fit(cells, np.arange(3))
    x, _ = inputs.encode(cells)
    assert [cells_of(inputs, row)[0] for row in x.astype(float)] == ["1970-01-01", "1971-02-05 06:00", "2024-10-04"]
    many: dict[str, Cells] = {"name": Texts.of([f"n{i % 101:03}" for i in range(300)])}
    folded = TableInputs.fit(many, np.arange(300))
    assert cells_of(folded, folded.encode({"name": Texts.of(["new"])})[0][0].astype(float)) == ["another"]
