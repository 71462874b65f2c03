"""New images for a trained model: stretched to its size, in its colours, labelled as its own were."""

from pathlib import Path

import numpy as np
import pytest
from tests.pictures import RED, draw, draw_classes, pack

from backlight.data import ArrayInputs, Classes, ImageInputs, ImageOptions, Quantities, SeveralClasses, load, read_rows
from backlight.errors import InputError

GREY, COLOURED = ImageInputs((4, 6), "uint8"), ImageInputs((4, 6, 3), "uint8")
PETS = Classes(("cat", "dog"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "new", count=2)


def test_a_folder_and_a_zip_with_and_without_labels(folder: Path, tmp_path: Path) -> None:
    rows = read_rows(folder, COLOURED, PETS, labelled=True)
    assert rows.labels == tuple(f"{folder}/{name}" for name in ("cat/00.png", "cat/01.png", "dog/00.png", "dog/01.png"))
    assert rows.y is not None
    assert rows.y.tolist() == [0, 0, 1, 1]
    zipped = read_rows(pack(folder, tmp_path / "z.zip"), COLOURED, PETS, labelled=False)
    assert np.array_equal(zipped.x, rows.x)
    assert zipped.y is None
    assert read_rows(folder / "cat", GREY, PETS, labelled=False).x.shape == (2, 24)


def test_one_image_in_the_colours_of_the_model(tmp_path: Path) -> None:
    path = draw(tmp_path / "1.png", RED)
    assert read_rows(path, COLOURED, PETS, labelled=False).x[0, 3:6].tolist() == list(RED)
    grey = 0.299 * RED[0] + 0.587 * RED[1] + 0.114 * RED[2]
    assert abs(int(read_rows(path, GREY, PETS, labelled=False).x[0, 1]) - grey) < 1
    plain = draw(tmp_path / "f" / "2.png", (7,))
    for source in (plain, plain.parent):
        assert read_rows(source, COLOURED, PETS, labelled=False).x[0, 3:].tolist() == [7] * 69
    fractions = read_rows(path, ImageInputs((4, 6), "float32"), PETS, labelled=False).x
    assert fractions.max() <= 1


def test_other_sizes_are_stretched_with_a_note(folder: Path) -> None:
    rows = read_rows(folder, ImageInputs((2, 2), "uint8"), PETS, labelled=False)
    assert rows.x.shape == (4, 4)
    assert rows.notes == ("images were stretched to 2x2 pixels from 6x4, their median",)


def test_labels_as_the_model_has_them(tmp_path: Path) -> None:
    for name in ("ax_1.png", "by_2.png"):
        draw(tmp_path / "f" / name)
    several = SeveralClasses((Classes(("a", "b"), "1"), Classes(("x", "y", "z"), "2")))
    rows = read_rows(tmp_path / "f", GREY, several, labelled=True, options=ImageOptions(label_from="(.)(.)_"))
    assert rows.y is not None
    assert rows.y.tolist() == [[0, 0], [1, 1]]
    age = Quantities(("age",), (1.0,), (2.0,))
    rows = read_rows(tmp_path / "f", GREY, age, labelled=True, options=ImageOptions(label_from="_(.)"))
    assert rows.y is not None
    assert rows.y.tolist() == [[0.0], [0.5]]
    with pytest.raises(InputError, match="an image has 1 label, and the model answers 2"):
        read_rows(tmp_path / "f", GREY, several, labelled=True, options=ImageOptions(label_from="_(.)"))
    with pytest.raises(InputError, match="the label '2' is no class of this model; there are 'a', 'b'"):
        read_rows(tmp_path / "f", GREY, Classes(("a", "b")), labelled=True, options=ImageOptions(label_from="_(2)"))
    with pytest.raises(InputError, match="the label 'x' of 'age' is no number"):
        read_rows(tmp_path / "f", GREY, age, labelled=True, options=ImageOptions(label_from="(.)_"))


def test_labels_are_found_as_everywhere_else(tmp_path: Path) -> None:
    for name in ("TRUE_1.0.png", "False_02.png"):
        draw(tmp_path / name)
    several = SeveralClasses((Classes(("false", "true"), "1"), Classes(("1", "2"), "2")))
    rows = read_rows(tmp_path, GREY, several, labelled=True, options=ImageOptions(label_from=r"(.+)_(.+)\.png"))
    assert rows.y is not None
    assert rows.y.tolist() == [[0, 1], [1, 0]]


def test_images_that_cannot_be_measured(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the label 'cat' is no class of this model; did you mean 'cats'"):
        read_rows(folder, COLOURED, Classes(("cats", "dog")), labelled=True)
    with pytest.raises(InputError, match="but no folder for each class"):
        read_rows(folder / "cat", COLOURED, PETS, labelled=True)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none holds no images"):
        read_rows(tmp_path / "none", COLOURED, PETS, labelled=False)
    with pytest.raises(InputError, match="holds images, but the model was trained on numbers"):
        read_rows(folder, ArrayInputs((24,), "uint8", (), ()), PETS, labelled=False)


def test_a_label_that_is_not_finite_is_refused_or_none(tmp_path: Path) -> None:
    for name in ("nan_1.png", "1_2.png"):
        draw(tmp_path / "f" / name)
    age = Quantities(("age",), (1.0,), (2.0,))
    with pytest.raises(InputError, match="the label 'nan' of 'age' is no number"):
        read_rows(tmp_path / "f", GREY, age, labelled=True, options=ImageOptions(label_from="(.+)_"))
    (tmp_path / "l.csv").write_text("file,age\nnan_1,nan\n1_2,3\n")
    rows = read_rows(tmp_path / "f", GREY, age, labelled=True, options=ImageOptions(labels=str(tmp_path / "l.csv")))
    assert rows.y is not None
    assert rows.y.tolist() == [[1.0]]
    assert rows.notes == ("1 image without a label was left out: nan_1.png",)


def test_broken_new_images(folder: Path) -> None:
    (folder / "cat" / "00.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"cat/00.png is not an image"):
        read_rows(folder, COLOURED, PETS, labelled=True)
    rows = read_rows(folder, COLOURED, PETS, labelled=True, options=ImageOptions(skip_broken=True))
    assert rows.y is not None
    assert rows.y.tolist() == [0, 1, 1]
    assert rows.notes == ("cat/00.png is not an image that can be read, and was left out",)
    with pytest.raises(InputError, match=r"cat/00.png is not an image that can be read"):
        read_rows(folder / "cat" / "00.png", COLOURED, PETS, labelled=False)
    (folder / "cat" / "dir.png").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        read_rows(folder / "cat" / "dir.png", COLOURED, PETS, labelled=False)


def test_the_model_says_which_columns_of_labels_and_in_which_order(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    for number in range(12):
        draw(folder / f"n{number}.png")
    rows = [f"n{number}.png,{'xy'[number % 2]},{'pqr'[number % 3]},{number}.5" for number in range(12)]
    (tmp_path / "l.csv").write_text("\n".join(["file,a,b,c", *rows, ""]), encoding="utf-8")
    options = ImageOptions(labels=str(tmp_path / "l.csv"))
    for target in (["b", "a"], ["b"], ["c"]):
        data = load(folder, target=target, options=options)
        new = read_rows(folder, data.inputs, data.target, labelled=True, options=options)
        assert np.array_equal(np.asarray(new.y), data.y), target
