from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.data import ArrayInputs, Classes, Labels, Quantities, SeveralClasses, load, read_rows
from backlight.errors import InputError

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) % 2


def save(tmp_path: Path, name: str = "d.npz", **arrays: Any) -> Path:
    path = tmp_path / name
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("y", "target"),
    [
        (Y, Classes(("0", "1"))),
        (Y[:, None], Classes(("0", "1"))),
        (Y.astype(bool), Classes(("False", "True"))),
        (np.array([10, 9] * 10, np.uint8), Classes(("9", "10"))),
        (np.array(["é", "b"] * 10), Classes(("b", "é"))),
        (np.array([b"a", b"b"] * 10), Classes(("a", "b"))),
        (np.eye(3)[np.arange(20) % 3], Classes(("0", "1", "2"))),
        (np.ones((20, 3), np.int8), Labels(("label 0", "label 1", "label 2"))),
    ],
)
def test_targets_that_are_classes_or_labels(tmp_path: Path, y: Any, target: Any) -> None:
    data = load(save(tmp_path, x=X, y=y))
    assert data.target == target
    assert data.y.shape == ((20,) if isinstance(target, Classes) else y.shape)


@pytest.mark.parametrize("y", [Y / 3, np.stack([Y, 2 * Y], axis=1), np.stack([Y / 3, Y], axis=1)])
def test_targets_that_are_quantities(tmp_path: Path, y: Any) -> None:
    data = load(save(tmp_path, x=X, y=y))
    assert isinstance(data.target, Quantities)
    assert data.y.dtype == np.float32
    assert np.allclose(data.target.decode(data.y), y.reshape(20, -1), atol=1e-6)


def test_several_strings_are_several_questions(tmp_path: Path) -> None:
    y = np.array([["ab"[k % 2], "xyz"[k % 3]] for k in range(20)])
    data = load(save(tmp_path, x=X, y=y))
    assert data.target == SeveralClasses((Classes(("a", "b"), "y0"), Classes(("x", "y", "z"), "y1")))
    assert data.y.tolist() == [[k % 2, k % 3] for k in range(20)]
    assert data.target.decode(data.y) == [tuple(row) for row in y.tolist()]
    numbers = save(tmp_path, x=X, y=np.stack([Y, 2 + np.arange(20) % 3], axis=1))
    assert isinstance(load(numbers).target, Quantities)
    asked = load(numbers, task="classification")
    assert asked.target == SeveralClasses((Classes(("0", "1"), "y0"), Classes(("2", "3", "4"), "y1")))
    with pytest.raises(InputError, match="holds text; regression needs numbers"):
        load(save(tmp_path, x=X, y=y), task="regression")


def test_the_task_decides_where_it_is_given(tmp_path: Path) -> None:
    path = save(tmp_path, x=X, y=Y)
    assert isinstance(load(path, task="regression").target, Quantities)
    assert load(save(tmp_path, x=X, y=Y / 2), task="classification").target == Classes(("0", "0.5"))


