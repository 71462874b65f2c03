"""Any moment of a run, or a network alone; and that explaining disturbs neither."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.engine import engine_build
from backlight.errors import InputError
from backlight.explanation.along import cost_along
from backlight.explanation.batches import batch_agreement
from backlight.explanation.comparing import compare
from backlight.explanation.desires import combined, input_wishes, open_example, three_ways, wishes
from backlight.explanation.examples import wishes_for_weight
from backlight.explanation.moment import Moment, open_moment
from backlight.explanation.one_example import explain
from backlight.explanation.overfitting import overfitting_step
from backlight.explanation.paths import chain
from backlight.explanation.places import Unit, Weight
from backlight.explanation.sensitivity import sensitivity
from backlight.explanation.together import together
from backlight.files import Run, state_at
from backlight.network import Network
from tests.files.made import begun, settings, trained

STEP = 7


def everything(moment: Moment, x: Any, y: Any) -> None:
    """Explain all there is to explain of examples and weights."""
    example = open_example(moment, x[0], y[0])
    weight, last = Weight(0, 1, 0), max(index for index, _, _ in moment.network.dense_layers())
    wishes(example, 0)
    three_ways(example, Unit(0, 1))
    combined(example, last, 1)
    input_wishes(example)
    chain(example, weight)
    explain(moment, x[0], y[0]).blocks()
    wishes_for_weight(moment, x, y, weight).blocks()
    overfitting_step(moment, x, y, 0, 0.5).blocks()
    batch_agreement(moment, x, y, sizes=[2], repeats=2).blocks()
    sensitivity(moment, x, y).blocks()
    compare(moment, x, y, weight, Weight(last, 0, None)).blocks()
    cost_along(moment, x, y, weight, points=3).blocks()
    together(example, last, x, y).blocks()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which nothing is written any more."""
    folder = tmp_path_factory.mktemp("runs") / "moons"
    trained(folder, settings())
    return Run.open(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_network_alone_is_opened_in_float64():
    network = Network.mlp(2, 3, 2, seed=1)
    moment = open_moment(network)
    assert moment.network is not network
    assert moment.network.dtype == np.float64
    np.testing.assert_array_equal(moment.network.params, network.params)
    assert (moment.inputs, moment.outputs) == (("x0", "x1"), ("output 0", "output 1"))
    assert (moment.loss, moment.step, moment.image, moment.run, moment.warnings) == (
        "cross_entropy",
        None,
        None,
        None,
        (),
    )
    assert open_moment(network, loss="squared").loss == "squared"
    assert open_moment(moment) is moment


@pytest.mark.parametrize("at", [0, "best"])
def test_a_network_alone_has_no_other_moments(at):
    with pytest.raises(InputError, match=f"a network has no moments, and at is {at!r}; give the run that trained it"):
        open_moment(Network.mlp(2, 3, 2), at)


def test_explaining_changes_nothing_of_a_network():
    network = Network.mlp(2, 3, 2, dropout=0.5, seed=1)
    before = network.params.copy()
    x = np.array([[0.5, -1.0], [1.0, 0.25], [-0.5, 2.0]], np.float32)
    moment, kept = open_moment(network), x.copy()
    everything(moment, x, np.array([0, 1, 1]))
    np.testing.assert_array_equal(network.params, before)
    np.testing.assert_array_equal(moment.network.params, before)
    np.testing.assert_array_equal(x, kept)


def test_the_untrained_network_of_a_run(run):
    moment = open_moment(run, 0)
    np.testing.assert_array_equal(moment.network.params, run.settings.network(run.dataset()).params)
    assert (moment.when, moment.step, moment.warnings) == ("before training", 0, ())
    assert moment.network.dtype == np.float64
    assert moment.loss == "cross_entropy"


@pytest.mark.parametrize("at", [STEP, str(STEP)])
def test_a_step_of_a_run(run, at):
    moment = open_moment(run.folder, at)
    np.testing.assert_array_equal(moment.network.params, state_at(run, STEP).params)
    assert moment.step == STEP
    assert moment.when.startswith(f"after step {STEP} (epoch ")


def test_the_last_and_the_best_moment_of_a_run(run):
    checkpoint = run.checkpoint()
    assert checkpoint is not None
    last, best = open_moment(str(run.folder), "last"), open_moment(run, "best")
    np.testing.assert_array_equal(last.network.params, checkpoint.params)
    np.testing.assert_array_equal(best.network.params, run.model().network.params)
    assert last.step == checkpoint.step
    assert run.ended is not None
    assert best.when == f"after epoch {run.ended['best_epoch']}, the best on validation"
    np.testing.assert_array_equal(open_moment(run).network.params, best.network.params)
    assert last.outputs == best.outputs == run.dataset().target.names
    assert last.inputs == best.inputs == run.dataset().inputs.names


def test_what_training_used_is_what_is_explained(run):
    """At a step, minus the mean of the wishes of the step's examples is the gradient of its objective."""
    moment, dataset = open_moment(run, STEP), run.dataset()
    x, y = dataset.part("train")
    backward = moment.network.backward(moment.network.forward(x), y, moment.loss)
    told = wishes_for_weight(moment, x, y, Weight(0, 3, 1))
    np.testing.assert_allclose(-told.mean, backward.gradient()[3 * 2 + 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (-1, "at is -1; give 0, the number of a step, best, or last"),
        ("first", "at is 'first'; give 0"),
        ("1.5", "at is '1.5'; give 0"),
        (10**6, "step 1000000 was asked for"),
    ],
)
def test_moments_that_do_not_exist_are_refused(run, at, message):
    with pytest.raises(InputError, match=message):
        open_moment(run, at)


def test_a_run_that_has_not_ended_is_opened_where_it_can_be(tmp_path):
    conduct, _ = begun(tmp_path / "run", settings())
    assert open_moment(tmp_path / "run", 0).when == "before training"
    np.testing.assert_array_equal(open_moment(tmp_path / "run", 0).network.params, conduct.network.params)
    with pytest.raises(InputError, match="has no checkpoint yet; ask for --at 0 or for a step"):
        open_moment(tmp_path / "run", "last")
    with pytest.raises(InputError, match="has no model: its training has not ended"):
        open_moment(tmp_path / "run")


def test_changed_data_are_refused_by_name(tmp_path):
    rows = [f"{k / 60},{'ab'[k % 2]},{'xyz'[k // 20]}" for k in range(60)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["u,v,w", *rows]) + "\n")
    trained(tmp_path / "run", settings(path, target="w", batch_size=10))
    assert open_moment(tmp_path / "run", 3).outputs == ("x", "y", "z")
    path.write_text(path.read_text().replace("0.5,", "0.6,"))
    for at in (0, 3, "last"):
        with pytest.raises(InputError, match=rf"{path} has changed since .*run was made"):
            open_moment(tmp_path / "run", at)


