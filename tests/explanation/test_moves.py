import json
import math
from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.explanation.moves import moves, step_examples
from backlight.explanation.parts import Parts
from backlight.explanation.places import Weight, parse_weight
from backlight.explanation.replay_time import replay_seconds
from backlight.explanation.steps import opened_steps, place_of
from backlight.files import Conduct, Run, state_at
from backlight.plots import Bars, Curve, Heading, Table
from backlight.training import LBFGS, SGD, Adagrad, Adam, Momentum, Nesterov, RMSProp, write_checkpoint
from backlight.training.optimizers import Split
from tests import cases
from tests.explanation import stepping

SPANS = {"one step": (6, 7), "the first step": (0, 1), "an epoch": (4, 8), "the whole run": (0, 20)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stepping.trained_run(tmp_path_factory.mktemp("runs") / "adam", dropout=0.2, weight_decay=0.1)


def values(parts: Parts) -> dict[str, float]:
    return {part.name: part.value for part in parts.parts}


# in float64: the identity, and every part by its definition -----------------------------------------------------------


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_parts_are_those_of_the_formulas_and_add_up(engine, name, dropout):
    optimizer = cases.OPTIMIZERS[name].optimizer
    begun = stepping.started(optimizer, dropout=dropout)
    simulated = stepping.simulated(begun, optimizer, 20)
    for weight in stepping.weights_of(begun):
        k = place_of(begun, weight)
        for first, last in SPANS.values():
            training = stepping.started(optimizer, dropout=dropout, engine=engine)
            found = stepping.opened(training, optimizer, weight, first, last)
            expected = {"gradient": simulated.gradient}
            if isinstance(optimizer, Momentum | Adam):
                expected["momentum"] = simulated.momentum
            if optimizer.weight_decay and weight.source is not None:
                expected["decay"] = simulated.decay
            sums = {kind: sum(step[k] for step in steps[first:last]) for kind, steps in expected.items()}
            assert values(found.parts) == pytest.approx(sums, abs=1e-10)
            assert abs(found.parts.sum - found.parts.whole) < 1e-10
            assert abs(found.parts.sum - found.parts.whole) <= found.limit < 1e-10
            assert found.parts.whole == pytest.approx(simulated.params[last][k] - simulated.params[first][k], abs=1e-10)
            assert (found.before, found.after) == pytest.approx(
                (simulated.params[first][k], simulated.params[last][k]), abs=1e-10
            )
            assert not found.warnings


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["sgd", "momentum with decay", "nesterov", "rmsprop", "adam with decay"])
def test_the_examples_of_a_step_add_up_to_its_gradient_part(name, weighted):
    optimizer = cases.OPTIMIZERS[name].optimizer
    weights = np.linspace(0.5, 2.0, len(stepping.Y)) if weighted else None
    begun = stepping.started(optimizer, dropout=0.3, weights=weights)
    simulated = stepping.simulated(begun, optimizer, 7)
    for weight in stepping.weights_of(begun):
        k = place_of(begun, weight)
        training = stepping.started(optimizer, dropout=0.3, weights=weights)
        found = stepping.opened(training, optimizer, weight, 6, 7)
        shares = simulated.shares[6][:, k]
        names = [f"row {row}" for row in training.stretch(6, 1).rows()]
        assert found.examples is not None
        assert values(found.examples.parts) == pytest.approx(dict(zip(names, shares, strict=True)), abs=1e-10)
        assert found.examples.parts.whole == values(found.parts)["gradient"]
        assert abs(found.examples.parts.sum - found.examples.parts.whole) < 1e-10
        assert found.examples.count == len(shares)
        assert found.examples.along == sum(share * shares.sum() > 0 for share in shares)


def test_only_a_single_step_has_examples():
    assert stepping.opened(stepping.started(SGD()), SGD(), Weight(0, 0, 0), 2, 4).examples is None


@pytest.mark.parametrize(
    ("optimizer", "planted"),
    [
        *((SGD(0.1), "gain"), (Momentum(weight_decay=0.1), "gain"), (Momentum(weight_decay=0.1), "carried")),
        *((Adam(weight_decay=0.1), "gain"), (Adam(weight_decay=0.1), "carried")),
        *((Nesterov(), "gain"), (Nesterov(), "carried"), (Adagrad(), "gain"), (RMSProp(), "gain")),
    ],
)
def test_a_wrong_part_does_not_add_up(optimizer, planted, monkeypatch):
    right = type(optimizer).split

    def wrong(self: Any, *args: Any) -> Split:
        split = right(self, *args)
        if planted == "gain":
            return Split(1.001 * split.gain, split.carried)
        assert split.carried is not None
        return Split(split.gain, 1.001 * split.carried)

    monkeypatch.setattr(type(optimizer), "split", wrong)
    found = stepping.opened(stepping.started(optimizer), optimizer, Weight(0, 2, 1), 2, 9)
    assert abs(found.parts.sum - found.parts.whole) > 1e-10
    assert "the parts do not add up" in found.warnings[0]


