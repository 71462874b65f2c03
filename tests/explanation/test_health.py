import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.arrays import Array, Floats
from backlight.data import load
from backlight.errors import InputError
from backlight.explanation.agreement import Agreement, mean_cosine, noise_scale
from backlight.explanation.health import Health, constant_loss, health
from backlight.explanation.moment import open_moment
from backlight.explanation.passes import check_examples
from backlight.explanation.remedies import of_agreement
from backlight.explanation.survey import products, squared_norms, survey
from backlight.files import Settings, begin, load_for
from backlight.network import Activation, Dense, Network
from backlight.network.activations import ACTIVATIONS
from backlight.plots import Heading, Table, Text
from backlight.training import EpochRecord, Trainer
from tests import cases
from tests.explanation import stepping

DIGITS = load("digits").part("train")
XOR = load("xor").part("train")
X, Y = cases.some((40, cases.INPUTS), 11), np.arange(40) % cases.OUTPUTS
NETWORKS = ["deep", "activation relu", "activation sigmoid", "activation tanh", "dropout"]


def one_by_one(network: Network, x: Array, y: Array, loss: str | None = None) -> Floats:
    """Every example's gradient (n, size), one example at a time."""
    passed = [network.backward(network.forward(x[n : n + 1]), y[n : n + 1], loss) for n in range(len(x))]
    return np.array([backward.gradient() for backward in passed])


def kinds(found: Health) -> set[str]:
    return {finding.kind for finding in found.findings}


# every quantity by its definition -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", NETWORKS)
def test_agreement_is_that_of_the_definitions(layers):
    network = cases.network_of(layers, "softmax")
    found, g = health(network, X, Y).agreement, one_by_one(network, X, Y)
    mean, norms = g.mean(axis=0), np.linalg.norm(g, axis=1)
    assert found.gradient_norm == pytest.approx(np.linalg.norm(mean), rel=1e-10)
    assert found.example_norm == pytest.approx(np.sqrt(np.mean(norms**2)), rel=1e-10)
    assert found.remaining == pytest.approx(np.linalg.norm(mean) / np.sqrt(np.mean(norms**2)), rel=1e-10)
    cosines = [g[n] @ g[m] / (norms[n] * norms[m]) for n, m in combinations(range(len(g)), 2)]
    assert found.cosine == pytest.approx(np.mean(cosines), abs=1e-10)
    assert found.against == np.mean(g @ mean < 0)
    trace = g.var(axis=0, ddof=1).sum()
    signal = mean @ mean - trace / len(g)
    assert found.noise_scale == (None if signal <= 0 else pytest.approx(trace / signal, rel=1e-9))
    assert (found.noise_scale is None) == (layers == "deep")


@pytest.mark.parametrize("layers", NETWORKS)
def test_norms_and_products_are_those_of_whole_gradients(layers):
    network = cases.network_of(layers, "softmax")
    backward, g = network.backward(network.forward(X), Y), one_by_one(network, X, Y)
    direction = cases.some(network.params.shape, 3)
    assert squared_norms(backward) == pytest.approx((g**2).sum(axis=1), rel=1e-10)
    assert products(network, backward, direction) == pytest.approx(g @ direction, rel=1e-10, abs=1e-12)


def test_the_noise_scale_is_unbiased():
    """Mean of the two estimates over many small samples, beside the scale of the normal numbers that were drawn."""
    rng, true = np.random.default_rng(0), np.array([1.0, -0.5, 0.25])
    samples = true + rng.normal(size=(20_000, 4, 3))
    squares, means = (samples**2).sum(axis=2).mean(axis=1), (samples.mean(axis=1) ** 2).sum(axis=1)
    expected = 3.0 / (true @ true)
    # ratio of means over 20,000 samples of 4: a standard error of about 1 %
    assert noise_scale(squares.mean(), means.mean(), 4) == pytest.approx(expected, rel=0.04)
    assert (squares.mean() - means.mean()) / means.mean() < 0.5 * expected  # without the correction


