"""Networks with normalisation, explained as they are after training: by definition, and as it is told."""

import math
from typing import Any

import numpy as np
import pytest

from backlight import Network, Trainer, health, importance, sensitivity
from backlight.errors import InputError
from backlight.explanation import contributions, moves
from backlight.explanation.desires import open_example, wishes
from backlight.explanation.moment import Moment, open_moment
from backlight.explanation.moves import step_examples
from backlight.explanation.nudge import nudged_losses, speak
from backlight.explanation.overfitting import overfitting_step
from backlight.explanation.paths import chain
from backlight.explanation.places import Weight, dense_layer
from backlight.files import Conduct, Run, Settings, load_for
from tests import cases

NORMED = [name for name in cases.LAYERS if "norm" in name]
X, Y = cases.some((9, cases.INPUTS), 1), np.arange(9) % 3
EVERY = pytest.mark.parametrize("layers", NORMED)


def made(layers: str) -> Moment:
    return open_moment(cases.network_of(layers, "softmax"))


def weights(network: Network) -> list[Weight]:
    found = []
    for index, dense, _ in network.dense_layers():
        found += [Weight(index, j, i) for j in range(dense.units) for i in range(dense.incoming)]
        found += [Weight(index, j, None) for j in range(dense.units)]
    return found


def gradient_for(network: Network, weight: Weight) -> Any:
    """∂loss_n/∂w of every example, from gradients multiplied out."""
    backward = network.backward(network.forward(X), Y)
    W, b = backward.dense(weight.layer).per_example()
    return b[:, weight.to] if weight.source is None else W[:, weight.to, weight.source]


@EVERY
def test_the_chain_rule_of_every_weight_multiplies_out_and_its_paths_add_up(layers):
    moment = made(layers)
    example = open_example(moment, X[0], Y[0])
    for weight in weights(moment.network):
        link = chain(example, weight, 4)
        expected = gradient_for(moment.network, weight)[0]
        assert link.product == pytest.approx(expected, rel=1e-10, abs=1e-14)
        assert link.parts.sum == pytest.approx(expected, rel=1e-10, abs=1e-14)
        for path in link.paths:
            assert math.prod(factor.value for factor in path.factors) == pytest.approx(path.value, abs=1e-14)
        complete = chain(example, weight, link.count) if link.count < 200 else link
        if complete is not link:
            assert sum(path.value for path in complete.paths) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@EVERY
def test_the_strongest_path_is_told_factor_by_factor(layers):
    moment = made(layers)
    link = chain(open_example(moment, X[0], Y[0]), Weight(0, 1, 2), 1)
    symbols = [factor.symbol for factor in link.paths[0].factors]
    assert (
        symbols
        == {
            "batch norm": ["∂z/∂w", "∂a/∂z", "∂z/∂a", "∂a/∂z", "∂z/∂a", "∂loss/∂z"],
            "layer norm": ["∂z/∂w", "∂z/∂z", "∂z/∂z", "∂loss/∂z"],
            "both norms": ["∂z/∂w", "∂a/∂z", "∂z/∂a", "∂z/∂z", *["∂a/∂z", "∂z/∂a"], "∂loss/∂z"],
        }[layers]
    )


@EVERY
def test_wishes_are_slopes_of_the_loss_and_multiply_where_units_are_not_mixed(layers):
    moment = made(layers)
    example = open_example(moment, X[0], Y[0])
    for index, _, _ in moment.network.dense_layers():
        delta = example.backward.errors[index]
        assert delta is not None
        for wish, own in zip(wishes(example, index), delta[0], strict=True):
            assert wish.for_z == -own
            if wish.for_activation is not None and wish.slope is not None:
                assert wish.for_activation * wish.slope == pytest.approx(wish.for_z, abs=1e-14)
    mixed = {"batch norm": [], "layer norm": [0, 4], "both norms": [2]}[layers]
    for index in mixed:
        assert all(wish.slope is None for wish in wishes(example, index))


