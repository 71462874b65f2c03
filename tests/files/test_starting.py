"""Runs that start from others: what is carried over, what is new, and that they are repeated to the same bits."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backlight import start_from
from backlight.data import Quantities
from backlight.errors import InputError
from backlight.files import Conduct, Run, Settings, conduct, load_for, state_at
from backlight.files.starting import encoder, read_start, trunk
from backlight.network import Network
from tests.files.made import begun, files, trained

LOW = Settings("digits", classes=("0", "1", "2", "3", "4"), layers=(12, 8), dropout=0.2, epochs=2)
HIGH = Settings("digits", classes=("5", "6", "7"), per_class=10, epochs=3, batch_size=8, freeze=1)


@pytest.fixture(scope="module")
def low(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("low") / "run"
    trained(folder, LOW)
    return folder


def parts(network: Network) -> list[bytes]:
    """The parameters of every dense layer."""
    return [network.params[place].tobytes() for _, _, place in network.dense_layers()]


def test_the_trunk_is_carried_over_and_frozen_layers_keep_their_bits(low, tmp_path):
    old = read_start(low).network
    high, _ = begun(tmp_path / "high", replace(HIGH, start_from=str(low)))
    assert high.run.settings.layers == (12, 8)
    assert (high.run.settings.activation, high.run.settings.dropout) == ("relu", 0.2)
    assert repr(high.network).startswith("Network 64-12-8-3, relu, softmax")
    assert parts(high.network)[:2] == parts(old)[:2]
    list(high.records())
    first, second, _ = parts(high.network)
    assert first == parts(old)[0]
    assert second != parts(old)[1]


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_normalisations_are_carried_over_and_frozen_with_their_layers(tmp_path, norm):
    trained(tmp_path / "low", replace(LOW, norm=norm))
    old = read_start(tmp_path / "low").network
    high, _ = begun(tmp_path / "high", replace(HIGH, start_from=str(tmp_path / "low")))
    assert high.run.settings.norm == norm
    first, second = (place for _, _, place in old.norm_layers())
    assert high.network.params[: second.stop].tobytes() == old.params[: second.stop].tobytes()
    list(high.records())
    assert high.network.params[: first.stop].tobytes() == old.params[: first.stop].tobytes()
    assert (high.network.params[second] != old.params[second]).all()


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_the_code_of_a_normalised_autoencoder_is_what_its_middle_layer_says(tmp_path, norm):
    trained(tmp_path / "run", Settings("digits", task="autoencode", layers=(16,), code=4, norm=norm, epochs=2))
    model, x = read_start(tmp_path / "run"), np.eye(64)
    assert np.array_equal(encoder(model).predict(x), model.network.forward(x).outs[5])


@pytest.mark.parametrize("classes", [("0", "1", "2", "3", "4"), ("4", "3", "2", "1", "0")])
def test_the_head_is_kept_where_the_classes_are_the_same(low, tmp_path, classes):
    again, _ = begun(tmp_path / "again", replace(HIGH, classes=classes, start_from=str(low)))
    assert parts(again.network) == parts(read_start(low).network)


def test_the_head_is_new_where_the_names_or_the_output_differ(low):
    old = parts(read_start(low).network)
    for given in ({"classes": tuple("56789")}, {"classes": tuple("01234"), "output": "sigmoid"}):
        settings = replace(HIGH, start_from=str(low), **given)
        dataset = load_for(settings)
        found = parts(settings.resolved(dataset).network(dataset))
        assert found[:2] == old[:2]
        assert len(found[2]) == len(old[2])
        assert found[2] != old[2]


def test_the_head_of_quantities_keeps_their_units(tmp_path):
    rows = "".join(f"{k},{k % 5},{3 * k + 100}\n" for k in range(60))
    (tmp_path / "old.csv").write_text("a,b,price\n" + rows)
    (tmp_path / "new.csv").write_text("a,b,price\n" + rows.replace("1", "7"))
    trained(tmp_path / "old", Settings(str(tmp_path / "old.csv"), target=("price",), layers=(4,), epochs=2))
    old = read_start(tmp_path / "old")
    settings = Settings(str(tmp_path / "new.csv"), target=("price",), start_from=str(tmp_path / "old"), epochs=1)
    dataset = load_for(settings)
    own = load_for(replace(settings, start_from=None))
    assert isinstance(own.target, Quantities)
    assert isinstance(old.target, Quantities)
    assert dataset.target == old.target != own.target
    np.testing.assert_allclose(old.target.decode(dataset.y), own.target.decode(own.y), rtol=1e-5)
    assert parts(settings.resolved(dataset).network(dataset)) == parts(old.network)
    assert dataset.y.tobytes() == load_for(settings.resolved(dataset)).y.tobytes()


def test_a_run_is_resumed_and_replayed_when_the_other_has_gone(low, tmp_path, monkeypatch):
    monkeypatch.setattr(conduct, "_CHECKPOINT_SECONDS", 0.0)
    origin = tmp_path / "origin"
    shutil.copytree(low, origin)
    wanted = replace(HIGH, start_from=str(origin))
    whole, _ = trained(tmp_path / "whole", wanted)
    started, _ = begun(tmp_path / "cut", wanted)
    beginning = started.network.params.tobytes()
    records = started.records()
    for _ in range(4):
        next(records)
    records.close()
    shutil.rmtree(origin)
    run = Run.open(tmp_path / "cut")
    list(Conduct(run, run.dataset(), resume=True).records())
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert state_at(Run.open(tmp_path / "whole"), 0).params.tobytes() == beginning
    last = state_at(Run.open(tmp_path / "whole"), whole.training.step)
    assert last.params.tobytes() == whole.training.state().params.tobytes()


def test_a_run_tells_where_it_came_from(low, tmp_path):
    begun(tmp_path / "high", replace(HIGH, start_from=str(low)))
    content = json.loads((tmp_path / "high" / "run.json").read_text())
    assert content["settings"]["start_from"] == str(low)
    assert content["start"]["path"] == str(low.resolve())
    assert (tmp_path / "high" / "start.safetensors").read_bytes() == (low / "model.safetensors").read_bytes()
    assert Run.open(tmp_path / "high").started_from == str(low)


def test_a_lost_or_changed_start_is_told(low, tmp_path):
    begun(tmp_path / "high", replace(HIGH, start_from=str(low)))
    start = tmp_path / "high" / "start.safetensors"
    start.write_bytes(start.read_bytes() + b" ")
    with pytest.raises(InputError, match=r"start.safetensors, the model that it was started from, has changed"):
        Run.open(tmp_path / "high")
    start.unlink()
    with pytest.raises(InputError, match=r"start.safetensors, which holds that one's model, is missing"):
        Run.open(tmp_path / "high")


def test_a_run_may_replace_the_one_that_it_starts_from(low, tmp_path):
    shutil.copytree(low, tmp_path / "run")
    wanted = replace(HIGH, start_from=str(tmp_path / "run"))
    dataset = load_for(wanted)
    own = Conduct(Run.planned(tmp_path / "run", wanted.resolved(dataset), dataset.source), dataset)
    own.run.begin(force=True)
    list(own.records())
    assert Run.open(tmp_path / "run").model().network.params.size == own.network.params.size


def test_what_cannot_be_started_from_is_refused(low, tmp_path):
    with pytest.raises(InputError, match=r"there is no run folder .*nowhere to start from"):
        read_start(tmp_path / "nowhere")
    begun(tmp_path / "unfinished", LOW)
    with pytest.raises(InputError, match=r"cannot be started from: it has no model.safetensors; its training has not"):
        read_start(tmp_path / "unfinished")
    trained(tmp_path / "linear", replace(LOW, layers=(), epochs=1))
    with pytest.raises(InputError, match="has no hidden layer, so there is nothing to carry over"):
        trunk(read_start(tmp_path / "linear"))
    with pytest.raises(InputError, match="the model of digits is no autoencoder, so it has no code"):
        encoder(read_start(low))
    with pytest.raises(InputError, match="freeze is 3, and the network has 3 layers with weights"):
        begun(tmp_path / "high", replace(HIGH, start_from=str(low), freeze=3))
    with pytest.raises(InputError, match="--freeze keeps layers of the run that --start-from names"):
        HIGH.check()


def test_from_python(low):
    network = start_from(low, 4, output="softmax", seed=3)
    assert parts(network)[:2] == parts(read_start(low).network)[:2]
    assert network.outputs == 4


def test_an_autoencoder_gives_its_encoder(tmp_path):
    settings = Settings("digits", task="autoencode", layers=(20,), code=6, epochs=1)
    trained(tmp_path / "ae", settings)
    model = read_start(tmp_path / "ae")
    assert repr(model.network).startswith("Network 64-20-6-20-64, relu, logistic")
    high, _ = begun(tmp_path / "high", replace(HIGH, start_from=str(tmp_path / "ae")))
    assert repr(high.network).startswith("Network 64-20-6-3, relu, softmax")
    assert parts(high.network)[:2] == parts(model.network)[:2]
    on, _ = begun(tmp_path / "on", replace(settings, start_from=str(tmp_path / "ae"), layers=(1,), code=None))
    assert parts(on.network) == parts(model.network)
    assert (on.run.settings.layers, on.run.settings.code) == ((20,), 6)
    list(on.records())


def test_no_autoencoder_starts_from_another_network(low, tmp_path):
    settings = Settings("digits", task="autoencode", start_from=str(low), epochs=1)
    with pytest.raises(InputError, match="is no autoencoder of such data with the output logistic"):
        begun(tmp_path / "ae", settings)
