import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.explanation.desires import (
    combined,
    following_activation,
    incoming_names,
    input_wishes,
    open_example,
    three_ways,
    unit_names,
    wishes,
)
from backlight.explanation.moment import open_moment
from backlight.explanation.places import Unit, dense_layer
from backlight.network import Activation, Dense, Network
from tests import cases
from tests.explanation.made import (
    SMOOTH,
    Problem,
    adds_up,
    close,
    fulfils,
    loss_from,
    measured_slope,
    problem,
    problems,
    unusual,
)

FUSED = [
    ("softmax", "cross_entropy"),
    (cases.GROUPED, "cross_entropy"),
    ("logistic", "cross_entropy"),
    ("exponential", "poisson"),
]
APART = [("sigmoid", "squared"), ("identity", "squared"), ("tanh", "huber"), ("softplus", "poisson")]


def dense_numbers(own: Problem) -> list[int]:
    return [index for index, _, _ in own.network.dense_layers()]


@pytest.mark.parametrize(("output", "loss"), FUSED + APART)
@pytest.mark.parametrize("layers", ["activation tanh", "activation gelu", "activation identity", "dropout"])
def test_wishes_are_measured_slopes_of_the_loss(layers, output, loss):
    """Five-point differences in float64 with h = 1e-3 are good to about 1e-9."""
    own = problem(layers, output, loss)
    example = own.example(2)
    network = example.moment.network

    def slope(layer: int, j: int) -> float:
        out = example.trace.outs[layer]
        unit = np.eye(out.shape[1])[j]
        return measured_slope(lambda h: loss_from(own, example, layer, out + h * unit)[0])

    for layer in dense_numbers(own):
        for j, wish in enumerate(wishes(example, layer)):
            assert wish.z == example.trace.outs[layer][0, j]
            close(wish.for_z, -slope(layer, j), 1e-8)
            following = following_activation(network, layer)
            if wish.for_activation is None or following is None:
                continue
            assert wish.slope is not None
            assert wish.activation == example.trace.outs[following][0, j]
            close(wish.for_activation, -slope(following, j), 1e-8)
            close(wish.for_activation * wish.slope, wish.for_z)


@pytest.mark.parametrize(("output", "loss"), FUSED)
def test_an_output_that_is_fused_with_its_loss_has_no_slope_of_its_own(output, loss):
    own = problem("activation tanh", output, loss)
    example = own.example()
    rows = wishes(example, dense_numbers(own)[-1])
    for row, y in zip(rows, np.asarray(own.y[0]), strict=True):
        assert row.for_activation is None
        assert row.slope is None
        assert row.target == y
        assert not row.saturated
        close(row.for_z, y - row.activation)
    for hidden in wishes(example, dense_numbers(own)[0]):
        assert hidden.slope is not None
        assert hidden.target is None


def test_softmax_with_squared_error_couples_its_outputs():
    own = unusual()["softmax with squared error"]
    rows = wishes(own.example(), 2)
    assert all(row.slope is None and row.for_activation is None for row in rows)
    close(sum(row.for_z for row in rows), 0.0)  # a softmax does not change when all z move alike


def test_linear_units_wish_for_z_what_they_wish_for_the_activation():
    own = unusual()["no activation between"]
    for row in wishes(own.example(), 0):
        assert row.slope == 1.0
        assert row.for_activation == row.for_z
        assert row.activation == row.z


def test_a_flat_slope_silences_a_loud_wish():
    """The design's example: outputs of 0.9975 and 0.378 that should be 0, sigmoid and squared error."""
    network = Network([Dense(1, 2), Activation("sigmoid")], seed=0, dtype="float64")
    a = np.array([0.9975, 0.378])
    layer = dense_layer(network, 0)
    layer.W[...], layer.b[...] = 0.0, np.log(a / (1 - a))
    loud, heard = wishes(open_example(open_moment(network, loss="squared"), [1.0], [0.0, 0.0]), 0)
    assert loud.for_activation is not None
    assert heard.for_activation is not None
    close([loud.for_activation, heard.for_activation], -a)
    assert abs(loud.for_activation) > abs(heard.for_activation)
    assert round(heard.for_z / loud.for_z) == 36
    assert loud.saturated
    assert not heard.saturated


