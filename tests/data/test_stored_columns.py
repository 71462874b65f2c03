"""Large tables, streamed: the same as in memory."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.data import Dataset, TableOptions, load, scratch
from backlight.data.tables import input_writing, stored_columns, table
from backlight.data.tables import loading as table_loading
from backlight.errors import BacklightError, InputError


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def loaded(path: Path, *, streamed: bool, target: Any = "t", **options: Any) -> Dataset:
    """The table, read in a stream or into memory."""
    with pytest.MonkeyPatch.context() as patch:
        if streamed:
            patch.setattr(table_loading, "LARGE", 0)
        return load(path, target=target, options=TableOptions(**options))


def same(one: Dataset, other: Dataset) -> None:
    """Everything must agree, numbers but for the rounding of float32."""
    assert one.inputs.names == other.inputs.names
    assert one.inputs.left_out == other.inputs.left_out  # type: ignore[union-attr]
    assert np.allclose(one.x, other.x, rtol=1e-5, atol=1e-5)
    assert np.allclose(one.y, other.y, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert all(np.array_equal(one.rows[part], other.rows[part]) for part in one.rows)
    assert [note for note in one.notes if "is large" not in note] == [n for n in other.notes if "is large" not in n]
    assert one.source == other.source
    assert type(one.target) is type(other.target)
    assert (one.weights is None) == (other.weights is None)
    assert one.weights is None or np.array_equal(one.weights, np.asarray(other.weights))


HOLES = ["", "NA", "null", "?", "NaN", " n/a "]
hole = st.sampled_from(HOLES)
number = st.floats(-1e6, 1e6).map(repr) | st.integers(-99, 99).map(str) | st.sampled_from(["1e3", "+.5", " 7 ", "-0"])
words = st.sampled_from(["red", "green", " blue", "Ä ö", 'say "x"', "a,b", "two\nlines", "none"])
day = st.dates().map(str)
german = st.dates().map(lambda date: f"{date:%d.%m.}{date.year:04}")
moment = st.datetimes().map(lambda one: one.isoformat(" ", "seconds"))
clock = st.times().map(lambda one: f"{one:%H:%M}")
KINDS = [number, words, day, german, moment, clock]


@st.composite
def tables_of_anything(draw: Any) -> tuple[list[list[str]], str]:
    count = draw(st.integers(12, 40))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    columns = [draw(st.lists(kind | hole if draw(st.booleans()) else kind, min_size=count, max_size=count))
               for kind in kinds]  # fmt: skip
    target = [draw(st.sampled_from(["x", "y"])) for _ in range(count - 2)]
    return [*columns, ["x", "y", *target]], draw(st.sampled_from([",", ";", "\t"]))


def csv_of(columns: list[list[str]], separator: str = ",") -> str:
    names = [*(f"c{i}" for i in range(len(columns) - 1)), "t"]
    rows = [names, *zip(*columns, strict=True)]
    return "".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


@settings(deadline=None, max_examples=30)
@given(tables_of_anything())
def test_a_stream_gives_the_same_as_memory(tmp_path_factory: pytest.TempPathFactory, table: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_text(csv_of(*table))
    found: list[Dataset | str] = []
    for streamed in (False, True):
        try:
            found.append(loaded(path, streamed=streamed))
        except InputError as error:
            found.append(str(error))
    if isinstance(found[0], Dataset) and isinstance(found[1], Dataset):
        same(found[0], found[1])
    else:
        assert found[0] == found[1]


def put(tmp_path: Path, *columns: list[Any]) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(csv_of([[str(cell) for cell in column] for column in columns]))
    return path


CLASSES = ["x", "y"] * 100
PLAIN = [f"{7 * i % 60 / 4}" for i in range(200)]


def test_a_decimal_comma_and_spaces_around_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    cells = [f"{i},25" if i % 9 else [" NA ", "null", "?"][i % 3] for i in range(200)]
    path.write_text("v;t\n" + "".join(f"{cell};{kind}\n" for cell, kind in zip(cells, CLASSES, strict=True)))
    same(loaded(path, streamed=False), loaded(path, streamed=True))
    assert loaded(path, streamed=True).inputs.names == ("v", "v is missing")


def test_parquet_of_many_types(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    duckdb.connect().execute(
        "COPY (SELECT (i * 0.37)::DECIMAL(9, 2) AS d, i % 3 = 0 AS b, DATE '2020-01-01' + i::INT AS day, "
        "CASE WHEN i % 7 = 0 THEN 'NA' ELSE 'k' || i % 4 END AS s, to_minutes(i) AS w, (i * 1.5)::VARCHAR AS n, "
        "CASE WHEN i % 5 = 0 THEN 'nan'::FLOAT ELSE i / 3 END AS f, [i] AS l, i * 7 % 50 AS k, "
        "(TIMESTAMP '2020-01-01' + to_hours(i * 5))::TIMESTAMPTZ AS z, "
        "CASE WHEN i * 7919 % 11 < 5 THEN 'n' ELSE 'p' END AS t FROM range(120) r(i)) TO '"
        f"{path}' (FORMAT parquet)"
    )
    one = loaded(path, streamed=False)
    same(one, loaded(path, streamed=True))
    assert {"d", "b=true", "s=k1", "w", "n", "f is missing", "z"} <= set(one.inputs.names)


@pytest.mark.parametrize("target", ["v", ["v", "w"], "t"])
@pytest.mark.parametrize("options", [{"group": "g"}, {"time": "w"}, {"weight": "w"}, {"drop": ("w",)}])
def test_targets_and_options(tmp_path: Path, target: Any, options: Any) -> None:
    if "w" in target and "group" not in options:
        options = {"group": "g"}
    path = tmp_path / "t.csv"
    rows = (f"{11 * i % 97 / 8},{i / 4},g{i % 13},{'xy'[i * i % 7 % 2]},{i % 5}\n" for i in range(200))
    path.write_text("v,w,g,t,more\n" + "".join(rows))
    same(loaded(path, streamed=False, target=target, **options), loaded(path, streamed=True, target=target, **options))


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (["oops", *PLAIN[:1]], "line 152, column 'c0': 'oops' is text where a number is expected"),
        (["1e400"], "line 152, column 'c0': .*inf.* is not a finite number"),
        (["-inf"], "line 152, column 'c0': -inf is not a finite number"),
    ],
)
def test_a_late_row_that_does_not_fit_is_named(tmp_path: Path, late: Any, words: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(table, "_FIRST_ROWS", 100)
    path = put(tmp_path, [*PLAIN[:150], *late, *PLAIN[150 + len(late) :]], CLASSES)
    with pytest.raises(InputError, match=words):
        loaded(path, streamed=True)


def test_a_late_row_that_is_no_date_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(table, "_FIRST_ROWS", 100)
    days = [f"{i % 28 + 1:02}.03.2021" for i in range(200)]
    path = put(tmp_path, [*days[:150], "soon", *days[151:]], CLASSES)
    with pytest.raises(InputError, match=r"line 152, column 'c0': 'soon' is no date or time written as day.month.year"):
        loaded(path, streamed=True)


def test_a_column_that_begins_empty_is_noted(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(table, "_FIRST_ROWS", 100)
    path = put(tmp_path, [""] * 150 + PLAIN[150:], PLAIN, CLASSES)
    assert any("'c0': no value in the first 100 rows" in note for note in loaded(path, streamed=True).notes)
    assert "c0" in loaded(path, streamed=True, types=("c0=number",)).inputs.names


def test_texts_that_are_too_many_count_as_one(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(stored_columns, "MOST_TEXTS", 3)
    path = put(tmp_path, [f"k{i % 7}" for i in range(200)], [f"one {i}" for i in range(200)], PLAIN, CLASSES)
    found = loaded(path, streamed=True)
    assert found.inputs.names == ("c0=k0", "c0=k1", "c0=k2", "c0 is another", "c2")
    assert np.array_equal(found.x[:, 3], [i % 7 > 2 for i in range(200)])
    assert "differs in nearly every row (over 3 values" in found.inputs.left_out["c1"]  # type: ignore[union-attr]
    assert any("'c0' has over 3 different values" in note for note in found.notes)
    groups = loaded(path, streamed=True, group="c0").rows  # which are told apart all the same
    assert {row % 7 for row in groups["train"]}.isdisjoint(row % 7 for row in groups["test"])


class _Full:
    """A disk without room."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: 0

    def write(self, content: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def __enter__(self) -> "_Full":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("module", [stored_columns, scratch])
def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: Any, module: Any) -> None:
    monkeypatch.setattr(module, "scratch_file", _Full)
    monkeypatch.setattr(input_writing, "MAPPED", 0)
    with pytest.raises(BacklightError, match=r"no room for .* No space left on device; make room, or set XDG_CACHE"):
        loaded(put(tmp_path, PLAIN, CLASSES), streamed=True)


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(BacklightError, match=r"cannot write to .*; set XDG_CACHE_HOME"):
        loaded(put(tmp_path, PLAIN, CLASSES), streamed=True)


