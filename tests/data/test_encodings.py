from pathlib import Path

import pytest

from backlight.data.tables.encodings import find_encoding, write_copy
from backlight.errors import InputError

GERMAN = "stadt,wert\n" + "München,1\nKöln,2\nZürich,3\nStraße,4\n" * 9
RUSSIAN = "город,число\n" + "Москва,1\nКазань,2\nНовосибирск,3\nСанкт-Петербург,4\n" * 9
CHINESE = "城市,数\n" + "北京市,1\n上海市,2\n广州市,3\n深圳市,4\n" * 9
JAPANESE = "都市,数\n" + "東京都,1\n大阪府,2\n北海道,3\nデータ,4\n" * 9


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        ("a,b\n1,2\n", "ascii", "utf-8"),
        (GERMAN, "utf-8", "utf-8"),
        (GERMAN, "utf-8-sig", "utf-8"),
        (GERMAN, "utf-16", "utf-16"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-32", "utf-32"),
        (GERMAN, "utf-32-le", "utf-32-le"),
        (GERMAN, "utf-32-be", "utf-32-be"),
        (GERMAN, "latin-1", "cp1252"),
        (GERMAN + "“€”,5\n", "cp1252", "cp1252"),
        (RUSSIAN, "utf-16-le", "utf-16-le"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8_r"),
        ("name,wert\n" + "Łódź,1\nGdańsk,2\nŻywiec,3\nŚwidnica,4\n" * 9, "cp1250", "cp1250"),
        ("name,wert\n" + "Αθήνα,1\nΘεσσαλονίκη,2\nΠάτρα,3\n" * 9, "cp1253", "cp1253"),
        ("name,number\n" + "Москва,1.25\nКазань,2\nНовосибирск,3\n" * 9, "cp1251", "cp1251"),
        (CHINESE, "utf-16-be", "utf-16-be"),
        (CHINESE, "gb18030", "gb18030"),
        (JAPANESE, "shift_jis", "cp932"),
    ],
)
def test_an_encoding_is_found_and_the_copy_is_the_same_text(
    tmp_path: Path, text: str, written: str, found: str
) -> None:
    path, copy = tmp_path / "t.csv", tmp_path / "copy.txt"
    path.write_bytes(text.encode(written))
    assert find_encoding(path) == found
    write_copy(path, found, copy)
    assert copy.read_text(encoding="utf-8-sig") == text


def test_a_late_letter_decides(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,x\n" * 400_000 + "1,Köln\n".encode("latin-1"))
    assert find_encoding(path) == "cp1252"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GERMAN.encode() + "Köln,7\n".encode("latin-1"), "line 38 is not UTF-8 text, as the rest of the file is"),
        (bytes(range(256)) * 8, "is a binary file; give a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        (b"\x01\x02\xff\xfe", "is a binary file"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        find_encoding(path)


def test_a_byte_that_does_not_fit_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(InputError, match=r"t\.csv, line 1 is not utf-8 text; save the file as UTF-8"):
        write_copy(path, "utf-8", tmp_path / "copy.txt")


def test_runs_of_spaces_become_tabs_but_not_within_quotes(tmp_path: Path) -> None:
    path, copy = tmp_path / "t.txt", tmp_path / "copy.txt"
    path.write_text('name      value\n"New York"   1\n  Paris 22\n')
    write_copy(path, "utf-8", copy, tabs=True)
    assert copy.read_text() == 'name\tvalue\n"New York"\t1\nParis\t22\n'