def test_a_quiet_wish_at_a_flat_slope_is_not_called_saturated():
    network = Network([Dense(1, 2), Activation("sigmoid")], seed=0, dtype="float64")
    layer = dense_layer(network, 0)
    layer.W[...], layer.b[...] = 0.0, [8.0, 8.0]
    wrong, right = wishes(open_example(open_moment(network, loss="squared"), [1.0], [0.0, 1.0]), 0)
    assert wrong.saturated
    assert not right.saturated


def test_a_dead_unit_is_saturated():
    network = Network.mlp(1, 2, 1, hidden="relu", output="identity", dtype="float64")
    dense_layer(network, 0).W[...] = [[1.0], [-1.0]]
    dense_layer(network, 2).W[...] = 1.0
    awake, dead = wishes(open_example(open_moment(network), [1.0], [3.0]), 0)
    assert (awake.saturated, awake.slope, awake.for_z) == (False, 1.0, 2.0)
    assert (dead.saturated, dead.slope, dead.for_z, dead.for_activation) == (True, 0.0, 0.0, 2.0)


@settings(deadline=None, max_examples=40)
@given(problems(), st.data())
def test_the_three_ways_of_any_unit(own, data):
    example = own.example()
    layer = data.draw(st.sampled_from(dense_numbers(own)))
    dense = dense_layer(example.moment.network, layer)
    j = data.draw(st.integers(0, dense.units - 1))
    ways = three_ways(example, Unit(layer, j))
    grads = example.backward.grads[layer]
    assert grads is not None
    W_grads, b_grads = grads.per_example()
    assert grads.delta is example.backward.errors[layer]
    names = incoming_names(example.moment, layer)
    found = {(way.kind, way.name): way for way in ways.ways}
    assert len(ways.ways) == len(found) == 1 + 2 * dense.incoming
    close(found["bias", "bias"].wish, -b_grads[0, j])
    close([found["weight", name].wish for name in names], -W_grads[0, j])
    close([found["activation", name].wish for name in names], -grads.delta[0, j] * dense.W[j])
    close([found["weight", name].strength for name in names], example.trace.a_in(layer)[0])
    sizes = [abs(way.wish) for way in ways.ways]
    assert sizes == sorted(sizes, reverse=True)
    close([way.share * ways.falls.whole for way in ways.ways], [size**2 for size in sizes])
    adds_up(ways.falls)
    assert [part.name for part in ways.falls.parts] == ["bias", "weight", "activation"]
    for part in ways.falls.parts:
        close(part.value, sum(way.wish**2 for way in ways.ways if way.kind == part.name))
    assert ways.for_z == wishes(example, layer)[j].for_z
    assert ways.unit == unit_names(example.moment, layer)[j]


@settings(deadline=None, max_examples=120)
@given(problems(), st.sampled_from(["bias", "weight", "activation"]), st.data())
def test_taking_a_wished_step_changes_the_loss_by_the_predicted_amount(own, kind, data):
    """Each of a unit's three ways alone; through this unit an activation's step moves z_j by W_j · step."""
    example = own.example()
    layer = data.draw(st.sampled_from(dense_numbers(own)))
    j = data.draw(st.integers(0, dense_layer(own.network, layer).units - 1))
    ways = three_ways(example, Unit(layer, j))
    fall = next(part.value for part in ways.falls.parts if part.name == kind)
    length = np.sqrt(fall)
    dense = dense_layer(example.moment.network, layer)
    per_unit = {
        "bias": lambda: 1.0,
        "weight": lambda: float(example.trace.a_in(layer)[0] @ example.trace.a_in(layer)[0]),
        "activation": lambda: float(dense.W[j] @ dense.W[j]),
    }[kind]()

    def after(t: float) -> tuple[float, object]:
        z = example.trace.outs[layer].copy()
        z[0, j] += t / length * ways.for_z * per_unit if length else 0.0
        return loss_from(own, example, layer, z)

    fulfils(after, length)


@settings(deadline=None, max_examples=80)
@given(problems())
def test_the_step_along_all_wishes_changes_the_cost_by_the_predicted_amount(own):
    gradient = own.gradients().mean(axis=0)
    length = float(np.linalg.norm(gradient))
    unit = gradient / length if length else gradient

    def after(t: float) -> tuple[float, object]:
        network = own.moved(-t * unit)
        return own.cost(network), own.pattern(network)

    fulfils(after, length)