@pytest.mark.parametrize("start", [False, True])
def test_the_step_of_a_run_is_the_one_that_it_takes(tmp_path, start):
    """Penalised, shortened, and none of frozen layers."""
    given: dict[str, Any] = {"layers": (6, 5), "dropout": 0.0, "epochs": 1, "norm": "layer"}
    if start:
        _examined(Settings("moons", **given), tmp_path / "first")
        given = {"start_from": str(tmp_path / "first"), "freeze": 1, "epochs": 1}
    lengths = {"optimizer": "sgd", "lr": 0.5, "batch_size": "full", "l2": 0.1, "clip": 0.01, **given}
    _examined(Settings("moons", **lengths), tmp_path / "run")
    before, after = (open_moment(tmp_path / "run", step).network for step in (0, 1))
    here = health(tmp_path / "run", *load("moons").part("train"), at=0)
    moved = [after.params[place] - before.params[place] for _, _, place in before.dense_layers()]
    for layer, (_, dense, _), move in zip(here.layers, before.dense_layers(), moved, strict=True):
        ratio = np.linalg.norm(move[: dense.W.size]) / np.linalg.norm(dense.W)
        assert layer.update_ratio == pytest.approx(ratio, rel=1e-4)
    assert (here.layers[0].update_ratio == 0) == start


def test_what_cannot_be_told_is_none():
    assert noise_scale(1.0, 1.0, 1) is None
    assert noise_scale(1.0, 0.01, 10) is None
    assert mean_cosine(np.ones(3), 1) is None


@pytest.mark.parametrize(("optimizer", "name"), [(None, "sgd"), ("momentum", "momentum"), ("adam", "adam")])
def test_sizes_are_those_of_the_definitions(optimizer, name):
    network = cases.network_of("deep", "softmax")
    found = health(network, X, Y, optimizer=optimizer, lr=0.05)
    trace = network.forward(X)
    backward, g = network.backward(trace, Y), one_by_one(network, X, Y).mean(axis=0)
    step = -0.05 * g / (np.abs(g) + 1e-8) if name == "adam" else -0.05 * g
    changed = total = 0.0
    assert [layer.layer for layer in found.layers] == [index for index, _, _ in network.dense_layers()]
    for layer, (index, dense, place) in zip(found.layers, network.dense_layers(), strict=True):
        delta = backward.errors[index]
        assert delta is not None
        W = slice(place.start, place.start + dense.W.size)
        assert layer.activation_rms == pytest.approx(np.sqrt(np.mean(trace.outs[index + 1] ** 2)), rel=1e-10)
        assert layer.delta_rms == pytest.approx(np.sqrt(np.mean(delta**2)), rel=1e-10)
        assert layer.gradient_rms == pytest.approx(np.sqrt(np.mean(g[W] ** 2)), rel=1e-9)
        assert layer.weight_rms == pytest.approx(np.sqrt(np.mean(dense.W**2)), rel=1e-12)
        ratio = np.linalg.norm(step[W]) / np.linalg.norm(dense.W)
        assert layer.update_ratio == pytest.approx(ratio, rel=1e-8)
        changed, total = changed + (step[W] ** 2).sum(), total + (dense.W**2).sum()
    assert found.update_ratio == pytest.approx(np.sqrt(changed / total), rel=1e-8)
    assert found.loss == pytest.approx(backward.losses.mean(), rel=1e-12)


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_dead_and_saturated_units_are_those_of_the_definition(function):
    network = Network([Dense(5, 6), Activation(function), Dense(6, 3), Activation("softmax")], dtype="float64")
    first = network.layers[0]
    assert isinstance(first, Dense)
    first.b[:4] = [-50, 50, -20, 20]
    with np.errstate(over="ignore"):
        a = network.forward(X).outs[1] if function != "exponential" else None
    if a is None:
        first.b.fill(0.0)
    found = survey(open_moment(network), check_examples(open_moment(network), X, Y)).layers[0]
    low, high = [0, 2], [1, 3]
    dead = low if function in ("relu", "elu", "gelu", "softplus") else []
    saturated = low + high if function in ("sigmoid", "logistic", "tanh") else []
    assert (sorted(found.dead), sorted(found.saturated)) == (dead, sorted(saturated))


