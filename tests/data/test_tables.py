from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backlight.data.tables.table import Table
from backlight.errors import InputError


def table(tmp_path: Path, content: str | bytes, name: str = "t.csv", wanted: Sequence[str] = ()) -> Table:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Table(path, wanted)


def read(tmp_path: Path, content: str | bytes, **options: Any) -> tuple[dict[str, list[str | None]], list[int]]:
    with table(tmp_path, content, **options) as opened:
        texts = opened.texts(opened.names)
        assert opened.source.dialect is not None
        return texts, list(opened.source.dialect.lines())


@pytest.mark.parametrize(
    ("content", "expected", "lines"),
    [
        ("a,b\n1,x\n2,y\n", {"a": ["1", "2"], "b": ["x", "y"]}, [2, 3]),
        ("a\tb\n1\tx\n", {"a": ["1"], "b": ["x"]}, [2]),
        ("a;b\n1,5;x\n", {"a": ["1,5"], "b": ["x"]}, [2]),
        ("a|b\n1|x\n", {"a": ["1"], "b": ["x"]}, [2]),
        ("a, b\n1, x\n", {"a": ["1"], "b": ["x"]}, [2]),
        (b"\xef\xbb\xbfa,b\n1,x\n", {"a": ["1"], "b": ["x"]}, [2]),
        ("a,b\r\n1,x\r\n\r\n2,y\r\n", {"a": ["1", "2"], "b": ["x", "y"]}, [2, 4]),
        ("\n\na,b\n1,x", {"a": ["1"], "b": ["x"]}, [4]),
        ("a,b\n1,x\n,\n", {"a": ["1", None], "b": ["x", None]}, [2, 3]),
        ("1,2\n3,4\n", {"column0": ["1", "3"], "column1": ["2", "4"]}, [1, 2]),
        ("p,q\nr,s\n", {"p": ["r"], "q": ["s"]}, [2]),
        ("2001,t\n5,6\n", {"2001": ["5"], "t": ["6"]}, [2]),
        (",b\n1,x\n", {"column0": ["1"], "b": ["x"]}, [2]),
        ("a\n1\n\n2\n", {"a": ["1", None, "2"]}, [2, 3, 4]),
        ('select,"or""der"\n1,"x, ""y""\nz"\n2,w\n', {"select": ["1", "2"], 'or"der': ['x, "y"\nz', "w"]}, [2, 4]),
        ("a\nNA\nnan\n NaN \nnull\nn/a\n?\nnone\n", {"a": [None] * 6 + ["none"]}, [2, 3, 4, 5, 6, 7, 8]),
    ],
)  # fmt: skip
def test_what_is_read(tmp_path: Path, content: Any, expected: Any, lines: Any) -> None:
    assert read(tmp_path, content) == (expected, lines)


def test_a_wanted_name_makes_a_header(tmp_path: Path) -> None:
    assert read(tmp_path, "2001,2002\n1,2\n")[0] == {"column0": ["2001", "1"], "column1": ["2002", "2"]}
    assert read(tmp_path, "2001,2002\n1,2\n", wanted=["2002"])[0] == {"2001": ["1"], "2002": ["2"]}


@pytest.mark.parametrize("name", ["a[1]*?.csv", "it's;.csv", 'ü "q".csv'])
def test_odd_file_names(tmp_path: Path, name: Any) -> None:
    read(tmp_path, "a,b\n9,9\n", name="a1xx.csv")
    assert read(tmp_path, "a,b\n1,x\n", name=name)[0] == {"a": ["1"], "b": ["x"]}


def test_types_come_from_the_whole_file(tmp_path: Path) -> None:
    with table(tmp_path, "a,b\n" + "1,2\n" * 30_000 + "oops,2\n") as opened:
        profile = opened.profiles()["a"]
        assert (profile.filled, profile.numbers, opened.different("a")) == (30_001, 30_000, 2)
        with pytest.raises(InputError, match=r"t\.csv, line 30002, column 'a': 'oops' is text where a number"):
            opened.numbers(["a"])


def test_numbers_and_missing_values(tmp_path: Path) -> None:
    with table(tmp_path, "a,b\n1e3,\n+.5,NA\n-7,2\n") as opened:
        numbers = opened.numbers(["b", "a"])
    assert numbers["a"].tolist() == [1000.0, 0.5, -7.0]
    assert np.isnan(numbers["b"]).tolist() == [True, True, False]


def test_a_decimal_comma_is_read_where_semicolons_separate(tmp_path: Path) -> None:
    with table(tmp_path, "a;b\n1,5;2\n-0,25;3\n") as opened:
        assert opened.numbers(["a"])["a"].tolist() == [1.5, -0.25]


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e400", "1e101"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, value: Any) -> None:
    with (
        table(tmp_path, f"a,b\n1,2\n\n{value},2\n") as opened,
        pytest.raises(InputError, match=rf"line 4, column 'a': '{value}' is not a finite number"),
    ):
        opened.numbers(["a"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "has no rows beneath its header"),
        ("a,b,c\n1,2,3\n4,5\n", "line 3: there are 2 cells where the first line has 3"),
        ("a,b,c\n1,2,3\n4,5,6,7\n", "line 3: there are 4 cells where the first line has 3"),
        ("a,b,c\n" + "1,2,3\n" * 50 + "4\n" + "1,2,3\n" * 50, "line 52: there is 1 cell where"),
        ("a,b\n1,2,3\n1,2,3\n", "line 2: there are 3 cells where the first line has 2"),
        ('a,b\n1,"x\n2,y\n', "a quote is opened and not closed"),
        (bytes(range(256)), "is a binary file"),
        (b"\x89PNG\r\n\x1a\n\x99\x98", "is a binary file"),
        ("a,b,a\n1,2,3\n", "line 1: two columns are named 'a'; give every column a name of its own"),
        ("a,b\r\n1,2\n3,4\r\n", "its lines end in different ways"),
        ("a,b\n1," + "x" * 200_000 + "\n", "line 2 is not readable as a table"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        table(tmp_path, content)
    assert "t.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        Table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="holds no Parquet files"):
        Table(tmp_path)


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=6)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
@example([("", "''")])
@example([("'a'", "'b'")])
def test_any_text_survives_quoting_and_keeps_its_line(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    lines, content = [], "first,second\n"
    for row in rows:
        lines.append(content.count("\n") + 1)
        content += ",".join(map(quoted, row)) + "\n"
    cells, found = read(tmp_path_factory.mktemp("any"), content, wanted=["first"])
    missing = {"", "NA", "N/A", "NAN", "NULL", "?"}
    for column, name in enumerate(("first", "second")):
        expected = [value[column].strip(" ") for value in rows]
        assert cells[name] == [None if value.upper() in missing else value for value in expected]
    assert found == lines


def test_a_wide_table_is_read(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(800)]
    with table(tmp_path, ",".join(names) + "\n" + (",".join("7" for _ in names) + "\n") * 20) as opened:
        assert all(profile.numbers == 20 for profile in opened.profiles().values())
        assert opened.numbers(names)["c799"].tolist() == [7.0] * 20
