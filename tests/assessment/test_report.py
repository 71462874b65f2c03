import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

import backlight
from backlight.assessment.report import Assessment
from backlight.data import Quantities
from backlight.errors import InputError
from backlight.plots import Chart, Heading, Matrix, Ranges, Table, Text
from backlight.plots.shown import Shown
from tests.assessment.made import arrays, made


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Assessment:
    return backlight.assess(made(tmp_path_factory.mktemp("moons"), "moons").run, learning_curve=True)


def kinds(assessment: Assessment) -> list[type]:
    return [type(block) for block in assessment.blocks()]


def test_the_same_numbers_as_training_reported(told):
    metrics = backlight.Run.open(told.run).model().metrics["test"]
    assert told.to_dict()["metrics"] == metrics
    assert told.examples == 150
    low, high = metrics["interval"]
    assert low < metrics["accuracy"] < high


def test_the_score_stands_beside_its_rivals_with_its_interval(told):
    ranges = next(block for block in told.blocks() if isinstance(block, Ranges))
    assert ranges.names == ("network", "linear model", "baseline")
    assert ranges.values == (told.metrics["accuracy"], told.linear.metrics["accuracy"], 0.5)
    assert ranges.ends == (tuple(told.metrics["interval"]), tuple(told.linear.metrics["interval"]), None)
    assert ranges.texts[2] == "50.00 %"


def test_every_section_is_there(told):
    headings = [block.text for block in told.blocks() if isinstance(block, Heading)]
    assert headings[1:] == [
        "Would more data help?",
        "Class by class",
        "What was taken for what",
        "Calibration: is it as right as it is sure?",
    ]
    assert kinds(told).count(Chart) == 2
    matrix = next(block for block in told.blocks() if isinstance(block, Matrix))
    assert matrix.counts.sum() == 150


def test_it_is_plain_data_a_page_and_a_figure(told, tmp_path):
    content = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert list(content)[:7] == ["run", "examples", "data", "metrics", "baseline", "linear", "warnings"]
    assert content["learning_curve"]["rows"] == [88, 176, 350, 700]
    told.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "How good is" in page
    assert "bl-matrix" in page
    assert told._repr_html_().startswith('<div class="backlight">')


def test_further_sections_come_last(told):
    @dataclass(frozen=True, repr=False)
    class More(Shown):
        words: str

        def blocks(self):
            return [Heading("More", 1), Text(self.words)]

    longer = replace(told, sections=(More("of it"),))
    assert longer.blocks()[-2:] == [Heading("More", 2), Text("of it")]
    assert longer.to_dict()["sections"] == [{"words": "of it"}]


def test_quantities_are_told_in_their_own_units(tmp_path):
    x = np.random.default_rng(0).normal(size=(300, 2))
    y = 1000 * np.abs(x) + [[50.0, 0.0]]
    conduct = made(tmp_path, arrays(tmp_path / "a.npz", y, x))
    told = backlight.assess(conduct.run)
    assert told.metrics["score"] == "r2"
    dataset, model = conduct.dataset, conduct.model
    assert model is not None
    inputs, targets = dataset.part("test")
    assert isinstance(dataset.target, Quantities)
    truth = dataset.target.decode(targets)
    off = np.abs([list(answer.values()) for answer in model.answers(inputs)] - truth)
    for k, errors in enumerate(told.errors):
        assert errors.half == pytest.approx(np.median(off[:, k]), rel=1e-3)
        assert errors.most == pytest.approx(np.quantile(off[:, k], 0.9), rel=1e-3)
        assert errors.truth == pytest.approx(truth[:, k])
    assert kinds(told).count(Chart) == 2
    assert "errors" not in told.to_dict()


def test_labels_have_a_row_each(tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 2))
    told = backlight.assess(made(tmp_path, arrays(tmp_path / "a.npz", (x > 0.5).astype(int), x)).run)
    assert told.metrics["score"] == "exact"
    tables = [block for block in told.blocks() if isinstance(block, Table)]
    assert tables[1].columns[0] == "label"
    assert len(tables[1].rows) == 2


def test_parts_and_files(tmp_path):
    conduct = made(tmp_path, "moons", epochs=2)
    learnt = backlight.assess(conduct.run, "train")
    assert learnt.warnings[0].startswith("These rows were learnt from")
    with pytest.raises(InputError, match="there is no part 'tets'"):
        backlight.assess(conduct.run, "tets")
    with pytest.raises(InputError, match="choose the test part"):
        backlight.assess(conduct.run, "train", learning_curve=True)
    with pytest.raises(InputError, match="there is no run folder"):
        backlight.assess(tmp_path / "nothing")


def test_where_the_runs_own_data_are_gone_a_file_is_measured_alone(tmp_path):
    path = arrays(tmp_path / "a.npz", np.arange(120) % 2)
    run = made(tmp_path, path, epochs=1).run
    other = arrays(tmp_path / "b.npz", np.arange(30) % 2)
    whole = backlight.assess(run, file=other)
    assert whole.baseline is not None
    path.unlink()
    alone = backlight.assess(run, file=other)
    assert alone.metrics == whole.metrics
    assert (alone.baseline, alone.linear) == (None, None)
    assert alone.warnings[0].startswith("Nothing to compare with")
    with pytest.raises(InputError):
        backlight.assess(run)