@settings(deadline=None, max_examples=80)
@given(problems(), st.data())
def test_what_units_ask_of_an_activation_adds_up_and_comes_true(own, data):
    example = own.example()
    layer = data.draw(st.sampled_from(dense_numbers(own)))
    dense = dense_layer(example.moment.network, layer)
    i = data.draw(st.integers(0, dense.incoming - 1))
    asked = combined(example, layer, i)
    adds_up(asked)
    wished = [wish.for_z for wish in wishes(example, layer)]
    close([part.value for part in asked.parts], [wished[j] * dense.W[j, i] for j in range(dense.units)])
    assert [part.name for part in asked.parts] == unit_names(example.moment, layer)

    def after(t: float) -> tuple[float, object]:
        a = example.trace.a_in(layer).copy()
        a[0, i] += t * np.sign(asked.sum)
        return loss_from(own, example, layer, dense.forward(a)[0])

    fulfils(after, abs(asked.sum))


@pytest.mark.parametrize("name", sorted(unusual()))
def test_the_sums_of_what_is_asked_recurse_down_to_the_inputs(name):
    """From the outputs' wishes alone, by sums over units and slopes, to every hidden unit and every input."""
    own = unusual()[name]
    example = own.example(1)
    network, numbers = example.moment.network, dense_numbers(own)
    for_z = np.array([wish.for_z for wish in wishes(example, numbers[-1])])
    for layer in reversed(numbers):
        dense = dense_layer(network, layer)
        sums = np.array([combined(example, layer, i).sum for i in range(dense.incoming)])
        close(sums, [sum(for_z[j] * dense.W[j, i] for j in range(dense.units)) for i in range(dense.incoming)])
        if layer == 0:
            break
        before = max(index for index in numbers if index < layer)
        for index in range(layer - 1, before, -1):
            activation, cache = network.layers[index], example.trace.caches[index]
            assert isinstance(activation, Activation)
            sums = sums * activation.slope(cache)[0]  # type: ignore[arg-type]
        for_z = sums
        close(for_z, [wish.for_z for wish in wishes(example, before)])
    close(sums, input_wishes(example))


@pytest.mark.parametrize("hidden", SMOOTH)
def test_the_wishes_of_the_inputs_are_measured_slopes(hidden):
    own = problem(f"activation {hidden}")
    example, x = own.example(3), own.x[3:4]

    def slope(i: int) -> float:
        unit = np.eye(x.shape[1])[i]
        forward = own.network.forward
        return measured_slope(lambda h: float(own.network.losses(forward(x + h * unit), own.y[3:4], own.loss)[0]))

    close(input_wishes(example), [-slope(i) for i in range(x.shape[1])], 1e-8)


def test_a_sum_that_is_not_the_whole_is_seen():
    """The parts are multiplied from the weights as they are; the whole is what the backward pass had."""
    example = problem().example()
    layer = max(index for index, _, _ in example.moment.network.dense_layers())
    adds_up(combined(example, layer, 1))
    dense_layer(example.moment.network, layer).W[0, 1] += 0.01
    with pytest.raises(AssertionError):
        adds_up(combined(example, layer, 1))


def test_names_are_those_of_the_data_at_both_ends():
    moment = open_moment(Network.mlp(2, 3, 4, 2))
    assert unit_names(moment, 0) == ["0:0", "0:1", "0:2"]
    assert unit_names(moment, 4) == ["output 0", "output 1"]
    assert incoming_names(moment, 0) == ["x0", "x1"]
    assert incoming_names(moment, 4) == ["2:0", "2:1", "2:2", "2:3"]


@pytest.mark.parametrize("y", [2, np.int64(2), [2], np.array([2]), [0.0, 0.0, 1.0], [[0.0, 0.0, 1.0]]])
@pytest.mark.parametrize("rows", [1, 2])
def test_an_example_is_given_in_any_usual_form(y, rows):
    own = problem()
    x = own.x[0] if rows == 1 else own.x[:1]
    example = open_example(own.moment, x, y, "mine")
    assert example.targets.tolist() == [0, 0, 1]
    assert example.name == "mine"
    assert example.trace.x.shape == (1, cases.INPUTS)


def test_more_than_one_example_and_units_that_are_not_there_are_refused():
    own = problem()
    with pytest.raises(InputError, match="one example is explained at a time, and x has 2 rows"):
        open_example(own.moment, own.x[:2], 0)
    with pytest.raises(InputError, match="9 was asked for, and layer 0 has incoming units 0 to 4"):
        combined(own.example(), 0, 9)
    with pytest.raises(InputError, match="layer 1 has no weights"):
        three_ways(own.example(), Unit(1, 0))
