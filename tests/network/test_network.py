from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.network import Activation, BatchNorm, Dense, Draws, Dropout, LayerNorm, Network
from backlight.network.normalisation import NormGrads
from tests import cases

N = 7
X = cases.some((N, cases.INPUTS), 1)


def dense(network: Network, index: int) -> Dense:
    layer = network.layers[index]
    assert isinstance(layer, Dense)
    return layer


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=6),
    st.sampled_from(sorted(cases.ACTIVATIONS)),
    st.sampled_from(cases.ALL_OUTPUTS),
    st.sampled_from([0.0, 0.2]),
)
def test_a_multi_layer_perceptron_has_the_layers_asked_for(widths, hidden, output, dropout):
    network = Network.mlp(*widths, hidden=hidden, output=output, dropout=dropout)
    expected: list[tuple[object, ...]] = []
    for k in range(1, len(widths)):
        last = k == len(widths) - 1
        expected.append(("dense", widths[k - 1], widths[k]))
        function = output if last else hidden
        expected += [] if function == "identity" else [("activation", function)]
        expected += [("dropout", dropout)] if dropout and not last else []
    found = [tuple(v for name, v in layer.to_dict().items() if name != "init") for layer in network.layers]
    assert found == expected
    assert network.params.size == sum((i + 1) * j for i, j in pairwise(widths))
    assert (network.inputs, network.outputs, network.output) == (widths[0], widths[-1], output)


def test_parameters_are_one_array_and_layers_hold_views():
    network = Network.mlp(2, 3, 4, hidden="tanh")
    network.params[...] = np.arange(network.params.size)
    assert dense(network, 0).W.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert dense(network, 0).b.tolist() == [6, 7, 8]
    assert dense(network, 2).W[0].tolist() == [9, 10, 11]
    assert dense(network, 2).b.tolist() == [21, 22, 23, 24]
    dense(network, 2).W[0, 0] = -1
    assert network.params[9] == -1
    places = [(index, place.start, place.stop) for index, _, place in network.dense_layers()]
    assert places == [(0, 0, 9), (2, 9, 25)]


def test_forward_is_the_formula():
    network = Network.mlp(5, 4, 3, hidden="tanh", output="identity", dtype="float64", seed=2)
    first, last = dense(network, 0), dense(network, 2)
    first.b[...], last.b[...] = cases.some((4,)), cases.some((3,))
    a = np.tanh(X @ first.W.T + first.b)
    np.testing.assert_allclose(network.predict(X), a @ last.W.T + last.b, rtol=1e-13)


def test_bytes_are_read_as_shares_of_255():
    network = Network.mlp(3, 2, output="identity", dtype="float64")
    x = np.array([[0, 51, 255]], np.uint8)
    assert network.forward(x).x.tolist() == [[0, 0.2, 1]]
    np.testing.assert_allclose(network.predict(x), network.predict([[0, 0.2, 1]]), rtol=1e-15)
    assert network.forward(np.array([[0, 51, 255]])).x.tolist() == [[0, 51, 255]]  # other whole numbers are values


def test_predict_works_in_chunks():
    network = Network.mlp(2, 3, dtype="float64")
    x = cases.some((2 * 4096 + 1, 2))
    np.testing.assert_allclose(network.predict(x), network.forward(x).out, rtol=1e-13)


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_trace_and_backward_have_named_shapes(layers):
    network = cases.network_of(layers, "tanh")
    trace = network.forward(X, Draws(0, 0, np.arange(N)))
    backward = network.backward(trace, np.zeros((N, cases.OUTPUTS)))
    assert backward.losses.shape == (N,)
    assert backward.d_x.shape == X.shape
    assert backward.gradient().shape == network.params.shape
    assert trace.out is trace.outs[-1]
    for index, layer in enumerate(network.layers):
        error, grads = backward.errors[index], backward.grads[index]
        assert error is not None
        assert error.shape == trace.outs[index].shape
        assert (grads is None) == isinstance(layer, Activation | Dropout)
        if isinstance(layer, Dense):
            grads = backward.dense(index)
            assert grads.delta.shape == (N, layer.units)
            assert grads.a is trace.a_in(index)
            assert np.array_equal(trace.z(index), trace.a_in(index) @ layer.W.T + layer.b)
        if isinstance(layer, BatchNorm | LayerNorm):
            assert isinstance(grads, NormGrads)
            assert grads.delta is error
            assert grads.delta.shape == grads.hat.shape == (N, layer.units)
        if isinstance(layer, Activation):
            assert np.array_equal(trace.z(index), trace.outs[index - 1])