def in_pieces(found: stored_columns.StoredColumns, rows: int) -> None:
    """Cut the pieces of stored columns into smaller ones, as a larger file would have them."""
    numbers = {name for name, what in found._types.items() if what.kind == "number"}
    dates = {name for name, what in found._types.items() if what.kind == "date"}
    size = {name: 8 if name in dates or name in numbers - set(found._scales) else 4 for name in found._types}
    found._offsets = [
        (k, min(k + rows, end), {name: start + (k - first) * size[name] for name, start in starts.items()})
        for first, end, starts in found._offsets
        for k in range(first, end, rows)
    ]


def test_pieces_add_up(tmp_path: Path, monkeypatch: Any) -> None:
    days = [f"20{i % 30:02}-03-0{i % 9 + 1}" if i % 8 else "" for i in range(200)]
    path = put(tmp_path, PLAIN, [f"k{i % 7}" for i in range(200)], days, CLASSES)
    expected = loaded(path, streamed=True)
    fill = stored_columns.StoredColumns._fill

    def cut(self: Any, *arguments: Any, **options: Any) -> None:
        fill(self, *arguments, **options)
        in_pieces(self, 7)

    monkeypatch.setattr(stored_columns.StoredColumns, "_fill", cut)
    same(expected, loaded(path, streamed=True))
    monkeypatch.setattr(input_writing, "MAPPED", 0)
    mapped = loaded(path, streamed=True)
    assert isinstance(mapped.x, np.memmap)
    same(expected, mapped)


