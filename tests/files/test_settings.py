"""Settings: what is chosen for a user who gives only the data, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.data import load
from backlight.errors import InputError
from backlight.files import Settings, load_for
from backlight.files.settings import CLASSIC, DROPOUT_FROM, INIT
from backlight.training import Adam


def regression(folder: Path, y: Any = None, name: str = "y.npz") -> str:
    x = np.linspace(-1, 1, 60)
    np.savez(folder / name, x=x[:, None], y=x * 100 if y is None else y)
    return str(folder / name)


def test_classes_get_softmax_and_adam():
    chosen = Settings("moons").resolved(load("moons"))
    assert (chosen.output, chosen.loss, chosen.optimizer) == ("softmax", "cross_entropy", "adam")
    assert chosen.lr == Adam.default_lr
    assert chosen.patience is not None


def test_quantities_get_identity_and_squared_error(tmp_path):
    path = regression(tmp_path)
    chosen = Settings(path).resolved(load(path))
    assert (chosen.output, chosen.loss) == ("identity", "squared")


def test_labels_get_logistic(tmp_path):
    path = regression(tmp_path, np.arange(180).reshape(60, 3) % 2)
    chosen = Settings(path).resolved(load(path))
    assert (chosen.output, chosen.loss) == ("logistic", "cross_entropy")
    with pytest.raises(InputError, match="softmax picks one class, and here several labels can be true at once"):
        Settings(path, output="softmax").resolved(load(path))


def test_several_questions_get_a_softmax_in_groups(tmp_path):
    path = regression(tmp_path, np.array([["ab"[k % 2], "xyz"[k % 3]] for k in range(60)]))
    chosen = Settings(path, until=("exact>=0.9",)).resolved(load(path))
    assert (chosen.output, chosen.loss) == ("softmax", "cross_entropy")
    network = chosen.network(load(path))
    assert (network.sizes, network.outputs) == ((2, 3), 5)
    assert Settings(path, loss="squared").resolved(load(path)).output == "softmax"
    for given, words in (
        ({"output": "logistic"}, "the output is logistic, and the target asks 2 questions, each with one of its own"),
        ({"loss": "poisson"}, "the loss poisson is for counts, and the target has classes; choose cross_entropy"),
        ({"until": ("macro_f1>0.5",)}, "which is not measured here; there are loss, accuracy, exact"),
    ):
        with pytest.raises(InputError, match=words):
            Settings(path, **given).resolved(load(path))


def test_counts_get_the_exponential_and_are_not_standardised(tmp_path):
    path = regression(tmp_path, np.arange(60.0))
    wanted = Settings(path, loss="poisson", task="regression")
    chosen = wanted.resolved(load_for(wanted))
    assert (chosen.output, chosen.loss) == ("exponential", "poisson")
    assert np.nanmax(load_for(wanted).y) == 59


def test_only_large_data_get_dropout():
    dataset = load("moons")
    many = replace(dataset, rows={**dataset.rows, "train": np.zeros(DROPOUT_FROM, np.int64)})
    assert Settings("moons").resolved(many).dropout
    assert Settings("moons", dropout=0.0).resolved(many).dropout == 0.0
    assert Settings("moons", layers=()).resolved(many).dropout == 0.0
    assert Settings("moons").resolved(dataset).dropout == 0.0


def test_the_command_begins_with_glorots_weights():
    dataset = load("moons")
    chosen = Settings("moons").resolved(dataset)
    assert chosen.init == INIT
    assert {layer["init"] for layer in chosen.network(dataset).to_dicts() if "init" in layer} == {"glorot_uniform"}
    assert Settings("moons", init="he_normal").resolved(dataset).init == "he_normal"


def test_classic_settings_give_way_to_given_ones():
    classic = Settings.classic("moons")
    assert {name: getattr(classic, name) for name in CLASSIC} == CLASSIC
    assert (classic.layers, classic.activation, classic.batch_size) == ((16, 16), "sigmoid", 100)
    other = Settings.classic("moons", layers=(5,), lr=1.0)
    assert (other.layers, other.lr, other.activation, other.loss) == ((5,), 1.0, "sigmoid", "squared")
    assert other.resolved(load("moons")).output == "sigmoid"


@pytest.mark.parametrize(("optimizer", "lr", "batch_size"), [("adam", 0.001, 100), ("lbfgs", None, "full")])
def test_another_optimizer_of_the_classic_network_takes_its_own_rate_and_batches(optimizer, lr, batch_size):
    other = Settings.classic("moons", optimizer=optimizer)
    other.check()
    chosen = other.resolved(load("moons"))
    assert (chosen.lr, chosen.batch_size, chosen.activation) == (lr, batch_size, "sigmoid")


def test_without_validation_there_is_no_patience():
    assert Settings("moons").resolved(load("moons", validation=0.0)).patience is None


def test_resolved_settings_stay_as_they_are_and_survive_the_file():
    dataset = load("moons")
    chosen = Settings("moons", until=("loss<0.1",), layers=(3, 2)).resolved(dataset)
    assert chosen.resolved(dataset) == chosen
    assert Settings.from_dict(chosen.to_dict()) == chosen
    with pytest.raises(InputError, match="the settings have colour, which this Backlight does not know"):
        Settings.from_dict({**chosen.to_dict(), "colour": 1})


@pytest.mark.parametrize(
    ("output", "y"),
    [("sigmoid", 1.01), ("logistic", -0.01), ("tanh", 1.01), ("tanh", -1.01), ("relu", -0.01), ("softplus", -0.01)],
)
def test_a_quantity_that_an_output_can_never_give_is_refused(output, y, tmp_path):
    values = np.linspace(0.0, 1.0, 60)
    path = regression(tmp_path, values, "inside.npz")
    wanted = Settings(path, output=output, loss="squared")
    assert wanted.resolved(load_for(wanted)).output == output
    path = regression(tmp_path, np.append(values[:-1], y), "outside.npz")
    wanted = Settings(path, output=output, loss="squared")
    with pytest.raises(InputError, match=f"the output {output} gives .*choose the output identity"):
        wanted.resolved(load_for(wanted))