@EVERY
def test_what_examples_say_about_a_weight_and_what_a_nudge_does(layers):
    moment = made(layers)
    network, trace = moment.network, moment.network.forward(X)
    for weight in weights(network)[::5]:
        spoken = speak(network, trace, Y, moment.loss, weight)
        expected = gradient_for(network, weight)
        np.testing.assert_allclose(spoken.slopes, expected, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(spoken.forwards, expected, rtol=1e-10, atol=1e-14)
        other = network.copy()
        dense = dense_layer(other, weight.layer)
        if weight.source is None:
            dense.b[weight.to] += 0.3
        else:
            dense.W[weight.to, weight.source] += 0.3
        found = nudged_losses(network, trace, Y, moment.loss, weight, 0.3)
        np.testing.assert_allclose(found, other.losses(other.forward(X), Y), rtol=1e-10)


@EVERY
@pytest.mark.parametrize("hidden", ["relu", "tanh"])
def test_the_columns_add_up_to_the_change_of_the_output(layers, hidden):
    norm = {"batch norm": "batch", "layer norm": "layer", "both norms": None}[layers]
    network = (
        Network.mlp(6, 20, 15, 3, hidden=hidden, norm=norm, seed=4) if norm else cases.network_of(layers, "softmax")
    )
    told = contributions(network, cases.some((network.inputs,), 3, 2.0), baseline=cases.some((network.inputs,), 5))
    assert abs(told.whole) > 1e-3
    assert told.sum == pytest.approx(told.whole, rel=1e-7)


@EVERY
def test_scales_and_shifts_are_ranked_and_running_statistics_are_no_parameters(layers):
    network = cases.network_of(layers, "softmax")
    told = sensitivity(network, X, Y, count=1_000)
    assert told.parameters == len(told.ranked) == network.learnt
    assert told.layers.sum == pytest.approx(told.layers.whole)
    place = network.places()[1]
    gradient = network.backward(network.forward(X), Y).gradient()
    found = next(entry for entry in told.ranked if entry.weight == "1:2:shift")
    units = network.layers[1].units  # type: ignore[union-attr]
    assert (found.source, found.to, found.value) == ("shift", "0:2", network.params[place.start + units + 2])
    assert found.slope == pytest.approx(gradient[place.start + units + 2])


@EVERY
def test_the_whole_network_is_judged_by_what_it_is_after_training(layers):
    moment = made(layers)
    assert ("with running statistics" in moment.when) == moment.network.coupled
    told = health(moment, X, Y, lr=0.1, batch_size=4)
    assert told.loss == pytest.approx(moment.network.losses(moment.network.forward(X), Y).mean())
    step = overfitting_step(moment, X, Y, one=0, lr=1e-6)
    assert step.own.after - step.own.before == pytest.approx(step.predicted, rel=1e-3)


@pytest.fixture(scope="module", params=["batch", "layer"])
def run(request, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("normalised") / request.param
    settings = Settings("penguins", layers=(8, 6), norm=request.param, epochs=2, batch_size=40, dropout=0.1)
    dataset = load_for(settings)
    made = Run.planned(folder, settings.resolved(dataset), dataset.source)
    made.begin()
    for _ in Conduct(made, dataset).records():
        pass
    return Run.open(folder)


def test_the_moves_of_a_weight_add_up_and_only_layer_normalisation_parts_them_by_examples(run):
    told = moves(run, "0:1:2", 3, 4)
    assert told.parts.sum == pytest.approx(told.parts.whole, abs=told.limit)
    assert not [warning for warning in told.warnings if "add up" in warning]
    if run.settings.norm == "batch":
        assert told.examples is None
        assert "what each example added cannot be told: with batch normalisation" in told.warnings[-1]
        with pytest.raises(InputError, match="layer normalisation has no such ties"):
            step_examples(run, "0:1:2", 3)
    else:
        assert told.examples is not None
        assert told.examples.parts.sum == pytest.approx(told.examples.parts.whole, rel=1e-6)


def test_a_model_is_read_with_its_statistics_and_answers_the_same(run):
    network, dataset = run.model().network, run.dataset()
    assert network.coupled == (run.settings.norm == "batch")
    if network.coupled:
        assert (network.layers[1].running_var != 1).all()
    found = importance(run)
    assert found.loss == pytest.approx(run.model().metrics["test"]["loss"], rel=1e-5)
    assert np.isfinite(network.predict(dataset.x[:5])).all()


def test_a_training_needs_two_examples_a_step():
    network = Network.mlp(5, 4, 3, norm="batch")
    with pytest.raises(InputError, match="batch normalisation needs at least 2 examples per step, and there is 1"):
        Trainer(network, batch_size=1)
    with pytest.raises(InputError, match="batch normalisation needs at least 2 examples per step, and there is 1"):
        list(Trainer(network).run(X[:1], Y[:1]))
    Trainer(Network.mlp(5, 4, 3, norm="layer"), batch_size=1)