@pytest.mark.parametrize("layers", cases.LAYERS)
@pytest.mark.parametrize(("output", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "squared")])
def test_looking_disturbs_nothing_and_backward_twice_gives_the_same(layers, output, loss):
    network = cases.network_of(layers, output)
    y = cases.LOSSES[loss].targets(output, N, cases.OUTPUTS, 0)
    trace = network.forward(X, Draws(0, 0, np.arange(N)))
    params, x = network.params.copy(), trace.x.copy()
    outs = [out.copy() for out in trace.outs]
    first, second = (network.backward(trace, y, loss) for _ in range(2))
    for array, other in ((first.losses, second.losses), (first.d_x, second.d_x), (first.gradient(), second.gradient())):
        assert np.array_equal(array, other)
    assert np.array_equal(network.losses(trace, y, loss), first.losses)
    assert np.array_equal(network.params, params)
    assert np.array_equal(trace.x, x)
    for out, kept in zip(trace.outs, outs, strict=True):
        assert np.array_equal(out, kept)


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_per_example_gradients_average_to_the_gradient(layers):
    network = cases.network_of(layers, "softmax")
    draws, y = None if network.coupled else Draws(0, 0, np.arange(N)), np.arange(N) % 3
    backward = network.backward(network.forward(X, draws), y)
    w = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0, 1.0])
    rows = [
        np.concatenate([part[n].ravel() for g in backward.grads if g is not None for part in g.per_example()])
        for n in range(N)
    ]
    np.testing.assert_allclose(backward.gradient(), np.mean(rows, axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(backward.gradient(w), w @ np.array(rows) / N, rtol=1e-12, atol=1e-15)
    for n in range(N):  # and each is the gradient of that example alone
        own = None if network.coupled else Draws(0, 0, np.array([n]))
        alone = network.backward(network.forward(X[n : n + 1], own), y[n : n + 1])
        np.testing.assert_allclose(rows[n], alone.gradient(), rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(backward.d_x[n], alone.d_x[0], rtol=1e-11, atol=1e-14)


def test_delta_of_a_fused_output_is_the_difference_of_output_and_target():
    network = cases.network_of("dense", "softmax")
    trace = network.forward(X)
    backward = network.backward(trace, np.zeros(N, int))
    assert backward.errors[-1] is None
    delta = backward.errors[-2]
    assert delta is not None
    assert np.array_equal(delta, trace.out - np.eye(3)[np.zeros(N, int)])


# copies, dictionaries, names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_dictionaries_and_names_describe_the_whole_network(layers):
    network = cases.network_of(layers, "softmax")
    other = Network.from_dicts(network.to_dicts(), seed=99, dtype="float64")
    assert not np.array_equal(other.params, network.params)
    other.load_state_dict(network.state_dict())
    assert np.array_equal(other.params, network.params)
    assert other.to_dicts() == network.to_dicts()
    assert np.array_equal(other.predict(X), network.predict(X))


def test_names_count_every_module():
    network = Network.mlp(4, 3, 2, 5, dropout=0.1)
    shapes = {name: array.shape for name, array in network.state_dict().items()}
    assert shapes == {
        "0.weight": (3, 4),
        "0.bias": (3,),
        "3.weight": (2, 3),
        "3.bias": (2,),
        "6.weight": (5, 2),
        "6.bias": (5,),
    }
    network.state_dict()["3.bias"][...] = 7  # views
    assert dense(network, 3).b.tolist() == [7, 7]


def test_a_copy_is_a_network_of_its_own():
    network = cases.network_of("dropout", "softmax", dtype="float32")
    same, double = network.copy(), network.copy("float64")
    assert same.dtype == np.float32
    assert double.dtype == np.float64
    for copy in (same, double):
        assert np.array_equal(copy.params, network.params)
        assert copy.to_dicts() == network.to_dicts()
        copy.params += 1
        assert not np.array_equal(copy.params, network.params)
    assert dense(network, 0).W.base is not dense(same, 0).W.base
    assert double.forward(X).out.dtype == np.float64


# what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (list, "a network needs at least one dense layer, and none was given"),
        (lambda: [Activation("relu")], "layer 0 is activation; the first layer must be dense"),
        (lambda: [Dropout(0.1), Dense(2, 3)], "layer 0 is dropout; the first layer must be dense"),
        (lambda: [Dense(2, 3), Dense(4, 5)], "layer 1 takes 4 incoming units, and the layer before gives 3"),
        (
            lambda: [Dense(2, 3), Activation("relu"), Dense(2, 3)],
            "layer 2 takes 2 incoming units, and the layer before gives 3",
        ),
        (
            lambda: [Dense(2, 3), Activation("softmax"), Dense(3, 2)],
            "layer 1 is softmax, which may only be the last layer",
        ),
        (
            lambda: [Dense(2, 2), *[Activation("relu")] * 2],
            "one layer object stands twice in the list; give each place a layer of its own",
        ),
        (lambda: [*[Dense(2, 2)] * 2], "one layer object stands twice"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(InputError, match=message):
        Network(layers())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Network.mlp(3), r"widths are \(3,\); at least the numbers of inputs and outputs are needed"),
        (lambda: Network.mlp(3, 0, 2), "the number of units is 0"),
        (lambda: Network.mlp(3, 2, 2, hidden="softmax"), "layer 1 is softmax, which may only be the last layer"),
        (lambda: Network.mlp(3, 2, 2, hidden="rellu"), r"did you mean 'relu'\?"),
        (lambda: Network.mlp(3, 2, output="linear"), "there is no activation 'linear'"),
        (lambda: Network.mlp(3, 2, init="xavier"), "there is no initializer 'xavier'"),
        (lambda: Network.mlp(3, 2, 2, dropout=1.5), "the dropout rate is 1.5"),
        (lambda: Network.mlp(3, 2, seed=-1), "seed is -1"),
        (lambda: Network.mlp(3, 2, dtype="float16"), "dtype is 'float16'; it must be 'float32' or 'float64'"),  # type: ignore[arg-type]
    ],
)
def test_impossible_networks_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("x", [X[:, :4], X[0], X[None], np.array([["a"] * 5]), X.astype(complex), np.zeros((0, 3))])
def test_inputs_that_do_not_fit_are_refused(x):
    with pytest.raises(InputError, match=r"x is .* of shape .*; the network takes numbers of shape \(n, 5\)"):
        cases.network_of("dense", "softmax").forward(x)


HALVES = np.full((N, 3), 0.5)


@pytest.mark.parametrize(
    ("output", "loss", "y", "message"),
    [
        ("softmax", None, np.zeros(3, int), r"x has 7 rows and y has shape \(3,\); each example needs one target"),
        ("softmax", None, np.zeros(N), r"y is one float64 number per example, and the network has 3 outputs; "),
        (
            "softmax",
            None,
            [0, 1, 2, 3, 0, 0, 0],
            r"y is 3 in row 3 \(counted from 0\); expected a class index from 0 to 2",
        ),
        ("softmax", None, [0, 1, -1, 0, 0, 0, 0], "y is -1 in row 2 "),
        ("softmax", None, np.zeros((N, 2)), r"y has shape \(7, 2\); expected \(7,\) or \(7, 3\)"),
        ("softmax", None, np.zeros((N, 3, 1)), r"y has shape \(7, 3, 1\)"),
        ("softmax", None, HALVES, "y is 1.5 in row 0 .*; expected a row that sums to 1 for softmax"),
        ("logistic", None, 3 * HALVES, r"y is 1.5 in row 0 .*; expected a probability \(0 to 1\) for cross_entropy"),
        ("exponential", None, -HALVES, r"y is -0.5 in row 0 .*; expected a count \(0 or more\) for poisson"),
        ("identity", "absolute", np.full((N, 3), np.nan), "y is nan in row 0 .*; expected a finite number"),
        ("identity", None, np.full((N, 3), "a"), "y holds <U1; numbers are needed"),
    ],
)
def test_targets_that_do_not_fit_are_refused(output, loss, y, message):
    network = cases.network_of("dense", output)
    trace = network.forward(X)
    for refuse in (network.backward, network.losses):
        with pytest.raises(InputError, match=message):
            refuse(trace, y, loss)


def test_the_row_of_a_bad_target_is_named():
    y = np.zeros((N, 3))
    y[4, 1] = np.inf
    network = cases.network_of("dense", "identity")
    with pytest.raises(InputError, match=r"y is inf in row 4 \(counted from 0\)"):
        network.backward(network.forward(X), y)


def test_names_and_shapes_of_parameters_must_be_the_networks():
    network = Network.mlp(2, 3, 2)
    state = {name: array.copy() for name, array in network.state_dict().items()}
    with pytest.raises(InputError, match=r"parameters are named \['0.bias', '0.weight'\]; the network has "):
        network.load_state_dict({name: state[name] for name in ("0.weight", "0.bias")})
    with pytest.raises(InputError, match=r"0.weight has shape \(2, 3\); the network's is \(3, 2\)"):
        network.load_state_dict(state | {"0.weight": state["0.weight"].T})


def test_a_network_introduces_itself():
    assert repr(Network.mlp(4, 3, 2)) == "Network 4-3-2, relu, softmax, 23 parameters in float32"
    assert repr(Network([Dense(1, 1)], dtype="float64")) == "Network 1-1, identity, 2 parameters in float64"


def test_a_layer_belongs_to_one_network() -> None:
    layer = Dense(2, 3)
    Network([layer])
    with pytest.raises(InputError, match="belongs to another network already"):
        Network([layer])
