import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.explanation.along import cost_along
from backlight.explanation.comparing import NUDGES, compare
from backlight.explanation.nudge import weight_value
from backlight.explanation.places import Weight
from backlight.explanation.sensitivity import place_of, sensitivity, weight_at
from backlight.network import Activation, Dense, Network
from backlight.plots import Curve
from tests.explanation.made import Problem, adds_up, built, close, is_plain, measured_slope, problem, problems, unusual


@settings(deadline=None, max_examples=40)
@given(problems(), st.integers(1, 400))
def test_parameters_are_ranked_by_the_size_of_their_gradient(own, count):
    told = sensitivity(own.moment, own.x, own.y, count)
    gradient = own.gradients().mean(axis=0)
    sizes = np.sort(np.abs(gradient))[::-1][:count]
    names = {str(weight): place for place, weight in enumerate(own.weights())}
    assert told.parameters == len(gradient) == len(names)
    assert len(told.ranked) == len({entry.weight for entry in told.ranked}) == min(count, len(gradient))
    close([abs(entry.slope) for entry in told.ranked], sizes)
    for entry in told.ranked:
        place = names[entry.weight]
        close(entry.slope, gradient[place])
        assert entry.value == own.network.params[place]
    close(told.cost, own.cost())
    adds_up(told.layers)
    close(told.layers.whole, np.abs(gradient).sum())


def test_names_of_parameters_and_totals_of_layers():
    own = problem("activation tanh")
    told = sensitivity(own.moment, own.x, own.y, 1000)
    gradient = np.abs(own.gradients().mean(axis=0))
    found = {entry.weight: (entry.source, entry.to) for entry in told.ranked}
    assert found["0:3:2"] == ("x2", "0:3")
    assert found["0:3:b"] == ("bias", "0:3")
    assert found["2:1:4"] == ("0:4", "output 1")
    assert [part.name for part in told.layers.parts] == [
        *("layer 0 weights", "layer 0 biases", "layer 2 weights", "layer 2 biases")
    ]
    expected = [gradient[:30].sum(), gradient[30:36].sum(), gradient[36:54].sum(), gradient[54:].sum()]
    close([part.value for part in told.layers.parts], expected)
    is_plain(told)


def test_of_equals_the_first_comes_first_and_silent_ones_come_last():
    own = problem("activation tanh")
    own.x[...] = 0.0
    told = sensitivity(own.moment, own.x, own.y, 1000)
    last = [entry.weight for entry in told.ranked if entry.slope == 0]
    assert last == [str(weight) for weight in own.weights()[:30]]
    is_plain(sensitivity(own.moment, own.x, own.y, 1000))


@settings(deadline=None, max_examples=20)
@given(problems())
def test_every_place_has_a_weight_and_every_weight_its_place(own):
    for place, weight in enumerate(own.weights()):
        assert weight_at(own.network, place) == weight
        assert place_of(own.network, weight) == place
        assert weight_value(own.network, weight) == own.network.params[place]
    for place in (-1, own.network.params.size):
        with pytest.raises(IndexError):
            weight_at(own.network, place)


def test_the_gradient_in_float32_ranks_nearly_the_same():
    own = problem("deep", n=50)
    exact, fast = (sensitivity(own.moment, own.x, own.y, precision=p) for p in ("float64", "float32"))
    close([entry.slope for entry in fast.ranked], [entry.slope for entry in exact.ranked], 1e-5)
    adds_up(fast.layers)


@settings(deadline=None, max_examples=40)
@given(problems(), st.data(), st.sampled_from([None, 0.1, -0.02]))
def test_two_weights_are_compared_by_nudging_them(own, data, nudge):
    weights = own.weights()
    places = [data.draw(st.integers(0, len(weights) - 1)) for _ in range(2)]
    told = compare(own.moment, own.x, own.y, weights[places[0]], weights[places[1]], nudge)
    gradient, cost = own.gradients().mean(axis=0), own.cost()
    assert told.nudge == nudge or (nudge is None and told.nudge in NUDGES)
    for place, found in zip(places, (told.first, told.second), strict=True):
        close(found.slope, gradient[place])
        close(found.predicted, gradient[place] * told.nudge)
        close(found.measured, own.cost(own.moved({place: told.nudge})) - cost, 1e-9)
        assert found.weight.startswith(str(weights[place]))
        assert found.value == own.network.params[place]
    close(told.cost, cost)
    is_plain(told)


def test_the_ratio_in_words_and_measured():
    own = problem("activation tanh", "sigmoid", "squared")
    gradient = np.abs(own.gradients().mean(axis=0))
    order = np.argsort(gradient)
    strong, weak = own.weights()[order[-1]], own.weights()[order[5]]
    told, turned = (compare(own.moment, own.x, own.y, *pair) for pair in ((strong, weak), (weak, strong)))
    expected = gradient[order[-1]] / gradient[order[5]]
    assert expected > 10
    close([told.ratio, turned.ratio], [expected, 1 / expected])
    assert told.measured_ratio is not None
    assert abs(told.measured_ratio / expected - 1) < 3e-3  # each change is within a thousandth of the predicted one
    assert told.sentence == turned.sentence
    assert told.sentence.startswith("The cost is ")
    assert f"times as sensitive to {strong} (" in told.sentence
    for found in (told.first, told.second):
        assert abs(found.measured / found.predicted - 1) <= 1e-3


def test_the_nudge_is_the_largest_that_is_small_enough():
    own = problem("activation tanh", "sigmoid", "squared")
    first, second = own.weights()[3], own.weights()[40]
    chosen = compare(own.moment, own.x, own.y, first, second).nudge
    for nudge in NUDGES:
        told = compare(own.moment, own.x, own.y, first, second, nudge)
        near = all(abs(f.measured - f.predicted) <= 1e-3 * abs(f.predicted) for f in (told.first, told.second))
        assert near == (nudge <= chosen)


