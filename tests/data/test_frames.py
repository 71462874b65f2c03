"""Data frames: through the Arrow interface, which needs no library; and as pandas, Polars and pyarrow have them."""

import datetime
from typing import Any

import nanoarrow
import numpy as np
import pytest

from backlight.data import TableOptions, load, read_rows
from backlight.errors import InputError

N = 100
V = np.random.default_rng(0).random(N).round(3).tolist()
Y = ["np"[value < 0.4] for value in reversed(V)]


class Frame:
    """A table that speaks the Arrow interface and nothing else."""

    def __init__(self, **columns: tuple[Any, Any]) -> None:
        schema = nanoarrow.struct({name: kind for name, (kind, _) in columns.items()})
        children = [nanoarrow.c_array(values, kind) for kind, values in columns.values()]
        length = len(next(iter(columns.values()))[1])
        array = nanoarrow.c_array_from_buffers(schema, length, [None], children=children)
        self._array = nanoarrow.Array(array)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return nanoarrow.c_array_stream(self._array).__arrow_c_stream__(requested_schema)


def frame(**more: tuple[Any, Any]) -> Frame:
    return Frame(v=(nanoarrow.float64(), V), **more, y=(nanoarrow.string(), Y))


def names(source: Any, target: Any = "y", **options: Any) -> tuple[str, ...]:
    data = load(source, target=target, options=TableOptions(**options))
    assert np.isfinite(data.x).all()
    return data.inputs.names


def test_an_arrow_stream_is_a_table() -> None:
    town = [None if i % 9 == 0 else "uvw"[i % 3] for i in range(N)]
    source = frame(town=(nanoarrow.string(), town), k=(nanoarrow.int32(), [i * i % 50 for i in range(N)]))
    data = load(source, target="y")
    assert data.inputs.names == ("v", "town=u", "town=v", "town=w", "town is missing", "k")
    assert data.source.kind == "frame"
    assert data.source.files[0][0] is None
    again = load(source, target="y")
    assert again.source == data.source
    rows = read_rows(source, data.inputs, data.target, labelled=True)
    assert np.array_equal(rows.x, data.x)
    assert rows.labels[3] == "the frame:3"


def test_names_that_differ_in_their_case_are_two_names() -> None:
    assert names(frame(V=(nanoarrow.float64(), V[::-1]))) == ("v", "V")


def test_a_frame_and_a_file_agree(tmp_path: Any) -> None:
    path = tmp_path / "t.csv"
    path.write_text("v,y\n" + "".join(f"{v},{y}\n" for v, y in zip(V, Y, strict=True)))
    one, other = load(path, target="y"), load(frame(), target="y")
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(one.y, other.y)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([1, 2], "a list was given; give a path, the name of a built-in data set, or a data frame"),
        (None, "a NoneType was given"),
        ({"a": [1]}, "a dict was given"),
        (np.eye(3), "a ndarray was given"),
        (nanoarrow.Array([1.0, 2.0], nanoarrow.float64()), "a single column was given; give a data frame"),
        (
            frame(w=(nanoarrow.float64(), [*V[:7], np.inf, *V[8:]])),
            r"row 7 \(counted from 0\), column 'w': 'inf' is not",
        ),
        (Frame(v=(nanoarrow.float64(), []), y=(nanoarrow.string(), [])), "the frame has no rows"),
    ],
)
def test_what_is_no_table(source: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load(source, target="y")


# pandas, Polars, pyarrow ----------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")

    def of(column: Any) -> tuple[str, ...]:
        return names(pandas.DataFrame({"v": V, "y": Y, "m": column}))[1:]

    assert of([1, "x"] * 50) == ("m=1", "m=x")
    assert of(pandas.Categorical(["b", "a"] * 50)) == ("m=a", "m=b")
    assert of(pandas.array([1, None] * 50, dtype="Int64")) == ("m", "m is missing")
    assert of(pandas.array([True, None] * 50, dtype="boolean")) == ("m=true", "m is missing")
    assert of(pandas.array(["a", None] * 50, dtype="string")) == ("m=a", "m is missing")
    assert "m (hour, sin)" in of(pandas.date_range("2020", periods=N, freq="h", tz="Europe/Berlin"))
    assert of(pandas.to_timedelta(np.arange(N) ** 2, unit="h")) == ("m",)
    assert of([[1, 2]] * N) == ()
    with pytest.raises(InputError, match=r"column 'm': .*period.*; convert that column to numbers, text or dates"):
        of(pandas.period_range("2020-01", periods=N, freq="M"))
    table = pandas.DataFrame({"v": V, "y": Y}, index=range(1000, 1000 + N))
    backwards = load(table.iloc[::-1], target="y")
    assert np.array_equal(backwards.y[::-1], load(table, target="y").y)
    assert names(table.rename(columns={"v": 0}), target="y") == ("0",)
    assert names(table.rename(columns={"y": 1}), target=1) == ("v",)
    with pytest.raises(InputError, match="the frame has 2 columns named 'v'"):
        names(pandas.concat([table[["v"]], table], axis=1))
    with pytest.raises(InputError, match="a single column was given"):
        load(table["v"], target="v")


@pytest.mark.oracle
def test_polars() -> None:
    polars = pytest.importorskip("polars")
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(N)]
    table = polars.DataFrame({"v": V, "d": days, "c": polars.Series(["a", "b"] * 50, dtype=polars.Categorical), "y": Y})
    assert set(names(table)) >= {"v", "d", "c=a", "c=b"}
    with pytest.raises(InputError, match="a LazyFrame was given"):
        load(table.lazy(), target="y")


@pytest.mark.oracle
def test_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"v": V, "V": V[::-1], "y": Y})
    assert names(table) == names(table.to_reader()) == ("v", "V")
    with pytest.raises(InputError, match="the frame has 2 columns named 'v'"):
        names(pyarrow.table([V, V, Y], names=["v", "v", "y"]))