@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_the_constant_loss_is_that_of_always_giving_the_mean(output, loss):
    case = cases.LOSSES[loss]
    moment = open_moment(cases.network_of("dense", output), loss=loss)
    y = case.targets(output, 20, moment.network.outputs, 4)
    mean = y.mean(axis=0)
    expected = np.mean([case.value(output, mean, row) for row in y])
    assert constant_loss(moment, y) == pytest.approx(expected, rel=1e-10)


def test_a_constant_loss_where_one_class_never_occurs():
    assert constant_loss(open_moment(Network.mlp(2, 3)), np.array([0, 0, 1, 1])) == pytest.approx(np.log(2), rel=1e-9)
    assert constant_loss(open_moment(Network.mlp(2, 2)), np.array([0, 0])) == pytest.approx(0.0, abs=1e-9)


def test_many_examples_are_passed_in_chunks_and_drawn_from():
    network = Network.mlp(2, 5, 2, hidden="tanh", dtype="float64")
    x, y = cases.some((2500, 2), 8), np.arange(2500) % 2
    found, g = health(network, x, y), one_by_one(network, x, y)
    assert (found.examples, found.available) == (2500, 2500)
    assert found.agreement.gradient_norm == pytest.approx(np.linalg.norm(g.mean(axis=0)), rel=1e-9)
    assert found.agreement.against == np.mean(g @ g.mean(axis=0) < 0)
    drawn = health(network, x, y, most=600)
    assert (drawn.examples, drawn.available) == (600, 2500)
    assert drawn == health(network, x, y, most=600)
    # a sample of 600 of 2,500 numbers between about 0.5 and 1
    assert drawn.loss == pytest.approx(found.loss, rel=0.05)


# healthy networks -----------------------------------------------------------------------------------------------------


def trained(network: Network, x: Array, y: Array, **given: Any) -> float:
    """Train, and say the mean loss afterwards."""
    for record in Trainer(network, **{"epochs": 10, "batch_size": 100, **given}).run(x, y):
        last = record
    assert not getattr(last, "failed", False)
    moment = open_moment(network, loss=given.get("loss"))
    return float(survey(moment, check_examples(moment, x, y)).losses.mean())


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"optimizer": "adam"}, {}),
        ({"optimizer": "sgd"}, {}),
        ({"optimizer": "momentum"}, {"hidden": "tanh"}),
        ({"optimizer": "adam", "lr": 0.01}, {"hidden": "sigmoid"}),
        ({"optimizer": "sgd", "lr": 3.0, "batch_size": 10, "loss": "squared"}, "classic"),
    ],
    ids=["adam", "sgd", "tanh", "sigmoid", "classic"],
)
def test_a_healthy_network_gives_no_findings(given, made):
    x, y = DIGITS
    if made == "classic":
        network = Network.mlp(64, 16, 16, 10, hidden="sigmoid", output="sigmoid", init="small_normal")
    else:
        network = Network.mlp(64, 32, 10, **made)
    known = {"optimizer": given["optimizer"], "lr": given.get("lr", 0.001), "batch_size": given.get("batch_size", 100)}
    found = [health(network, x, y, **known)]
    for record in Trainer(network, **{"epochs": 30, **given}).run(x, y):
        if isinstance(record, EpochRecord) and record.epoch in (1, 3, 10, 30):
            found += [health(network, x, y, **known)]
    assert len(found) == 5
    assert [list(h.findings) for h in found] == [[]] * 5
    assert found[-1].loss < 0.5 * found[-1].constant_loss


def test_a_run_knows_how_it_is_trained(tmp_path):
    run = stepping.trained_run(tmp_path / "run", dropout=0.1, batch_size=50, lr=0.003)
    x, y = run.dataset().part("train")
    found = health(run, x, y, at=0)
    assert (found.when, found.step, found.batch_size, found.findings) == ("before training", 0, 50, ())
    assert found.layers[0].update_ratio == pytest.approx(0.003 / found.layers[0].weight_rms, rel=0.2)  # adam's first
    assert found == health(run.folder, x, y, at=0, optimizer="adam", lr=0.003, batch_size=50)
    assert health(run, x, y).step == run.taken
    assert health(stepping.trained_run(tmp_path / "full", batch_size="full"), x, y).batch_size is None


