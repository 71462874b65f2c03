"""Labels of images from folders, names and tables, and what they mean."""

from pathlib import Path
from typing import Any

import pytest
from tests.pictures import draw

from backlight.data import Classes, SeveralClasses
from backlight.data.images.files import ImageFiles, image_files
from backlight.data.images.label_tables import Labelled
from backlight.data.images.labels import divided_by_folder, find_labels, find_target, quantities
from backlight.data.images.options import ImageOptions
from backlight.errors import InputError


def found(folder: Path, target: str | None = None, **options: Any) -> tuple[ImageFiles, Labelled]:
    with image_files(folder) as files:
        return files, find_labels(files, files.names, ImageOptions(**options), () if target is None else (target,))


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    folder = tmp_path / "flat"
    for name in ("ab12_0.png", "cd34_1.png", "odd.png"):
        draw(folder / name)
    return folder


def table(tmp_path: Path, text: str) -> str:
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    return str(tmp_path / "labels.csv")


def test_the_first_folder_is_the_class(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/deep/2.png", "alone.png"):
        draw(tmp_path / name)
    _, labelled = found(tmp_path)
    assert labelled.rows == (None, ("cat",), ("dog",))
    assert labelled.notes == ("1 image without a label was left out: alone.png",)


def test_a_pattern_with_one_group_or_several(flat: Path) -> None:
    _, one = found(flat, label_from="(.+)_")
    assert (one.columns, one.rows) == ((None,), (("ab12",), ("cd34",), None))
    _, several = found(flat, label_from=r"(?P<first>.)(.)(.)(.)[_.]")
    assert several.columns == ("first", "label 2", "label 3", "label 4")
    assert several.rows == (("a", "b", "1", "2"), ("c", "d", "3", "4"), None)
    assert several.notes == ("1 image without a label was left out: odd.png",)
    _, optional = found(flat, label_from="^(a)?")
    assert optional.rows == (("a",), None, None)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(.+", "is no regular expression: missing"),
        (".+_", "which has no group; put what is the label into brackets"),
        ("", "which has no group"),
    ],
)
def test_patterns_that_cannot_be_used(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ImageOptions(label_from=pattern)


def test_a_pattern_that_matches_nothing(flat: Path) -> None:
    with pytest.raises(InputError, match=r"--label-from 'x\(.\)' matches none of the 3 names, such as 'ab12_0.png'"):
        found(flat, label_from="x(.)")


def test_labels_from_two_places() -> None:
    with pytest.raises(InputError, match="give --labels or --label-from, not both"):
        ImageOptions(label_from="(.)", labels="names.csv")


@pytest.mark.parametrize(
    "text",
    [
        "file,label\nab12_0.png,x\ncd34_1.png,y\n",
        "ab12_0.png;x\ncd34_1.png;y\n",
        "\ufeffid\tlabel\nab12_0\tx\n\ncd34_1\ty\n",
        "./ab12_0.png, x\n.\\cd34_1.png, y\n",
        'file,label\n"ab12_0.png","x"\r\ncd34_1.png,y\r\nab12_0.png,x\r\n',
    ],
)
def test_a_table_of_names_in_many_forms(tmp_path: Path, flat: Path, text: str) -> None:
    _, labelled = found(flat, labels=table(tmp_path, text))
    assert labelled.rows == (("x",), ("y",), None)
    assert len(labelled.columns) == 1


def test_names_in_a_table_may_lack_their_folder(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        draw(tmp_path / "f" / name)
    _, labelled = found(tmp_path / "f", labels=table(tmp_path, "2.png,x\n1.png,y\na/1.png,z\n"))
    assert labelled.rows == (("z",), None, ("x",))
    assert "1 image that" in labelled.notes[0]
    assert "does not exist: 1.png" in labelled.notes[0]


def test_labels_without_files_and_files_without_labels_are_counted_and_named(tmp_path: Path, flat: Path) -> None:
    path = table(tmp_path, "odd.png,x\nz1.png,x\nz2.png,y\nz3.png,x\nz4.png,x\nab12_0.png,\n")
    _, labelled = found(flat, labels=path)
    assert labelled.rows == (None, None, ("x",))
    assert labelled.notes == (
        f"4 images that {path} has labels for do not exist: z1.png, z2.png, z3.png, …",
        "2 images without a label were left out: ab12_0.png, cd34_1.png",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,x\nb.png,y\n", "labels.csv has labels for none of the 3 images, such as 'ab12_0.png'"),
        ("odd.png,x\nodd.png,y\n", "line 2: 'odd.png' is labelled 'y', and in another line 'x'; keep one"),
        ("odd.png,x\nodd.png,\n", "line 2: 'odd.png' is labelled nothing, and in another line 'x'"),
        ("odd.png,x\nab12_0.png,x,y\n", "line 2: there are 3 cells where the first line has 2"),
        ("odd.png\n", "must have a column of names and a column of labels"),
        ("", "must have a column of names and a column of labels"),
        ('odd.png,"x\n', "cannot read the labels .*: unexpected end of data"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, flat: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        found(flat, labels=table(tmp_path, text))


def test_files_that_are_no_table(tmp_path: Path, flat: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*none.csv"):
        found(flat, labels=str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match=r"ab12_0.png"):
        found(flat, labels=str(flat / "ab12_0.png"))


def test_several_columns_and_the_target_among_them(tmp_path: Path, flat: Path) -> None:
    path = table(tmp_path, "file,kind,colour\nodd.png,x,red\nab12_0.png,y,blue\n")
    assert found(flat, labels=path)[1].columns == ("kind", "colour")
    _, one = found(flat, "colour", labels=path)
    assert (one.columns, one.rows) == (("colour",), (("blue",), None, ("red",)))
    with pytest.raises(InputError, match="has no column 'color'; did you mean 'colour'"):
        found(flat, "color", labels=path)
    with pytest.raises(InputError, match="has no columns to choose from; leave out the target 'kind'"):
        found(flat, "kind", label_from="(.)")


def test_no_folders_for_classes(flat: Path) -> None:
    with pytest.raises(InputError, match=r"holds 3 images, such as 'ab12_0.png', but no folder for each class"):
        found(flat)


def divided(folder: Path, *names: str) -> tuple[list[str] | None, list[str], tuple[str, ...]]:
    for name in names:
        draw(folder / name)
    with image_files(folder) as files:
        found = divided_by_folder(files)
        assert len(found.files.names) == len(found.files.stamps) == len(found.within)
        return None if found.parts is None else list(found.parts), list(found.within), found.notes


THREE = ("Train/a/1.png", "test/b/2.png", "val/a/3.png")


def test_folders_that_are_parts(tmp_path: Path) -> None:
    assert divided(tmp_path / "parts", *THREE) == (
        ["train", "test", "validation"],
        ["a/1.png", "b/2.png", "a/3.png"],
        (),
    )
    for k, names in enumerate(
        [
            ("a/1.png", "b/1.png"),
            (*THREE, "other/4.png"),
            ("test/1.png", "val/2.png"),
            ("train/1.png", "training/2.png"),
        ]
    ):
        assert divided(tmp_path / str(k), *names) == (None, sorted(names), ())


def test_parts_stay_parts_beside_loose_images_and_folders_without_images(tmp_path: Path) -> None:
    (tmp_path / "meta" / "deep").mkdir(parents=True)
    parts, within, notes = divided(tmp_path, *THREE, "alone.png", "zoo.png")
    assert parts == ["train", "test", "validation"]
    assert within == ["a/1.png", "b/2.png", "a/3.png"]
    assert notes == ("2 images outside of the parts' folders were left out: alone.png, zoo.png",)


def test_what_labels_mean() -> None:
    def meant(rows: list[Any], task: str | None = None, *, measured: bool = True) -> Any:
        columns: tuple[str | None, ...] = (None,) if len(rows[0]) == 1 else ("a", "b")
        return find_target(columns, [tuple(map(str, row)) for row in rows], task, "f", measured=measured)

    assert meant([["x"], ["y"]]) == Classes(("x", "y"))
    assert meant([[10], [9]] * 3) == Classes(("9", "10"))
    assert meant([["x", 1], ["y", 2]] * 2) == SeveralClasses((Classes(("x", "y"), "a"), Classes(("1", "2"), "b")))
    numbers = [[i / 7] for i in range(40)]
    assert meant(numbers) is None
    assert meant([[i % 9] for i in range(40)], "regression") is None
    assert meant([[i] for i in range(15)] * 4, measured=False).width == 15
    assert meant([["x"], ["y"]], "regression") is None
    with pytest.raises(InputError, match="f is 'x' in every row, and one class gives nothing to learn"):
        meant([["x"], ["x"]])
    with pytest.raises(InputError, match="f: 'b' is '1' in every row"):
        meant([["x", 1], ["y", 1]])
    with pytest.raises(InputError, match="there are 50 different labels in 50 images, too many to be classes"):
        meant([[f"w{i}"] for i in range(50)])


@pytest.mark.parametrize("label", ["x", "nan", "inf", "1e999", "1,5"])
def test_labels_that_are_no_numbers(label: str) -> None:
    with pytest.raises(InputError, match=f"f: the label '{label}' of 'b' is no number, and regression needs numbers"):
        quantities((None, "b"), [("1", "2"), ("1", label)], "f")


def test_numbers_among_labels_that_are_not_finite_are_text() -> None:
    rows = [(str(value),) for value in ("nan", "inf", 1.5)] * 2
    assert isinstance(find_target((None,), rows, None, "f", measured=True), Classes)
