import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backlight.data import ArrayInputs, ImageInputs, TableInputs, inputs_from_dict
from backlight.data.tables.cells import Cells, Numbers, Texts
from backlight.data.tables.columns import CategoryColumn, DateColumn, NumberColumn
from backlight.errors import InputError

INPUTS: list[Any] = [
    TableInputs(
        (
            NumberColumn("age", 39.123456789, 1e-7, True),
            CategoryColumn("sex", ("female", "male"), False),
            CategoryColumn("town", ("Ulm",), True, others=True),
            DateColumn("born", 1.5, 2.5, True, ("elapsed", "season", "weekday", "hour"), "day.month.year"),
        ),
        {"id": "it is text that differs in every row"},
    ),
    ImageInputs((8, 8), "float32"),
    ArrayInputs((2, 3), "uint8", (), ()),
    ArrayInputs((2,), "float32", (0.1, 0.2), (1.0, 3.0)),
]


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda inputs: inputs.kind)
def test_round_trip_through_json(inputs: Any) -> None:
    again = inputs_from_dict(json.loads(json.dumps(inputs.to_dict())))
    assert again == inputs
    assert again.width == len(again.names) == len(set(again.names))


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda inputs: inputs.kind)
def test_spans_cover_all_inputs_in_order(inputs: Any) -> None:
    ends = [0, *(end for _, _, end in inputs.spans)]
    assert [(first, end) for _, first, end in inputs.spans] == list(pairwise(ends))
    assert ends[-1] == inputs.width


def test_a_span_is_all_that_a_column_became() -> None:
    assert INPUTS[0].spans == (("age", 0, 2), ("sex", 2, 4), ("town", 4, 7), ("born", 7, 20))
    assert INPUTS[2].spans[5] == ("pixel 1,2", 5, 6)
    assert TableInputs((), {}).spans == ()


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"kind": "sound"},
        {"kind": "image", "shape": [8], "dtype": "uint8"},
        {"kind": "image", "shape": [8, 8], "dtype": "int4"},
        {"kind": "array", "shape": [2], "dtype": "float32", "mean": [1], "std": [1]},
        {"kind": "table", "columns": [{"name": "a"}], "left_out": {}},
    ],
)
def test_a_damaged_description_is_refused(content: Any) -> None:
    with pytest.raises(InputError, match="not described as expected"):
        inputs_from_dict(content)


def texts(*values: str | None) -> Texts:
    return Texts.of(values)


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values))


def test_names_and_values_of_a_small_table() -> None:
    cells: dict[str, Cells] = {
        "age": numbers(1.0, 3.0, np.nan, 100.0),
        "port": texts("B", None, "A", "Z"),
        "plain": numbers(0.0, 2.0, 1.0, 1.0),
    }
    inputs = TableInputs.fit(cells, np.array([0, 1, 2]))
    assert inputs.names == ("age", "age is missing", "port=A", "port=B", "port is missing", "plain")
    x, unseen = inputs.encode(cells)
    root = np.sqrt(1.5)
    expected = [
        [-1, 0, 0, 1, 0, -root],
        [1, 0, 0, 0, 1, root],
        [0, 1, 1, 0, 0, 0],
        [98, 0, 0, 0, 0, 0],
    ]
    assert np.allclose(x, expected)
    assert x.dtype == np.float32
    assert unseen == {"port": 1}


def test_a_missing_value_where_training_had_none_becomes_the_mean_or_zeros() -> None:
    inputs = TableInputs.fit({"a": numbers(1.0, 3.0), "b": texts("u", "v")}, np.arange(2))
    x, unseen = inputs.encode({"a": numbers(np.nan), "b": texts(None)})
    assert x.tolist() == [[0.0, 0.0, 0.0]]
    assert unseen == {}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (numbers(2.0, 2.0, 9.0), "it is 2 in every training row"),
        (texts("a", "a", "b"), "it is 'a' in every training row"),
        (numbers(np.nan, np.nan, 1.0), "it has no values in the training part"),
        (texts(None, None, "a"), "it has no values in the training part"),
    ],
)
def test_columns_without_information_are_left_out_with_the_reason(values: Any, reason: Any) -> None:
    inputs = TableInputs.fit({"c": values}, np.arange(2))
    assert inputs.columns == ()
    assert inputs.left_out == {"c": reason}