# illnesses, and their remedies ----------------------------------------------------------------------------------------


def scaled(network: Network, factor: float) -> Network:
    """The network with all its weights multiplied."""
    for _, dense, _ in network.dense_layers():
        dense.W *= factor
    return network


def test_units_that_a_large_learning_rate_has_killed():
    (x, y), ill = DIGITS, Network.mlp(64, 32, 10)
    ill_loss = trained(ill, x, y, lr=0.3)
    found = health(ill, x, y)
    finding = next(finding for finding in found.findings if finding.kind == "dead")
    assert finding.layer == 0
    z = ill.forward(x).outs[0]
    assert found.layers[0].dead == tuple(np.flatnonzero((z <= 0).all(axis=0)))
    assert finding.value == len(found.layers[0].dead) / 32 > 0.5
    assert "smaller learning rate (adam's default is 0.001) and --init he_normal" in finding.remedy
    for lr, hidden in ((0.001, "relu"), (0.01, "leaky_relu")):
        well = Network.mlp(64, 32, 10, hidden=hidden, init="he_normal")
        assert trained(well, x, y, lr=lr) < 0.7 * ill_loss
        assert "dead" not in kinds(health(well, x, y))
    other = Network.mlp(64, 32, 10, hidden="leaky_relu")
    trained(other, x, y, lr=0.3)  # the very same learning rate
    assert "dead" not in kinds(health(other, x, y))


def test_units_that_were_born_dead():
    (x, y), ill = DIGITS, Network.mlp(64, 32, 10)
    first = ill.layers[0]
    assert isinstance(first, Dense)
    first.b -= 30
    found = health(ill, x, y)
    assert {"dead", "vanishing"} <= kinds(found)
    assert len(found.layers[0].dead) == 32
    stuck = trained(ill, x, y)
    well = Network.mlp(64, 32, 10, init="he_normal")
    assert not health(well, x, y).findings
    assert trained(well, x, y) < 0.5 * stuck


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_units_that_large_initial_weights_have_saturated(hidden):
    (x, y), ill = DIGITS, scaled(Network.mlp(64, 32, 10, hidden=hidden), 100.0)
    finding = next(finding for finding in health(ill, x, y).findings if finding.kind == "saturated")
    assert finding.layer == 0
    assert finding.value > 0.25
    assert "--init glorot_uniform" in finding.remedy
    ill_loss = trained(ill, x, y, lr=0.01)
    well = Network.mlp(64, 32, 10, hidden=hidden, init="glorot_uniform")
    assert not health(well, x, y).findings
    assert trained(well, x, y, lr=0.01) < 0.5 * ill_loss
    assert "saturated" not in kinds(health(well, x, y))


def test_units_that_inputs_of_large_spread_have_saturated():
    x, y = 300.0 * DIGITS[0], DIGITS[1]
    ill = Network.mlp(64, 32, 10, hidden="tanh")
    finding = next(finding for finding in health(ill, x, y).findings if finding.kind == "saturated")
    assert "bring the inputs to a mean of 0 and a spread of 1" in finding.remedy
    ill_loss = trained(ill, x, y)
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    well = Network.mlp(64, 32, 10, hidden="tanh")
    assert not health(well, x, y).findings
    assert trained(well, x, y) < ill_loss
    assert "saturated" not in kinds(health(well, x, y))


def test_a_run_that_has_learnt_nothing_yet(tmp_path):
    wanted = Settings.classic("digits", epochs=3)
    before, found = _examined(wanted, tmp_path / "classic")
    assert [finding.kind for finding in found.findings] == ["unlearnt"]
    assert "is 100 % of what one and the same answer" in found.findings[0].sentence
    remedies = (
        Settings.classic("digits", epochs=150),
        Settings("digits", layers=(16, 16), epochs=20),  # relu, he_normal, adam
    )
    for number, wanted in enumerate(remedies):
        after, cured = _examined(wanted, tmp_path / f"remedied-{number}")
        assert not cured.findings
        assert after > 0.5 > before


