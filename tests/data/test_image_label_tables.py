"""Tables and arrays of labels: which line means which image, what a missing label is, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from backlight.data.images.label_tables import Labelled, labels_of
from backlight.errors import InputError

NAMES = ("a/cat1.png", "a/dog1.png", "b/dog2.png")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def read(path: Path, text: str, *targets: str, encoding: str = "utf-8") -> Labelled:
    path.write_text(text, encoding=encoding)
    return labels_of(path, NAMES, targets)


@pytest.mark.parametrize("other", ["cat1", "a/cat1.png", "./a/cat1.png", "a\\cat1.png"])
def test_two_names_of_one_image_are_compared(path: Path, other: str) -> None:
    assert read(path, f"cat1.png,x\n{other},x\ndog1,y\n").rows == (("x",), ("y",), None)
    with pytest.raises(
        InputError, match=r"line 3: '.*cat1.*' is labelled 'y', and in another line, as 'cat1.png', 'x'"
    ):
        read(path, f"cat1.png,x\ndog1,y\n{other},y\n")


def test_only_the_labels_that_are_used_are_compared_and_needed(path: Path) -> None:
    text = "file,kind,colour\ncat1,x,red\ncat1.png,x,blue\ndog1,y,\n"
    assert read(path, text, "kind").rows == (("x",), ("y",), None)
    with pytest.raises(InputError, match=r"'cat1.png' is labelled 'blue', and in another line, as 'cat1', 'red'"):
        read(path, text, "colour")


def test_a_first_line_that_names_an_image_is_no_heading(path: Path) -> None:
    assert read(path, "cat1,x\ndog1,y\n") == Labelled((None,), (("x",), ("y",), None), (), measured=True)
    assert read(path, "cat1,x,1\ndog1,y,2\n").columns == ("label 1", "label 2")
    assert read(path, "image,x\ndog1,y\n").columns == ("x",)


@pytest.mark.parametrize("folder", ["pets/", "all/pets/", "/home/all/pets/", "./pets/"])
def test_names_may_begin_with_the_folder_of_the_images(path: Path, folder: str) -> None:
    for heading in ("file,kind\n", ""):
        path.write_text(f"{heading}{folder}a/cat1,x\n{folder}b/dog2.png,y\n{folder}dog1.png,z\n")
        names = ("a/cat1", "a/dog1.png", "b/dog2.png")
        assert labels_of(path, names, folder="/home/all/pets").rows == (("x",), ("z",), ("y",))
    path.write_text("other/a/cat1,x\nets/a/dog1.png,y\nb/dog2.png,y\n")
    assert labels_of(path, names, folder="/home/all/pets").rows == (None, None, ("y",))


def test_columns_without_a_single_cell_do_not_count(path: Path) -> None:
    assert read(path, "file,kind,\ncat1,x,\ndog1,y,\n") == Labelled(
        ("kind",), (("x",), ("y",), None), (), measured=True
    )
    assert read(path, "cat1,,x\ndog1,,y\n").columns == (None,)
    with pytest.raises(InputError, match="must have a column of names and a column of labels"):
        read(path, "cat1,\ndog1,\n")


def test_a_target_of_a_table_without_a_heading(path: Path) -> None:
    assert read(path, "cat1.png,x\n", "kind").columns == ("kind",)
    assert read(path, "cat1.png,x,7\n", "label 2").rows[0] == ("7",)
    with pytest.raises(InputError, match="has no column 'kind', for its first line is no line of names"):
        read(path, "cat1.png,x,7\n", "kind")
    with pytest.raises(InputError, match="has no column 'kind', for its first line is no line of names"):
        read(path, "cat1.png,x\n", "kind", "colour")


def test_columns_of_one_name_and_columns_without_one(path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1: two columns are named 'kind'; give every column a name of its own"):
        read(path, "file,kind,kind\ncat1,x,y\n")
    assert read(path, "file,,kind\ncat1,x,y\n").columns == ("label 1", "kind")


@pytest.mark.parametrize("word", ["", "NA", "nan", "NaN", "null", "?"])
def test_words_for_a_missing_label(path: Path, word: str) -> None:
    assert read(path, f"file,size\ncat1,{word}\ndog1,2.5\n").rows == (None, ("2.5",), None)


def test_missing_labels_of_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([1.0, np.nan, 2.5, 4.0]))
    found = labels_of(tmp_path / "y.npy", ["0", "1", "2"])
    assert found.rows == (("1",), None, ("2.5",))
    assert found.notes == (f"1 image that {tmp_path / 'y.npy'} has labels for does not exist: 3",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_encodings(path: Path, encoding: str) -> None:
    assert read(path, "Datei;Straße\ncat1;Köln\ndog1;Fürth\n", encoding=encoding).rows[:2] == (("Köln",), ("Fürth",))