def test_adam_that_bends_its_denominators_is_told_with_those_that_occurred():
    """Ten times the gradient at one step changes d as well; the split is by the d of that very step."""
    optimizer = Adam()
    state = {"m": np.array([0.3]), "v": np.array([0.04])}
    before = {name: array.copy() for name, array in state.items()}
    update, g, lr, step = np.empty(1), np.array([-2.0]), 0.01, 4
    optimizer.update(g, state, step, lr, update, np.empty(1))
    split = optimizer.split(before, state, step, lr)
    assert split.carried is not None
    assert split.gain * g + split.carried == pytest.approx(update, abs=1e-15)
    v = (0.999 * 0.04 + 0.001 * 4) / (1 - 0.999**5)
    assert split.gain == pytest.approx(-lr * 0.1 / (1 - 0.9**5) / (math.sqrt(v) + 1e-8), rel=1e-12)


# runs, in float32: what rounding did is a part of its own -------------------------------------------------------------


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": "sgd", "weight_decay": 0.1},
        {"optimizer": "momentum", "weight_decay": 0.1, "dropout": 0.3},
        {"optimizer": "nesterov", "weight_decay": 0.1},
        {"optimizer": "rmsprop", "dropout": 0.3},
        {"optimizer": "sgd", "weight_decay": 0.1, "lr": 0.1, "schedule": "cosine"},
        {"optimizer": "momentum", "lr": 0.3, "epochs": 5, "schedule": "warmup=1,plateau=1:0.5"},
        {"optimizer": "adam", "dropout": 0.3},
        {"optimizer": "adam", "weight_decay": 0.1, "batch_size": "full"},
        {"data": "xor", "optimizer": "adam", "activation": "tanh"},
    ],
    ids=lambda given: " ".join(map(str, given.values())),
)
def test_in_a_run_rounding_is_a_part_and_tiny(engine, given, tmp_path):
    run = stepping.trained_run(tmp_path / "run", engine=engine, **given)
    last = run.history()[-1]["step"]
    at_last = state_at(run, last)
    for weight in ("0:3:b", "3:1:5" if run.settings.dropout else "2:1:5"):
        for first, end in ((0, 1), (0, last), (last // 2, last)):
            found = moves(run, weight, first, end)
            k = place_of_run(run, weight)
            assert found.before == state_at(run, first).params[k]
            assert found.after == (at_last if end == last else state_at(run, end)).params[k]
            assert found.parts.whole == found.after - found.before
            assert found.parts.sum == pytest.approx(found.parts.whole, abs=1e-15)
            rounding = values(found.parts)["rounding"]
            assert abs(rounding) <= found.limit
            # the limit itself is a few roundings a step of numbers of the weight's size
            assert found.limit < 1e-6 * (end - first) * (abs(found.before) + abs(found.after) + 0.1)
            assert not found.warnings


def place_of_run(run: Run, weight: str) -> int:
    conduct = Conduct(run, run.dataset())
    return place_of(conduct.training, parse_weight(weight, conduct.network))


def test_a_wrong_part_is_noticed_in_float32_as_well(run, monkeypatch):
    right = Adam.split

    def wrong(self: Any, *args: Any) -> Split:
        split = right(self, *args)
        assert split.carried is not None
        return Split(split.gain, 1.001 * split.carried)

    monkeypatch.setattr(Adam, "split", wrong)
    assert "the parts do not add up" in moves(run, "3:1:5", 1, 8).warnings[0]


def test_the_examples_of_a_run_have_names(run):
    found, dataset = step_examples(run, "3:1:5", 3), run.dataset()
    assert found == moves(run, "3:1:5", 3, 4).examples
    assert found.count == 200
    shown = [part.name for part in found.parts.parts]
    assert len(shown) == 21
    assert shown[-1] == "rest"
    assert all(dataset.row_of(name) in dataset.rows["train"] for name in shown[:-1] if name != "rounding")
    sizes = [abs(part.value) for part in found.parts.parts[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    # 200 products summed in float32 here, in float64 there; the difference is among the parts
    assert found.parts.sum == pytest.approx(found.parts.whole, abs=1e-15)


def test_a_replay_from_a_checkpoint_tells_the_same(run):
    expected = moves(run, "0:3:20", 7, 9)
    path = run.folder / "checkpoint.safetensors"
    original = path.read_bytes()
    try:
        write_checkpoint(path, state_at(run, 6))
        assert moves(run, "0:3:20", 7, 9) == expected
    finally:
        path.write_bytes(original)


def test_names_of_inputs_units_and_biases(run):
    found = moves(run.folder, "3:1:5", 0, 2)
    assert (found.weight, found.source, found.to) == ("3:1:5", "0:5", "1")
    assert moves(str(run.folder), "0:4:b", 0, 2).source == "bias"
    assert moves(run, Weight(0, 4, 10), 0, 2).source == run.dataset().inputs.names[10]


def test_a_single_output_has_the_name_of_its_quantity(tmp_path):
    run = stepping.trained_run(tmp_path / "run", "penguins", target=("body_mass_g",), epochs=1)
    assert moves(run, "2:0:b", 0, 1).to == "body_mass_g"


# steps that there are not, and optimizers that do not split -----------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (3, 3, "a move goes from a step to a later one, and 3 to 3 was asked for"),
        (5, 2, "5 to 2"),
        (0, 15, "step 15 was asked for; .* has taken 14 steps, so give one of 0 to 14"),
        (-1, 3, "first is -1; it must be a whole number"),
        (0, 2.5, "last is 2.5"),
    ],
)
def test_steps_that_there_are_not_are_refused(run, first, last, words):
    with pytest.raises(InputError, match=words):
        moves(run, "0:0:0", first, last)


@pytest.mark.parametrize("weight", ["1:0:0", "0:99:0", "0:0", "0:0:64"])
def test_weights_that_there_are_not_are_refused(run, weight):
    with pytest.raises(InputError):
        moves(run, weight, 0, 1)


def test_a_step_without_a_finite_loss_is_refused():
    training = stepping.started(SGD(), lr=1e308)
    with pytest.raises(InputError, match="step 9 was asked for, and the loss is no longer finite after step"):
        list(opened_steps(training, SGD(), Weight(0, 0, 0), 9))


def test_an_optimizer_that_does_not_split_is_refused():
    with pytest.raises(InputError, match="does not say how its updates split; those that do are sgd, momentum"):
        list(opened_steps(stepping.started(SGD()), "lion", Weight(0, 0, 0), 9))
    with pytest.raises(InputError, match=r"^the optimizer lbfgs does not say"):
        list(opened_steps(stepping.started(SGD()), LBFGS(), Weight(0, 0, 0), 9))


# how it is shown ------------------------------------------------------------------------------------------------------


def test_moves_as_plain_data_and_blocks(run):
    found = moves(run, "0:3:20", 0, 14)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [part["name"] for part in content["parts"]["parts"]] == ["gradient", "momentum", "decay", "rounding"]
    assert content["parts"]["sum"] == pytest.approx(content["parts"]["whole"], abs=1e-15)
    assert content["examples"] is None
    blocks = found.blocks()
    assert isinstance(blocks[0], Heading)
    assert blocks[0].text == found.title == "Weight 0:3:20, from step 0 to step 14"
    assert sum(isinstance(block, Curve) for block in blocks) == 4
    assert any(isinstance(block, Table) for block in blocks)
    single = moves(run, "0:3:20", 4, 5)
    assert any(isinstance(block, Bars) for block in single.blocks())
    assert not any(isinstance(block, Curve) for block in single.blocks())
    assert json.loads(json.dumps(single.to_dict()))["examples"]["parts"]["parts"][-1]["name"] == "rest"


def test_long_ways_are_thinned_out():
    optimizer = Momentum(weight_decay=0.1)
    found = stepping.opened(stepping.started(optimizer), optimizer, Weight(0, 2, 1), 3, 1003)
    series = found.series
    assert len(series.steps) == len(series.weight) == 200
    assert (series.steps[0], series.steps[-1]) == (3, 1003)
    assert (series.weight[0], series.weight[-1]) == (found.before, found.after)
    assert {name: sums[-1] for name, sums in series.sums.items()} == pytest.approx(values(found.parts), abs=1e-12)
    assert {sums[0] for sums in series.sums.values()} == {0.0}


def test_every_point_of_a_way_is_the_sum_up_to_there():
    optimizer = Adam(weight_decay=0.1)
    found = stepping.opened(stepping.started(optimizer), optimizer, Weight(0, 2, 1), 0, 20)
    assert found.series.steps == tuple(range(21))
    summed = np.sum(list(found.series.sums.values()), axis=0)
    assert summed == pytest.approx(np.array(found.series.weight) - found.before, abs=1e-12)


# how long it takes ----------------------------------------------------------------------------------------------------


def test_seconds_are_those_that_the_steps_took(run, tmp_path):
    timing, checkpoint = run.folder / "timing.jsonl", run.folder / "checkpoint.safetensors"
    originals = timing.read_bytes(), checkpoint.read_bytes()
    try:
        stepping.write_timing(run, (0, 0.1), (7, 0.8), (14, 1.5))
        assert replay_seconds(run, 10) == pytest.approx(1.0)
        assert replay_seconds(run.folder, 10, first=4) == pytest.approx(1.6)
        assert replay_seconds(run, 14) == pytest.approx(0.0)  # the checkpoint is there already
        assert replay_seconds(run, 14, first=7) == pytest.approx(2.1)  # it lies after the first
        write_checkpoint(checkpoint, state_at(run, 6))
        assert replay_seconds(run, 14, first=7) == pytest.approx(1.5)
        stepping.write_timing(run, (0, 0.1), (7, 0.8), (14, 0.3))  # resumed in between
        assert replay_seconds(run, 5) == pytest.approx(0.5)
        timing.write_text(timing.read_text(encoding="utf-8") + '{"epoch": 3, "st', encoding="utf-8")
        assert replay_seconds(run, 5) == pytest.approx(0.5)
        timing.unlink()
        assert replay_seconds(run, 5) is None
    finally:
        timing.write_bytes(originals[0])
        checkpoint.write_bytes(originals[1])