def _examined(wanted: Settings, folder: Path) -> tuple[float, Health]:
    """The test accuracy of a new run, and its health."""
    conduct = begin(wanted, load_for(wanted), folder=folder)
    conduct.complete()
    assert conduct.model is not None
    return conduct.model.metrics["test"]["accuracy"], health(folder, *conduct.dataset.part("train"))


def test_errors_that_vanish():
    x, y = DIGITS
    ill = Network.mlp(64, 16, 16, 16, 16, 10, hidden="sigmoid", init="small_normal")
    finding = next(finding for finding in health(ill, x, y).findings if finding.kind == "vanishing")
    assert finding.layer == 0
    backward = ill.backward(ill.forward(x), y)
    first, last = backward.errors[0], backward.errors[8]
    assert first is not None
    assert last is not None
    assert finding.value == pytest.approx(np.sqrt(np.mean(first**2) / np.mean(last**2)), rel=1e-4)  # float32 beside 64
    assert finding.remedy == "train anew with --activation relu and --init he_normal, or with fewer layers"
    ill_loss = trained(ill, x, y, epochs=20)
    for well in (
        Network.mlp(64, 16, 16, 16, 16, 10, hidden="relu", init="he_normal"),
        Network.mlp(64, 16, 10, hidden="sigmoid", init="small_normal"),
    ):
        assert not health(well, x, y).findings
        assert trained(well, x, y, epochs=20) < 0.9 * ill_loss
        assert "vanishing" not in kinds(health(well, x, y))


@pytest.mark.parametrize(("hidden", "init"), [("relu", "he_normal"), ("tanh", "glorot_uniform")])
def test_errors_that_explode(hidden, init):
    x, y = (1.0 if hidden == "relu" else 0.002) * DIGITS[0], DIGITS[1]  # so small that no tanh is flat
    widths = (64, 64, 64, 64, 64, 64, 10)
    ill, well = scaled(Network.mlp(*widths, hidden=hidden), 3.0), Network.mlp(*widths, hidden=hidden, init=init)
    finding = next(finding for finding in health(ill, x, y).findings if finding.kind == "exploding")
    assert finding.layer == 0
    assert finding.value > 30
    assert f"{init} for {hidden}" in finding.remedy
    assert "exploding" not in kinds(health(well, x, y))
    if hidden == "relu":
        assert not health(well, x, y).findings
        assert trained(well, x, y, epochs=5) < 0.5 * trained(ill, x, y, epochs=5)


def test_steps_that_are_larger_than_the_weights():
    (x, y), ill = DIGITS, Network.mlp(64, 32, 10)
    found = health(ill, x, y, optimizer="adam", lr=0.3)
    assert kinds(found) == {"large step"}
    assert found.findings[0].value == found.update_ratio
    assert found.findings[0].value > 1
    assert "adam 0.001, momentum 0.02, sgd 0.1" in found.findings[0].remedy
    ill_loss = trained(ill, x, y, lr=0.3)
    for optimizer, lr in (("adam", 0.001), ("momentum", 0.02), ("sgd", 0.1)):
        well = Network.mlp(64, 32, 10)
        assert not health(well, x, y, optimizer=optimizer, lr=lr).findings
        assert trained(well, x, y, optimizer=optimizer, lr=lr) < ill_loss


def test_batches_that_go_mostly_by_chance():
    """Labels of which half are wrong: little signal, much noise. A larger batch goes along the gradient."""
    (x, y), wrong = DIGITS, cases.some((len(DIGITS[1]),), 3) > 0
    y = np.where(wrong, (y + 1 + np.arange(len(y)) % 9) % 10, y)
    network = Network.mlp(64, 32, 10, hidden="tanh")
    trained(network, x, y, epochs=2)
    found = health(network, x, y, batch_size=1)
    assert kinds(found) == {"noise"}
    finding = found.findings[0]
    assert finding.value == found.agreement.noise_scale
    larger = int(finding.remedy.rpartition(" ")[2])
    assert larger == round(finding.value) > 100
    assert not health(network, x, y, batch_size=larger).findings
    g = one_by_one(network, x, y)
    mean = g.mean(axis=0)
    along = {}
    for size in (1, larger):
        drawn = [np.random.default_rng(k).choice(len(g), size, replace=False) for k in range(200)]
        batches = np.array([g[rows].mean(axis=0) for rows in drawn])
        along[size] = np.mean(batches @ mean / np.linalg.norm(batches, axis=1) / np.linalg.norm(mean))
    # as much signal as noise is a cosine of √½
    assert along[1] < 0.2
    assert along[larger] > 0.65


