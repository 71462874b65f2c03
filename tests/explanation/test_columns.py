"""Contributions by column: sums, units, words, and the causes of data whose causes are known."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.explanation import contributions, explain, open_moment
from backlight.explanation.line import integrated_gradients
from backlight.explanation.moment import average_row
from backlight.network import Network
from backlight.plots import Gallery, Picture
from tests.cli.terminal import backlight
from tests.explanation.known import CAUSES
from tests.explanation.made import is_plain

EXAMPLES = 25


@pytest.mark.parametrize("run", ["known_size", "known_group"])
def test_the_true_columns_are_named_first(run: str, request: pytest.FixtureRequest) -> None:
    moment = open_moment(request.getfixturevalue(run))
    x, _ = moment.dataset.part("test")
    sizes: dict[str, float] = {}
    first = 0
    for row in x[:EXAMPLES]:
        told = contributions(moment, row)
        assert len(told.columns) == 20
        ranked = sorted(told.columns, key=lambda part: -abs(part.contribution))
        first += ranked[0].column in CAUSES
        for part in told.columns:
            sizes[part.column] = sizes.get(part.column, 0.0) + abs(part.contribution)
    assert set(sorted(sizes, key=lambda column: -sizes[column])[:3]) == CAUSES
    assert first >= 0.8 * EXAMPLES


@pytest.mark.parametrize("run", ["known_size", "known_group", "digits"])
def test_contributions_add_up_to_the_change_of_the_output(run: str, request: pytest.FixtureRequest) -> None:
    moment = open_moment(request.getfixturevalue(run))
    x, _ = moment.dataset.part("test")
    for row in x[:EXAMPLES]:
        told = contributions(moment, row)
        assert told.sum == pytest.approx(told.whole, rel=1e-6)
        assert told.whole == pytest.approx(told.value - told.average, rel=1e-9)
        assert told.sum == pytest.approx(sum(part.contribution for part in told.columns), rel=1e-12)


def test_quantities_are_in_their_own_units(known_size: Path) -> None:
    moment = open_moment(known_size)
    x, _ = moment.dataset.part("test")
    told = contributions(moment, x[0])
    said = backlight("predict", known_size, "test:0", "--json").json["predictions"][0]["size"]
    assert told.output == "size"
    assert told.value == pytest.approx(said, rel=1e-5)
    assert abs(told.whole) > 1


def test_one_hot_and_missing_inputs_of_a_column_are_one_part(known_size: Path) -> None:
    moment = open_moment(known_size)
    x, _ = moment.dataset.part("test")
    told = contributions(moment, x[1])
    quantities = moment.quantities
    assert quantities is not None
    end = x[1].astype(float)
    shares = integrated_gradients(moment.network, moment.average, end, 0).shares * quantities.std[0]
    by_name = {part.column: part.contribution for part in told.columns}
    for column in ("site", "dose", "age"):
        inputs = [k for k, name in enumerate(moment.inputs) if name.split("=")[0].removesuffix(" is missing") == column]
        assert by_name[column] == pytest.approx(shares[inputs].sum(), rel=1e-9)
    assert [len(moment.inputs), len(told.columns)] == [26, 20]


def test_cells_are_those_of_the_file(known_size: Path) -> None:
    table = known_size.parent / "size.csv"
    names, *lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    moment = open_moment(known_size)
    rows = moment.dataset.rows["test"]
    missing = 0
    for place in range(EXAMPLES):
        told = contributions(moment, moment.dataset.x[rows[place]])
        cells = dict(zip(names, lines[rows[place]], strict=True))
        for part in told.columns:
            if cells[part.column] == "":
                missing += 1
                assert part.value == "missing"
            elif isinstance(part.value, str):
                assert part.value == cells[part.column]
            else:
                assert part.value == pytest.approx(float(cells[part.column]), rel=1e-4, abs=1e-4)
    assert missing > 1


def test_the_average_row_is_that_of_the_training_part(known_size: Path) -> None:
    moment = open_moment(known_size)
    x, _ = moment.dataset.part("train")
    np.testing.assert_allclose(moment.average, x.astype(float).mean(axis=0), atol=1e-12)
    whites = np.full((9000, 3), 255, np.uint8)
    assert average_row(Network.mlp(3, 1), whites, np.arange(9000)).tolist() == pytest.approx([1.0, 1.0, 1.0], rel=1e-7)


def test_any_output_may_be_asked_about(known_group: Path) -> None:
    moment = open_moment(known_group)
    x, _ = moment.dataset.part("test")
    large, small = (contributions(moment, x[0], output=name) for name in ("large", "small"))
    assert (large.output, small.output) == ("the probability of large", "the probability of small")
    for one, other in zip(large.columns, small.columns, strict=True):
        assert one.contribution == pytest.approx(-other.contribution, rel=1e-6, abs=1e-9)
    assert contributions(moment, x[0], output=1) == small
    assert contributions(moment, x[0]) in (large, small)
    for wrong, message in (("lagre", "did you mean 'large'"), (2, "outputs 0 to 1"), (-1, "output is -1")):
        with pytest.raises(InputError, match=message):
            contributions(moment, x[0], output=wrong)


def test_a_network_on_its_own_is_compared_with_zeros_or_what_is_given() -> None:
    network = Network.mlp(3, 4, 2, seed=0)
    told = contributions(network, [1, 2, 3])
    assert told.baseline == "inputs that are all 0"
    assert [part.value for part in told.columns] == [1.0, 2.0, 3.0]
    nothing = contributions(network, [1, 2, 3], baseline=[1, 2, 3])
    assert (nothing.sum, nothing.whole, nothing.baseline) == (0.0, 0.0, "the given baseline")
    is_plain(told)


@pytest.mark.parametrize(
    ("x", "baseline", "message"),
    [
        ([1, 2], None, "the network takes numbers of shape"),
        ([[1, 2, 3], [4, 5, 6]], None, "x has 2 rows"),
        ([1, np.nan, 3], None, "x is nan in one place"),
        ([1, 2, 3], [0, 0], "the network takes numbers of shape"),
        ([1, 2, 3], [0, np.inf, 0], "baseline is inf in one place"),
    ],
)
def test_what_does_not_fit_is_refused(x: object, baseline: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contributions(Network.mlp(3, 4, 2), x, baseline=baseline)


def test_an_output_that_is_no_number_is_refused() -> None:
    network = Network.mlp(1, 1, output="exponential", dtype="float64")
    network.params[:] = [1.0, 0.0]
    with pytest.raises(InputError, match="is inf here"), np.errstate(over="ignore"):
        contributions(network, [1000.0])


def test_images_have_a_heat_map(digits: Path) -> None:
    moment = open_moment(digits)
    x, _ = moment.dataset.part("test")
    told = contributions(moment, x[0])
    gallery = next(block for block in told.blocks() if isinstance(block, Gallery))
    image, heat, average = gallery.pictures
    np.testing.assert_allclose(image.values, x[0].reshape(8, 8), atol=1e-6)
    np.testing.assert_allclose(average.values, moment.average.reshape(8, 8), atol=1e-5)
    assert isinstance(heat, Picture)
    assert heat.signed
    assert heat.values.sum() == pytest.approx(told.whole, rel=1e-6)
    is_plain(told)


def test_it_is_a_part_of_the_explanation(known_group: Path) -> None:
    moment = open_moment(known_group)
    x, y = moment.dataset.part("test")
    told = explain(moment, x[0], y[0], name="test:0")
    assert told.contributions == contributions(moment, x[0], name="test:0")
    content = told.to_dict()["contributions"]
    assert content["columns"][0].keys() == {"column", "value", "average", "contribution"}
    assert sum(part["contribution"] for part in content["columns"]) == pytest.approx(content["whole"], rel=1e-6)
    assert explain(Network.mlp(2, 3, 2), [0.5, -1.0], 1).contributions is None
    is_plain(told)


def test_where_the_data_are_gone_the_explanation_says_so(known_group: Path, tmp_path: Path) -> None:
    moment = open_moment(known_group)
    x, y = moment.dataset.part("test")
    shutil.copytree(known_group, tmp_path / "run")
    settings = tmp_path / "run" / "run.json"
    gone = settings.read_text(encoding="utf-8").replace("group.csv", "gone.csv")
    settings.write_text(gone, encoding="utf-8")
    told = explain(tmp_path / "run", x[0], y[0])
    assert told.contributions is None
    assert "which columns it rests on cannot be told: there is no file" in told.warnings[-1]