@pytest.mark.slow
def test_a_file_of_several_pieces(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    duckdb.connect().execute(
        "COPY (SELECT i * 7919 % 100003 / 8 AS v, 'k' || i % 300 AS s, i AS w, "
        "CASE WHEN i * 7919 % 11 < 5 THEN 'n' ELSE 'p' END AS t FROM range(300000) r(i)) TO '"
        f"{path}'"
    )
    one, other = (loaded(path, streamed=streamed, keep=("w",)) for streamed in (False, True))
    same(one, other)


def test_moments_do_not_depend_on_the_machines_time_zone(tmp_path: Path) -> None:
    lines = (f"2020-01-{k % 28 + 1:02d} 10:00,2020-01-{k % 28 + 1:02d}T10:00:00+02:00,{k % 2}" for k in range(60))
    (tmp_path / "t.csv").write_text("\n".join(["plain,zone,t", *lines]))
    query = "COPY (SELECT plain::TIMESTAMP AS plain, zone::TIMESTAMPTZ AS zone, t FROM '{0}/t.csv') TO '{0}/t.parquet'"
    with duckdb.connect() as connection:
        connection.execute(query.format(tmp_path))
    program = (
        "import sys\nfrom backlight.data.tables.table import Table\n"
        "from backlight.data.tables.options import TableOptions\n"
        "from backlight.data.tables.reading import read_table\n"
        "for name in ('t.csv', 't.parquet'):\n"
        "    for most in (10, 1 << 20):\n"
        "        with Table(name, ('t',), None, most_bytes=most) as table:\n"
        "            columns = read_table(table, ('t',), None, TableOptions()).columns\n"
        "            _, cells = next(iter(columns.pieces(['plain', 'zone'])))\n"
        "            print(cells['plain'].seconds[0], cells['zone'].seconds[0])\n"
    )
    for zone in ("Asia/Tokyo", "America/New_York"):
        environment = os.environ | {"TZ": zone}
        said = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert said.stdout.splitlines() == ["1577872800.0 1577865600.0"] * 4
