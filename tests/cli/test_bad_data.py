"""Data that cannot be used: one sentence, exit code 2, nothing written."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from backlight.data import fetching
from backlight.data.idx import FILES
from tests.cli.terminal import INPUTS_OF_KIND, backlight, refused_in_one_line, write_arrays


def test_no_such_file():
    refused_in_one_line("there is no file nothing.csv", "train", "nothing.csv")


def test_no_such_built_in_data_with_the_nearest_name():
    refused_in_one_line("no built-in data set 'digitz'; did you mean 'digits'?", "train", "digitz")


def test_a_folder_and_an_unknown_kind_of_file():
    Path("folder").mkdir()
    refused_in_one_line("folder holds no images; give a folder (or a zip)", "train", "folder")
    Path("table.xlsx").write_text("x")
    refused_in_one_line("table.xlsx is of a kind that Backlight does not read", "train", "table.xlsx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.csv is empty; give a file with a line of column names and a line per example"),
        (b"a,kind\n", "bad.csv has no rows beneath its header"),
        (b"a,b,kind\n1,2,x\n3,y\n4,5,x\n", "bad.csv, line 3: there are 2 cells where the first line has 3"),
        (bytes(range(256)) * 4, "bad.csv is a binary file; give a text file"),
        (b"a,kind\n\x01\xff\xfe,x\n", "bad.csv is a binary file; give a text file"),
        (b"a,kind\n1,x\n2,x\n3,x\n", "the target 'kind' is 'x' in every row, and one class gives nothing to learn"),
        (b"a,kind\n1,\n2,\n", "the target 'kind' has no values; choose another target"),
        (b"a,kind\n1,x\ninf,y\n2,x\n3,y\n", "bad.csv, line 3, column 'a': 'inf' is not a finite number"),
        (b"kind\nx\ny\nx\ny\n", "bad.csv has no column to learn 'kind' from"),
    ],
)
def test_a_table_that_cannot_be_used(content, message):
    Path("bad.csv").write_bytes(content)
    refused_in_one_line(message, "train", "bad.csv", "--target", "kind")


def test_no_such_target_with_the_nearest_name():
    refused_in_one_line("table.csv has no column 'kin'; did you mean 'kind'?", "train", "table.csv", "--target", "kin")


def test_a_table_needs_a_target():
    refused_in_one_line(
        "which column of table.csv is to be predicted? give --target; there are 'length'", "train", "table.csv"
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.array([[1.0, np.nan]] * 4), "y": [0, 1, 0, 1]}, "x[0] holds nan in column 1, and 4 values are not"),
        ({"x": np.array([[1.0, 2.0], [-np.inf, 1.0]]), "y": [0, 1]}, "x[1] holds -inf in column 0"),
        ({"y": np.array([0.5] * 39 + [np.nan])}, "y[39] holds nan"),
        ({"y": np.zeros(40, np.int64)}, "y is '0' in every row, and one class gives nothing to learn"),
        ({"y": np.arange(39) % 2}, "x has 40 rows but y has 39 rows"),
        ({"y": None}, "has no array 'y', only 'x'"),
        ({"y": np.array([{}] * 40, object)}, "array 'y' holds Python objects; save it as numbers or strings"),
    ],
)
def test_arrays_that_cannot_be_used(arrays, message):
    write_arrays(Path("bad.npz"), **arrays)
    refused_in_one_line(message, "train", "bad.npz")


def test_a_file_that_is_no_npz():
    Path("bad.npz").write_bytes(b"")
    refused_in_one_line("bad.npz is not a readable .npz file", "train", "bad.npz")


def test_arrays_have_no_columns_to_choose():
    refused_in_one_line("leave out the target 'y'", "train", "arrays.npz", "--target", "y")


def idx_files(folder: Path) -> Path:
    """A small data set in the form of MNIST."""
    folder.mkdir(parents=True)
    for file, count in zip(FILES, (40, 40, 20, 20), strict=True):
        images = file.endswith("idx3-ubyte")
        shape = (count, 28, 28) if images else (count,)
        values = np.arange(np.prod(shape)) % (251 if images else 10)
        head = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
        (folder / file).write_bytes(head + values.astype(np.uint8).tobytes())
    return folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (
            0,
            lambda content: b"\0\0\x0d\x03" + content[4:],
            "is no IDX file of images: it begins with 0x00000d03, where",
        ),
        (1, lambda content: b"", "is no IDX file of labels: it is empty"),
        (2, lambda content: content[:-1], "holds 15,679 values where its header promises 20 x 28 x 28 = 15,680"),
        (3, lambda content: content + b"\0", "holds 21 values where its header promises 20 = 20"),
        (3, lambda content: content[:6], "is cut short within its first 8 bytes"),
    ],
)
def test_an_idx_file_with_a_wrong_magic_number_or_length(place, change, message, packed, monkeypatch):
    monkeypatch.setenv("BACKLIGHT_DATA", str(Path("sets").absolute()))
    path = idx_files(Path("sets/mnist")) / FILES[place]
    content = change(path.read_bytes())
    path.unlink()
    path = path.with_name(f"{path.name}.gz") if packed else path
    path.write_bytes(gzip.compress(content) if packed else content)
    refused_in_one_line(f"{path} {message}".replace("sets/", f"{Path.cwd()}/sets/"), "train", "mnist")


def test_the_idx_files_of_these_tests_are_sound(monkeypatch):
    monkeypatch.setenv("BACKLIGHT_DATA", str(Path("sets").absolute()))
    idx_files(Path("sets/mnist"))
    result = backlight("train", "mnist", "--epochs", "1", "--layers", "4", "--json")
    assert result.code == 0
    assert {"loss", "accuracy", "macro_f1", "confusion"} < result.json["metrics"]["test"].keys()


def test_a_set_that_is_not_there_says_what_to_put_where(tmp_path):
    refused_in_one_line(f"{FILES[0]}, {FILES[1]}, {FILES[2]}, {FILES[3]}", "train", "mnist")
    error = backlight("train", "mnist").err
    assert "backlight data get mnist" in error
    assert str(tmp_path / "cache" / "backlight" / "mnist") in error


def test_fetching_without_a_network_says_what_to_put_where(monkeypatch, tmp_path):
    closed = fetching.Mirrored(("http://127.0.0.1:9/mnist/",), fetching.MIRRORED["mnist"].sha256)
    monkeypatch.setitem(fetching.MIRRORED, "mnist", closed)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    result = backlight("data", "get", "mnist")
    assert result.code == 1
    assert result.out == ""
    assert "mnist could not be fetched (http://127.0.0.1:9/mnist/" in result.err
    assert f"{FILES[3]}.gz into {tmp_path / 'cache' / 'backlight' / 'mnist'}" in " ".join(result.err.split())


def test_only_sets_that_are_not_embedded_can_be_fetched():
    refused_in_one_line("digits comes with Backlight, so there is nothing to fetch", "data", "get", "digits")
    refused_in_one_line("no built-in data set 'mnits'; did you mean 'mnist'?", "data", "get", "mnits")


# new data for a trained model ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0.1,round,much,1", "new.csv, line 2, column 'size': 'much' is text where a number is expected"),
        ("0.1,round,inf,1", "new.csv, line 2, column 'size': 'inf' is not a finite number"),
        ("0.1,round\n", "new.csv, line 2: there are 2 cells where the first line has 4"),
    ],
)
def test_a_row_that_does_not_suit_the_model(rows, message, run):
    Path("new.csv").write_text(f"{INPUTS_OF_KIND}\n{rows}\n")
    refused_in_one_line(message, "predict", run, "new.csv")


def test_a_column_that_the_model_needs_is_missing(run):
    Path("new.csv").write_text("length,shape,count\n0.1,round,3\n")
    refused_in_one_line("new.csv lacks the column 'size', which the model needs", "predict", run, "new.csv")


def test_an_unseen_category_is_counted_and_reported(run):
    Path("new.csv").write_text(f"{INPUTS_OF_KIND}\n0.1,oval,1,1\n0.2,oval,1,1\n0.3,round,1,1\n")
    result = backlight("predict", run, "new.csv")
    assert result.code == 0
    assert "2 cells of 'shape' hold a category that training never saw" in result.out
    assert backlight("predict", run, "new.csv", "--json").json["unseen"] == {"shape": 2}


def test_a_class_that_the_model_does_not_know_cannot_be_evaluated(run):
    Path("new.csv").write_text(f"{INPUTS_OF_KIND},kind\n0.1,round,1,1,pink\n")
    refused_in_one_line("column 'kind': 'pink' is no class of this model; there are", "evaluate", run, "new.csv")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("test:99999", "the test part of table has 9 examples, so its last is test:8"),
        ("test:x", "after 'test:' comes a whole number from 0 up"),
        ("test:-1", "after 'test:' comes a whole number from 0 up"),
        ("test:", "after 'test:' comes a whole number from 0 up"),
        ("nope:3", "'nope:3' names no file and no example; examples are train:0, validation:0 or test:0"),
        ("nothing.csv", "there is no file nothing.csv"),
        ("arrays.npz", "arrays.npz is not a table, but the model was trained on one"),
        (".", ". holds no Parquet files"),
    ],
)
def test_what_cannot_be_predicted(what, message, run):
    refused_in_one_line(message, "predict", run, what)


def test_sizes_that_do_not_fit_the_model():
    assert backlight("train", "digits", "--epochs", "1", "--layers", "4", "--out", "done").code == 0
    write_arrays(Path("wide.npz"), x=np.zeros((3, 65)), y=None)
    refused_in_one_line(
        "an example of x has shape (65,), but the model expects 8 x 8 (or 64 in a row)", "predict", "done", "wide.npz"
    )
    Path("no.png").write_bytes(b"no image")
    refused_in_one_line("no.png is not an image that can be read", "predict", "done", "no.png")
    write_arrays(Path("nan.npz"), x=np.full((2, 64), np.nan), y=None)
    refused_in_one_line("nan.npz: x[0] holds nan", "predict", "done", "nan.npz")


def test_evaluate_takes_a_part_or_a_file(run):
    refused_in_one_line("there is no part 'tset'; did you mean 'test'?", "evaluate", run, "--part", "tset")
    refused_in_one_line("--part chooses from the run's own data", "evaluate", run, "table.csv", "--part", "test")


def test_evaluate_needs_examples():
    options = ["--target", "kind", "--test", "0", "--epochs", "1", "--out", "done"]
    assert backlight("train", "table.csv", *options).code == 0
    refused_in_one_line("the run's data have no test part; choose another with --part", "evaluate", "done")