def test_weights_that_the_cost_does_not_change_with():
    own = problem("activation tanh")
    own.x[:, 2] = 0.0
    dead, other = Weight(0, 1, 2), Weight(0, 1, 1)
    told = compare(own.moment, own.x, own.y, other, dead)
    assert (told.ratio, told.measured_ratio, told.second.measured) == (None, None, 0.0)
    assert told.sentence == "The cost does not change with 0:1:2 (from x2 to 0:1)."
    is_plain(told)
    both = compare(own.moment, own.x, own.y, dead, dead)
    assert both.sentence == "The cost does not change with either weight."
    assert compare(own.moment, own.x, own.y, dead, other).ratio == 0.0


@settings(deadline=None, max_examples=30)
@given(problems(), st.data(), st.sampled_from([3, 5]), st.floats(0.01, 2))
def test_the_cost_along_a_weight_is_measured_at_every_point(own, data, points, span):
    place = data.draw(st.integers(0, own.network.params.size - 1))
    told = cost_along(own.moment, own.x, own.y, own.weights()[place], span, points)
    value = own.network.params[place]
    close(told.values, np.linspace(value - span, value + span, points))
    close(told.costs, [own.cost(own.moved({place: v - value})) for v in told.values], 1e-9)
    assert told.costs[points // 2] == told.cost
    assert told.values[points // 2] == told.value == value
    close(told.slope, own.gradients().mean(axis=0)[place])
    close(told.rise / told.run, told.slope)
    close(told.run, told.values[points // 2 + 1] - value)
    close(told.measured_rise, told.costs[points // 2 + 1] - told.cost, 1e-9)
    assert told.lowest == told.values[int(np.argmin(told.costs))]


def test_the_tangent_touches_the_curve():
    own = problem("activation tanh", "sigmoid", "squared")
    told = cost_along(own.moment, own.x, own.y, Weight(2, 1, 3), 0.5, 11)
    curve = next(block for block in told.blocks() if isinstance(block, Curve))
    assert curve.tangent == (told.value, told.cost, told.slope)
    assert (curve.x, curve.y) == (told.values, told.costs)
    place = place_of(own.network, Weight(2, 1, 3))
    close(told.slope, measured_slope(lambda h: own.cost(own.moved({place: h}))), 1e-8)
    is_plain(told)


@pytest.mark.parametrize("name", sorted(unusual()))
def test_the_cost_along_weights_of_networks_that_are_not_plain(name):
    own = unusual()[name]
    for place, weight in enumerate(own.weights()):
        told = cost_along(own.moment, own.x, own.y, weight, 0.4, 3)
        close(told.costs, [own.cost(own.moved({place: h})) for h in (-0.4, 0.0, 0.4)])


def test_a_parabola_is_found_again():
    """One weight, one input of 1, squared error: C = ½ (w − y)²."""
    own = built([Dense(1, 1)], "squared", n=1)
    layer = own.network.layers[0]
    assert isinstance(layer, Dense)
    layer.W[...], layer.b[...] = 2.0, 0.0
    told = cost_along(own.moment, [[1.0]], [0.5], Weight(0, 0, 0), 2.0, 5)
    assert told.values == (0.0, 1.0, 2.0, 3.0, 4.0)
    close(told.costs, [0.125, 0.125, 1.125, 3.125, 6.125])
    assert (told.slope, told.rise, told.run) == (1.5, 1.5, 1.0)
    close(told.measured_rise, 2.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"span": 0.0}, r"the span is 0.0; it must be a finite number that is not 0"),
        ({"span": -1.0}, r"the span is -1.0; it must be a finite number above 0"),
        ({"span": float("inf")}, "the span is inf"),
        ({"points": 4}, "the number of points is 4; it must be odd"),
        ({"points": 1}, "the number of points is 1; it must be a whole number of at least 3"),
        ({"weight": Weight(0, 0, 77)}, "77 was asked for"),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(wrong, message):
    own = problem("dense")
    with pytest.raises(InputError, match=message):
        cost_along(own.moment, own.x, own.y, **{"weight": Weight(0, 0, 0), **wrong})


def test_what_cannot_be_compared_or_ranked_is_refused():
    own = problem("dense")
    for nudge in (0.0, float("nan")):
        with pytest.raises(InputError, match=r"the nudge is .*; it must be a finite number that is not 0"):
            compare(own.moment, own.x, own.y, Weight(0, 0, 0), Weight(0, 0, 1), nudge)
    with pytest.raises(InputError, match="99 was asked for, and layer 0 has units 0 to 5"):
        compare(own.moment, own.x, own.y, Weight(0, 0, 0), Weight(0, 99, 1))
    with pytest.raises(InputError, match="count is 0"):
        sensitivity(own.moment, own.x, own.y, 0)
    with pytest.raises(InputError, match="x has 3 columns"):
        sensitivity(own.moment, own.x[:, :3], own.y)


def test_nothing_of_the_network_is_changed():
    network = Network([Dense(5, 4), Activation("relu"), Dense(4, 3), Activation("softmax")], seed=1)
    own, before = Problem(network, "cross_entropy", problem().x, np.arange(9) % 3), network.params.copy()
    moment = own.moment
    params = moment.network.params.copy()
    sensitivity(moment, own.x, own.y)
    compare(moment, own.x, own.y, Weight(0, 0, 0), Weight(2, 0, 0))
    cost_along(moment, own.x, own.y, Weight(0, 0, 0))
    assert np.array_equal(network.params, before)
    assert np.array_equal(moment.network.params, params)
