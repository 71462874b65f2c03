import numpy as np
import pytest

from backlight.engine import RowSource, row_source
from backlight.errors import InputError


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_contiguous_rows_are_not_copied(dtype):
    x = np.arange(12).reshape(4, 3).astype(dtype)
    source = row_source(x)
    assert source.array is x
    assert source.pointer == x.ctypes.data
    assert (source.stride, source.count, source.width) == (3 * x.itemsize, 4, 3)
    assert source.dtype == x.dtype
    assert source.scale == (1 / 255 if dtype == "uint8" else 1)


def test_other_layouts_become_contiguous():
    x = np.arange(12.0).reshape(4, 3)
    for view in (x.T, x[:, ::2], x[::-1]):
        source = row_source(view)
        assert source.array.flags.c_contiguous
        assert np.array_equal(source.array, view)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "bool", "float16", ">f8", ">f4"])
def test_other_numbers_are_converted(dtype):
    x = np.array([[0, 1], [1, 0]]).astype(dtype)
    source = row_source(x)
    assert source.dtype in (np.dtype(np.float32), np.dtype(np.float64))
    assert source.dtype.isnative
    assert source.array.tolist() == [[0, 1], [1, 0]]


def test_lists_are_rows():
    assert row_source([[1, 2], [3, 4]]).array.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("wanted", ["float32", "float64"])
def test_rows_are_gathered_in_any_order_and_scaled(dtype, wanted):
    x = np.array([[0, 255], [51, 102], [7, 8]], dtype)
    rows = np.array([2, 0, 2, 1])
    out = np.full((4, 2), np.nan, wanted)
    row_source(x).gather(rows, np.empty((4, 2), dtype), out)
    expected = x[rows].astype(float) / (255 if dtype == "uint8" else 1)
    np.testing.assert_allclose(out, expected, rtol=1e-6 if wanted == "float32" else 1e-15)  # one rounding


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), r"x is float64 of shape \(3,\); an array of numbers of shape \(n, inputs\) is needed"),
        (np.zeros((2, 2, 2)), r"x is float64 of shape \(2, 2, 2\)"),
        (np.array([["a"]]), r"x is <U1 of shape \(1, 1\)"),
        (np.zeros((2, 2), complex), r"x is complex128 of shape \(2, 2\)"),
        (np.array([[None]]), r"x is object of shape \(1, 1\)"),
        (np.zeros((0, 2)), "x has no rows; at least one example is needed"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(x, message):
    with pytest.raises(InputError, match=message):
        row_source(x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("row", [0, 2, 70_000])
def test_a_number_that_is_not_finite_is_named(bad, dtype, row):
    x = np.zeros((70_001, 3), dtype)
    x[row, 1] = bad
    with pytest.raises(InputError, match=rf"x is {bad} in row {row}, column 1 \(counted from 0\); every input must be"):
        row_source(x)


def test_a_source_keeps_its_array_alive():
    source = RowSource(np.ones((2, 2)))
    assert source.array.sum() == 4