def test_a_noise_scale_beyond_the_number_of_examples_is_not_believed():
    found = Agreement(gradient_norm=0.1, example_norm=1.0, noise_scale=500.0, cosine=0.0, against=0.5)
    assert [finding.kind for finding in of_agreement(found, 500, 1.0, 1.0, 4)] == ["noise"]
    assert not list(of_agreement(found, 499, 1.0, 1.0, 4))
    assert not list(of_agreement(found, 500, 1.0, 1.0, 5))
    assert not list(of_agreement(found, 500, 1.0, 1.0, None))
    assert not list(of_agreement(found, 500, 0.5, 1.0, 4))  # half of the loss is gone: it has learnt


def test_examples_whose_wishes_cancel_out_for_want_of_hidden_units():
    (x, y), ill = XOR, Network.mlp(2, 2)
    ill_loss = trained(ill, x, y, epochs=200, lr=0.005)
    found = health(ill, x, y)
    assert kinds(found) == {"disagreement"}
    assert found.findings[0].value == found.agreement.remaining < 0.005
    assert ill_loss == pytest.approx(np.log(2), rel=0.02)
    assert "hidden layers" in found.findings[0].remedy
    well = Network.mlp(2, 8, 2, hidden="tanh")
    assert trained(well, x, y, epochs=200, lr=0.005) < 0.2 * ill_loss
    assert not health(well, x, y).findings


def test_examples_whose_wishes_cancel_out_because_their_targets_contradict():
    x, y = XOR
    twice, both = np.concatenate([x, x]), np.concatenate([y, 1 - y])
    ill = Network.mlp(2, 8, 2, hidden="tanh")
    trained(ill, twice, both, epochs=60, lr=0.05, batch_size="full")
    found = health(ill, twice, both)
    assert kinds(found) == {"disagreement"}
    assert "equal inputs and contrary targets" in found.findings[0].remedy
    well = Network.mlp(2, 8, 2, hidden="tanh")
    assert trained(well, x, y, epochs=100, lr=0.05) < 0.2 * np.log(2)
    assert not health(well, x, y).findings


# how it is shown, and what is refused ---------------------------------------------------------------------------------


def test_health_as_plain_data_and_blocks():
    network = Network.mlp(64, 32, 10)
    found = health(network, *DIGITS, optimizer="adam", lr=0.3, batch_size=100)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [layer["units"] for layer in content["layers"]] == [32, 10]
    assert content["findings"][0]["kind"] == "large step"
    blocks = found.blocks()
    assert isinstance(blocks[0], Heading)
    assert blocks[0].text == "Health, as it is"
    told = [block.text for block in blocks if isinstance(block, Text)]
    assert told[0].startswith("Large step: a single step would change the weights by")
    assert told[1].startswith("What helps: train anew with a smaller learning rate")
    tables = [block for block in blocks if isinstance(block, Table)]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    well = [block.text for block in health(network, *DIGITS).blocks() if isinstance(block, Text)]
    assert well[0] == "None of the signs of illness that are looked for was found."


def test_losses_that_are_not_finite_are_refused():
    network = Network.mlp(2, 2, output="exponential")
    network.params.fill(1.0)
    with pytest.raises(InputError, match="the loss of 2 of 2 examples is not a finite number"):
        health(network, np.full((2, 2), 1e30), np.array([[1.0, 2.0], [3.0, 4.0]]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lr": -1}, "lr is -1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"most": 1}, "most is 1"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"at": 3}, "a network has no moments"),
    ],
)
def test_impossible_settings_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        health(Network.mlp(2, 2), np.eye(2), np.array([0, 1]), **given)
