from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from backlight.data import TableOptions, load
from backlight.data.tables.cells import Moments
from backlight.data.tables.column_types import DATE_FORMATS, ColumnType, parse_types, stored_kind
from backlight.data.tables.table import Table
from backlight.errors import InputError


def put(tmp_path: Path, cells: Any, separator: str = ";") -> Path:
    path = tmp_path / "t.csv"
    rows = (f"{cell}{separator}{i * 7 % 11 / 4}{separator}{'xy'[i % 2]}\n" for i, cell in enumerate(cells))
    path.write_text(f"c{separator}v{separator}y\n" + "".join(rows))
    return path


CASES = [(name, form) for name, forms in DATE_FORMATS.items() for form in forms or ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")]


@pytest.mark.parametrize(("name", "form"), CASES)
def test_every_way_to_write_a_moment(tmp_path: Path, name: str, form: str) -> None:
    moments = [datetime(2021, 1 + i % 12, 13 + i % 15, i % 24, 0, 0, tzinfo=UTC) for i in range(40)]
    with Table(put(tmp_path, [f"{moment:{form}}" for moment in moments])) as table:
        profile = table.profiles()["c"]
        assert profile.date_format == name
        cells = table.columns({"c": ColumnType("date", name)})["c"]
    assert isinstance(cells, Moments)
    for moment, seconds in zip(moments, cells.seconds, strict=True):
        read = datetime.strptime(f"{moment:{form}}", form).replace(tzinfo=UTC)
        expected = read.timestamp() if "%Y" in form or "%y" in form else read.hour * 3600
        assert seconds == expected


def test_moments_with_a_zone_are_told_apart_in_utc(tmp_path: Path) -> None:
    with Table(put(tmp_path, ["2024-01-01T10:00:00+02:00", "2024-01-01T08:00:00Z", "2024-01-01 08:00:00"])) as table:
        cells = table.columns({"c": ColumnType("date", "year-month-day")})["c"]
    assert isinstance(cells, Moments)
    assert len(set(cells.seconds)) == 1


def test_an_ambiguous_date_is_noted(tmp_path: Path) -> None:
    notes = load(put(tmp_path, [f"0{i % 9 + 1}/0{i % 8 + 1}/2024" for i in range(60)]), target="y").notes
    assert notes == ("the dates in 'c' were read as month/day/year, and could be day/month/year as well",)
    assert load(put(tmp_path, [f"{i % 28 + 1:02}/0{i % 8 + 1}/2024" for i in range(60)]), target="y").notes == ()


def test_a_cell_among_dates_that_is_none_is_noted_and_named_on_request(tmp_path: Path) -> None:
    path = put(tmp_path, ["soon" if i == 5 else f"{i % 28 + 1:02}.03.2024" for i in range(60)])
    assert (
        "'c' was read as text: all but 1 of its values are dates (as day.month.year)" in load(path, target="y").notes[0]
    )
    with pytest.raises(InputError, match=r"line 7, column 'c': 'soon' is no date or time written as day.month.year"):
        load(path, target="y", options=TableOptions(types=("c=date",)))


SQL = {
    "(i * 0.37)::DECIMAL(9, 2)": "number", "i::HUGEINT": "number", "i::UTINYINT": "number", "to_minutes(i)": "number",
    "i::FLOAT": "number", "DATE '2020-01-01' + i::INT": "date", "TIMESTAMP_S '2020-01-01'": "date",
    "TIME '10:00'": "date", "TIMESTAMPTZ '2020-01-01'": "date", "uuid()": "text", "i % 2 = 0": "text",
    "'a'::ENUM('a', 'b')": "text", "NULL": "number", "[i]": None, "[1.5::DECIMAL(9, 2)]": None, "{'a': i}": None,
    "[TIMESTAMP '2020-01-01']": None, "MAP {'a': i}": None, "'a'::BLOB": None, "[i, i]::FLOAT[2]": None,
}  # fmt: skip


@pytest.mark.parametrize("sql", SQL)
def test_what_duckdb_stores(sql: str) -> None:
    row = duckdb.connect().execute(f"DESCRIBE SELECT {sql} AS c FROM range(3) r(i)").fetchone()
    assert row is not None
    assert stored_kind(row[1]) in {SQL[sql], "text" if sql == "NULL" else SQL[sql]}


@pytest.mark.parametrize(("sql", "kind"), [("(i * 0.5)::DECIMAL(9, 1)", "date"), ("DATE '2020-01-01'", "number")])
def test_numbers_are_no_dates_and_dates_no_numbers(tmp_path: Path, sql: str, kind: str) -> None:
    path = tmp_path / "t.parquet"
    duckdb.connect().execute(f"COPY (SELECT {sql} AS c, i % 2 AS y FROM range(40) r(i)) TO '{path}' (FORMAT parquet)")
    with pytest.raises(InputError, match=r"column 'c' holds .* are expected; convert it, or give another column"):
        load(path, target="y", options=TableOptions(types=(f"c={kind}",)))


def test_types_of_columns_with_odd_names() -> None:
    assert parse_types(["a,b=text"], ["a,b"]) == {"a,b": "text"}
    assert parse_types(["a=b=date"], ["a=b"]) == {"a=b": "date"}
    with pytest.raises(InputError, match="write COLUMN=TYPE, where TYPE is number, text, date"):
        parse_types(["a=nmber"], ["a"])
    with pytest.raises(InputError, match="--types names the column 'b'; there are 'a'"):
        parse_types(["b=text"], ["a"])