def test_numbers_are_standardised_on_the_training_part(tmp_path: Path) -> None:
    data = load(save(tmp_path, x=X, y=Y), seed=3)
    train = data.x[data.rows["train"]]
    assert data.x.dtype == np.float32
    assert np.allclose(train.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(train.std(axis=0), 1, atol=1e-6)


def test_images_are_flattened_and_bytes_stay_bytes(tmp_path: Path) -> None:
    images = np.arange(120, dtype=np.uint8).reshape(20, 2, 3)
    data = load(save(tmp_path, x=images, y=Y))
    assert data.x.dtype == np.uint8
    assert data.inputs == ArrayInputs((2, 3), "uint8", (), ())
    assert data.inputs.names[-1] == "pixel 1,2"
    assert np.array_equal(data.x, images.reshape(20, 6))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": X, "y": Y}, "has no array 'x', only 'a', 'y'"),
        ({"x": X}, "has no array 'y', only 'x'"),
        ({"x": X, "y": Y[:-1]}, "x has 20 rows but y has 19 rows"),
        ({"x": X, "y": np.array(3)}, "x has 20 rows but y has no rows"),
        ({"x": X[:, 0], "y": Y}, r"x has shape \(20,\); it must be \(examples, inputs\)"),
        ({"x": X.reshape(20, 1, 1, 2), "y": Y}, r"x has shape \(20, 1, 1, 2\)"),
        ({"x": X[:0], "y": Y[:0]}, "so it holds nothing"),
        ({"x": X.astype(complex), "y": Y}, "x holds complex128; it must hold numbers"),
        ({"x": X.astype(str), "y": Y}, "x holds <U32; it must hold numbers"),
        ({"x": X.astype(object), "y": Y}, "array 'x' holds Python objects"),
        ({"x": X, "y": Y.astype(object)}, "array 'y' holds Python objects"),
        ({"x": X, "y": Y.reshape(20, 1, 1)}, r"y has shape \(20, 1, 1\); it must be"),
        ({"x": X, "y": np.zeros(20, int)}, "y is '0' in every row, and one class"),
        ({"x": X, "y": np.zeros(20)}, "'y' is 0 in every training row"),
        ({"x": X, "y": np.array([["a", "b"], ["b", "b"]] * 10)}, "y1 of y is 'b' in every row, and one class"),
        ({"x": np.where(X == 7, np.nan, X), "y": Y}, r"x\[3\] holds nan in column 1, and 1 values are not finite"),
        ({"x": np.where(X > 35, -np.inf, X), "y": Y}, r"x\[18\] holds -inf in column 0, and 4 values"),
        ({"x": np.where(X == 7, 1e200, X), "y": Y}, r"x\[3\] holds 1e\+200"),
        ({"x": X, "y": np.where(Y == 1, np.nan, 0.5)}, r"y\[1\] holds nan"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_learnt_from(tmp_path: Path, arrays: Any, words: str) -> None:
    path = save(tmp_path, **arrays)
    with pytest.raises(InputError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value) or "training row" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_files_that_are_no_npz(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is not a readable \.npz file"):
        load(path)


def test_every_way_of_cutting_and_breaking_a_file_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x=X, y=Y)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        for broken in (content[:place], content[:place] + b"\xff" + content[place + 1 :]):
            path.write_bytes(broken)
            try:
                load(path)
            except InputError as error:
                assert str(path) in str(error)  # noqa: PT017 - some breaks do no harm


def test_no_file_and_a_target_that_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        load(tmp_path / "none.npz")
    with pytest.raises(InputError, match="its target is y; leave out the target 'z'"):
        load(save(tmp_path, x=X, y=Y), target="z")


class TestNewRows:
    def test_the_same_file_gives_the_same_numbers(self, tmp_path: Path) -> None:
        for y in (Y, Y / 3, np.array(["a", "b"] * 10), np.ones((20, 2)), np.eye(2)[Y]):
            path = save(tmp_path, x=X, y=y)
            data = load(path)
            rows = read_rows(path, data.inputs, data.target, labelled=True)
            assert np.array_equal(rows.x, data.x)
            assert rows.y is not None
            assert np.array_equal(rows.y, data.y)
            assert rows.labels[19] == f"{path}:19"

    def test_several_questions_are_given_as_classes_or_indices(self, tmp_path: Path) -> None:
        y = np.array([["ab"[k % 2], "789"[k % 3]] for k in range(20)])
        data = load(save(tmp_path, x=X, y=y))
        for given in (y, np.stack([Y, 7 + np.arange(20) % 3], axis=1)):  # indices but where classes are numbers
            rows = read_rows(save(tmp_path, "new.npz", x=X, y=given), data.inputs, data.target, labelled=True)
            assert rows.y is not None
            assert rows.y.tolist() == data.y.tolist()
        for given, words in (
            (y[:, :1], r"y has shape \(20, 1\); the model expects 2 classes per example, of y0, y1"),
            (np.where(y == "b", "B", y), r"y\[1, 0\] is 'B', which is no class of this model; did you mean 'b'\?"),
            (np.stack([Y + 1, Y + 7], axis=1), r"y\[1, 0\] is '2', .*; give a class, or its index from 0 to 1"),
            (np.stack([Y, Y], axis=1), r"y\[0, 1\] is '0', which is no class of this model; there are '7'"),
        ):
            with pytest.raises(InputError, match=words):
                read_rows(save(tmp_path, "new.npz", x=X, y=given), data.inputs, data.target, labelled=True)

    def test_x_alone_is_enough(self, tmp_path: Path) -> None:
        data = load(save(tmp_path, x=X, y=Y))
        rows = read_rows(save(tmp_path, "new.npz", x=X[:2].astype(int)), data.inputs, data.target, labelled=False)
        assert rows.y is None
        assert np.array_equal(rows.x, data.x[:2])

    @pytest.mark.parametrize(
        ("arrays", "words"),
        [
            ({"x": X[:, :1], "y": Y}, r"an example of x has shape \(1,\), but the model expects 2"),
            ({"x": X}, "has no array 'y'"),
            ({"x": X, "y": Y + 1}, r"y\[1\] is '2', which is no class of this model"),
            ({"x": X, "y": X}, r"y has shape \(20, 2\)"),
            ({"x": X * np.nan, "y": Y}, r"x\[0\] holds nan"),
        ],
    )
    def test_arrays_that_do_not_fit(self, tmp_path: Path, arrays: Any, words: str) -> None:
        data = load(save(tmp_path, x=X, y=Y))
        with pytest.raises(InputError, match=words):
            read_rows(save(tmp_path, "new.npz", **arrays), data.inputs, data.target, labelled=True)

    def test_quantities_and_bytes_that_do_not_fit(self, tmp_path: Path) -> None:
        data = load(save(tmp_path, x=X.astype(np.uint8), y=Y / 2))
        with pytest.raises(InputError, match=r"d2\.npz: x is float64, but the model was trained on uint8"):
            read_rows(save(tmp_path, "d2.npz", x=X), data.inputs, data.target, labelled=False)
        new = save(tmp_path, "d2.npz", x=X.astype(np.uint8), y=X)
        with pytest.raises(InputError, match="the model expects 1 numbers per example"):
            read_rows(new, data.inputs, data.target, labelled=True)
        (tmp_path / "new.xyz").touch()
        with pytest.raises(InputError, match="is of a kind that Backlight does not read; give arrays"):
            read_rows(tmp_path / "new.xyz", data.inputs, data.target, labelled=False)
