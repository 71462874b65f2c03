from pathlib import Path
from typing import Any

import pytest

from backlight.data.tables.delimited import find_dialect
from backlight.data.tables.table import Table
from backlight.errors import InputError


def read(tmp_path: Path, content: str, **options: Any) -> dict[str, list[str | None]]:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with Table(path, **options) as table:
        return table.texts(table.names)


@pytest.mark.parametrize("separator", list("\t;|,:^~\x1f"))
def test_every_separator_is_found(tmp_path: Path, separator: str) -> None:
    content = "a,b,c\n1,x,7\n2,y z,8\n".replace(",", separator)
    assert read(tmp_path, content) == {"a": ["1", "2"], "b": ["x", "y z"], "c": ["7", "8"]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name   value\nab     1\ncde   22\n", {"name": ["ab", "cde"], "value": ["1", "22"]}),
        ("   a   b\n  1.0  2\n  3.5  4\n", {"a": ["1.0", "3.5"], "b": ["2", "4"]}),
        ('name v\n"New York" 1\nParis  2\n', {"name": ["New York", "Paris"], "v": ["1", "2"]}),
        ("'a','b'\n'x, y','2'\n'z','3'\n", {"a": ["x, y", "z"], "b": ["2", "3"]}),
        ("a,b\n1,'t is\n2,it's\n", {"a": ["1", "2"], "b": ["'t is", "it's"]}),
        ("text\nhello world\nfoo bar\n", {"text": ["hello world", "foo bar"]}),
        ("when,v\n12:30,1\n13:40,2\n", {"when": ["12:30", "13:40"], "v": ["1", "2"]}),
        ("a;b\n1;x,y\n2;y,z\n", {"a": ["1", "2"], "b": ["x,y", "y,z"]}),
        ("a,b\r1,2\r3,4\r", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b,\n1,2,\n", {"a": ["1"], "b": ["2"], "column2": [None]}),
    ],
)  # fmt: skip
def test_cells_and_quotes(tmp_path: Path, content: str, expected: Any) -> None:
    assert read(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ("!", "a!b\n1!2\n"),
        ("tab", "a,c\tb\n1\t2\n"),
        ("\\t", "a,c\tb\n1\t2\n"),
        ("space", "a  b\n1 2\n"),
        ("Comma", "a,b\n1,2\n"),
    ],
)
def test_a_separator_that_is_given(tmp_path: Path, given: str, content: str) -> None:
    assert list(read(tmp_path, content, separator=given).values()) == [["1"], ["2"]]


@pytest.mark.parametrize("given", ["ab", "", '"', "\n", "x"])
def test_what_cannot_separate(tmp_path: Path, given: str) -> None:
    with pytest.raises(InputError, match="give one character that stands between cells, or tab, or space"):
        read(tmp_path, "a,b\n1,2\n", separator=given)


@pytest.mark.parametrize(
    ("content", "decimal"),
    [
        ("a;b\n1,5;x\n", ","),
        ("a\tb\n1,5\tx\n", ","),
        ("a\tb\n1.5\tx\n", "."),
        ("a,b\n1.5,x\n", "."),
        ("a|b\n1,5|2.5\n", "."),
    ],
)
def test_the_decimal_sign(tmp_path: Path, content: str, decimal: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert find_dialect(path, lambda: tmp_path).decimal == decimal


def test_two_columns_of_one_name_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3: two columns are named 'a'"):
        read(tmp_path, "\n\na,b,a\n1,2,3\n")