def test_another_engine_build_is_warned_of_by_name(tmp_path):
    trained(tmp_path / "run", settings())
    path = tmp_path / "run" / "run.json"
    content = json.loads(path.read_text())
    assert open_moment(tmp_path / "run", STEP).warnings == ()
    content["engine"]["build"] = "numpy 1.0"
    path.write_text(json.dumps(content))
    expected = f"the build is {engine_build()['build']}, and the run was made with numpy 1.0: "
    for at in (0, STEP):
        (warning,) = open_moment(tmp_path / "run", at).warnings
        assert warning == expected + "replayed numbers may differ in their last digits"
    for kept in ("best", "last"):  # nothing is replayed
        assert open_moment(tmp_path / "run", kept).warnings == ()


@pytest.mark.parametrize("at", [0, STEP, "best", "last"])
def test_explaining_changes_nothing_of_a_run(run, at):
    before = contents(run.folder)
    moment = open_moment(run, at)
    params = moment.network.params.copy()
    x, y = run.dataset().part("validation")
    everything(moment, x, y)
    assert contents(run.folder) == before
    np.testing.assert_array_equal(moment.network.params, params)


def test_a_run_of_images_knows_their_shape(tmp_path):
    trained(tmp_path / "run", settings("digits", epochs=1))
    moment = open_moment(tmp_path / "run", 0)
    assert moment.image == (8, 8)
    assert moment.inputs[9] == "pixel 1,1"
    assert moment.outputs == tuple("0123456789")
