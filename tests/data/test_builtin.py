import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backlight.data
from backlight.data import BUILTIN, PARTS, Classes, Quantities, load
from backlight.data.catalog import entry
from backlight.errors import InputError

EMBEDDED = Path(backlight.data.__file__).parent / "embedded"
SMALL = [name for name, known in BUILTIN.items() if known.origin != "fetched"]
FOLDER = os.environ.get("BACKLIGHT_DATA", "")
needs_data = pytest.mark.skipif(not FOLDER, reason="BACKLIGHT_DATA is not set, so the larger data sets are absent")


def test_embedded_data_is_small_and_has_its_licences() -> None:
    files = {path.name: path.stat().st_size for path in EMBEDDED.iterdir() if path.is_file()}
    assert sum(files.values()) < 100_000
    for stem in ("digits", "penguins"):
        licence = (EMBEDDED / f"{stem}.LICENSE.txt").read_text()
        assert entry(stem).licence in licence
        assert entry(stem).credit.split("doi:")[1] in licence
        assert "https://creativecommons.org/" in licence


@pytest.mark.parametrize("name", SMALL)
def test_what_the_catalogue_says_is_so(name: Any) -> None:
    data = load(name)
    assert len(data.x) == BUILTIN[name].examples
    assert data.inputs.width == data.x.shape[1] == len(data.inputs.names)
    assert data.name == data.source.name == name
    assert f"{data.target.width} " in BUILTIN[name].description
    assert set(data.y.tolist()) == set(range(data.target.width))
    assert np.isfinite(data.x).all()
    assert data.unlabelled == 0
    assert [round(len(data.rows[part]) / len(data.x), 2) for part in PARTS] == [0.7, 0.15, 0.15]
    assert data.source.to_dict()["files"][0]["path"] is None


def test_digits_are_the_repositorys() -> None:
    data = load("digits")
    assert data.x.dtype == np.float32
    assert (data.x * 16 == np.round(data.x * 16)).all()
    assert data.x.max() == 1.0
    assert np.bincount(data.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (data.x[0, :8] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_penguins_have_missing_values_and_species() -> None:
    data = load("penguins")
    assert data.target == Classes(("Adelie", "Chinstrap", "Gentoo"), "species")
    assert np.bincount(data.y).tolist() == [152, 68, 124]
    assert {"island=Biscoe", "bill_length_mm", "bill_length_mm is missing", "sex=male"} <= set(data.inputs.names)
    heavy = load("penguins", target="body_mass_g")
    assert isinstance(heavy.target, Quantities)
    assert heavy.unlabelled == 2


@pytest.mark.parametrize("name", ["spiral", "moons", "circles", "xor"])
def test_generated_points_do_not_depend_on_the_seed(name: Any) -> None:
    one, other = load(name, seed=0), load(name, seed=1)
    assert np.array_equal(one.x, other.x)
    assert not np.array_equal(one.rows["test"], other.rows["test"])
    assert one.x.dtype == np.float32
    assert np.abs(one.x).max() < 3
    assert np.abs(one.x.mean(axis=0)).max() < 0.1
    assert one.inputs.names == ("x0", "x1")


@pytest.mark.parametrize("name", ["spiral", "moons", "circles", "xor"])
def test_generated_sets_can_be_learnt_but_not_by_a_line(name: Any) -> None:
    data = load(name)
    (x, y), (tests, truth) = data.part("train"), data.part("test")
    neighbour = y[((tests[:, None] - x[None]) ** 2).sum(axis=2).argmin(axis=1)]
    assert (neighbour == truth).mean() > 0.95
    line = np.linalg.lstsq(np.c_[x, np.ones(len(x))], np.eye(data.target.width)[y], rcond=None)[0]
    assert ((np.c_[tests, np.ones(len(tests))] @ line).argmax(axis=1) == truth).mean() < 0.9


def test_rows_and_examples_name_each_other() -> None:
    data = load("digits")
    for part in PARTS:
        for place in (0, 5, len(data.rows[part]) - 1):
            row = data.row_of(f"{part}:{place}")
            assert row == data.rows[part][place]
            assert data.example_of(row) == f"{part}:{place}"
            assert np.array_equal(data.part(part)[0][place], data.x[row])


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("test:270", "the test part of digits has 270 examples, so its last is test:269"),
        ("test:" + "9" * 5000, "so its last is test:269"),
        ("tests:1", "write train:0, validation:0 or test:0"),
        ("test", "write train:0"),
        ("test:", "after 'test:' comes a whole number from 0 up"),
        ("test:-1", "after 'test:' comes a whole number"),
        ("test:1.0", "after 'test:' comes a whole number"),
        ("test:²", "after 'test:' comes a whole number"),
    ],
)
def test_names_that_are_no_examples(example: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load("digits").row_of(example)


def test_parts_and_rows_that_are_not_there() -> None:
    data = load("digits", test=0.0)
    with pytest.raises(InputError, match="the test part of digits is empty"):
        data.row_of("test:0")
    with pytest.raises(InputError, match="there is no part 'tests'; did you mean 'test'"):
        data.part("tests")
    with pytest.raises(InputError, match="row 1797 of digits is in no part"):
        data.example_of(1797)


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("digts", {}, "no file and no built-in data set 'digts'; did you mean 'digits'"),
        ("none.csv", {}, "there is no file none.csv"),
        ("digits", {"target": "y"}, "digits has no columns to choose from; leave out the target 'y'"),
        ("moons", {"task": "regression"}, "moons has classes, so its task is classification"),
        ("penguins", {"target": "specis"}, "has no column 'specis'; did you mean 'species'"),
        ("digits", {"validation": 0.6, "test": 0.6}, "leave nothing to learn from"),
        ("digits", {"seed": -1}, "seed is -1; it must be a whole number"),
    ],
)
def test_sources_that_are_not_there_and_options_that_make_no_sense(source: Any, options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load(source, **options)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no images; give a folder \(or a zip\) with a folder of PNG"):
        load(tmp_path)
    (tmp_path / "a.weights").touch()
    with pytest.raises(InputError, match="is of a kind that Backlight does not read"):
        load(tmp_path / "a.weights")


def test_a_built_in_name_comes_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").write_text("not these")
    assert load("digits").inputs.width == 64


def test_only_tables_need_duckdb_and_nothing_here_needs_the_network() -> None:
    program = (
        "import sys, backlight.data as data\n"
        "data.load('digits'); data.load('spiral')\n"
        "print([m for m in ('duckdb', 'PIL', 'urllib.request', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.data
@needs_data
def test_the_real_mnist() -> None:
    data = load("mnist")
    assert data.x.shape == (70_000, 784)
    assert {part: len(rows) for part, rows in data.rows.items()} == {
        "train": 51_000, "validation": 9_000, "test": 10_000,
    }  # fmt: skip
    assert data.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.y[60_000:60_003].tolist() == [7, 2, 1]
    assert int(data.x.astype(np.int64).sum()) > 0
    assert np.abs(np.bincount(data.part("validation")[1]) - 0.15 * np.bincount(data.y[:60_000])).max() <= 1


@pytest.mark.data
@needs_data
def test_the_real_housing() -> None:
    data = load(Path(FOLDER) / "housing.csv", target="median_house_value")
    assert data.x.shape == (20_640, 14)
    assert isinstance(data.target, Quantities)
    assert data.name == "housing"
    assert "total_bedrooms is missing" in data.inputs.names
    assert int(data.x[:, data.inputs.names.index("total_bedrooms is missing")].sum()) == 207
    assert {"ocean_proximity=INLAND", "ocean_proximity=NEAR BAY"} <= set(data.inputs.names)