def test_text_with_many_values_keeps_the_commonest() -> None:
    common = [f"town {i % 100:02}" for i in range(300)]
    fitted = TableInputs.fit({"c": texts(*common, "hamlet", "farm", None)}, np.arange(303))
    assert fitted.width == 102
    assert fitted.names[-3:] == ("c=town 99", "c is another", "c is missing")
    x, unseen = fitted.encode({"c": texts("farm", "never seen", "town 99", None)})
    assert [np.flatnonzero(row).tolist() for row in x] == [[100], [100], [99], [101]]
    assert unseen == {}


def test_text_that_differs_in_nearly_every_row_is_left_out_unless_it_is_kept() -> None:
    every = {"c": texts(*[f"id {i}" for i in range(21)])}
    assert "differs in nearly every row (21 values in 21 rows)" in TableInputs.fit(every, np.arange(21)).left_out["c"]
    assert TableInputs.fit(every, np.arange(20)).width == 20
    assert TableInputs.fit(every, np.arange(21), keep=["c"]).width == 21


@given(arrays(np.float64, 8, elements=st.floats(-1e6, 1e6) | st.just(np.nan)), st.data())
def test_table_inputs_are_fitted_on_the_training_rows_alone(values: Any, data: Any) -> None:
    labels = data.draw(st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=8, max_size=8))
    cells: dict[str, Cells] = {"number": Numbers(values), "text": texts(*labels)}
    train = np.arange(4)
    fitted = TableInputs.fit(cells, train)
    others = np.concatenate([values[:4], data.draw(arrays(np.float64, 4, elements=st.floats(-1e9, 1e9)))])
    changed: dict[str, Cells] = {"number": Numbers(others), "text": texts(*labels[:4], *["never seen"] * 4)}
    assert TableInputs.fit(changed, train) == fitted
    before, after = fitted.encode(cells)[0], fitted.encode(changed)[0]
    assert np.array_equal(before[:4], after[:4])


@given(arrays(np.float64, 30, elements=st.floats(-1e6, 1e6)))
def test_numbers_are_standardised_on_the_training_part(values: Any) -> None:
    if np.ptp(values) < 1:
        return
    cells = {"v": Numbers(values)}
    x, _ = (inputs := TableInputs.fit(cells, np.arange(30))).encode(cells)
    assert inputs.names == ("v",)
    assert abs(float(x.mean())) < 1e-3
    assert abs(float(x.std()) - 1) < 1e-3


def test_image_inputs_take_bytes_or_fractions() -> None:
    whole, fraction = ImageInputs((1, 2), "uint8"), ImageInputs((1, 2), "float32")
    raw = np.array([[0, 255]], np.uint8)
    assert whole.encode(raw) is raw
    assert fraction.encode(raw).tolist() == [[0.0, 1.0]]
    assert whole.encode(np.array([[0.0, 0.5]])).dtype == np.float32
    with pytest.raises(InputError, match="values from 0 to 16; this model expects uint8"):
        fraction.encode(np.array([[0.0, 16.0]]))


def test_array_inputs_keep_bytes_and_standardise_numbers() -> None:
    raw = np.array([[0, 255]], np.uint8)
    inputs = ArrayInputs.fit(raw, (2,))
    assert inputs.encode(raw) is raw
    with pytest.raises(InputError, match="x is float64, but the model was trained on uint8"):
        inputs.encode(raw.astype(np.float64))
    constant = ArrayInputs.fit(np.array([[0.1, 1.0]] * 3), (2,))
    assert constant.encode(np.array([[0.1, 2.0]])).tolist() == [[0.0, 1.0]]
