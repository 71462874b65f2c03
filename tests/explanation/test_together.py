import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.explanation.correlation import Products, pearson
from backlight.explanation.desires import following_activation, incoming_names, unit_names
from backlight.explanation.passes import CHUNK
from backlight.explanation.places import dense_layer
from backlight.explanation.together import together
from tests import cases
from tests.explanation.made import Problem, adds_up, close, is_plain, problem, problems, unusual


def correlation(one: list[float], other: list[float]) -> float:
    """Pearson's correlation by its definition, 0 where a side is constant."""
    if len(set(one)) == 1 or len(set(other)) == 1:
        return 0.0
    u, v = np.array(one) - np.mean(one), np.array(other) - np.mean(other)
    return float((u * v).sum() / np.sqrt((u * u).sum() * (v * v).sum()))


def check(own: Problem, layer: int, count: int) -> None:
    lr = 0.3
    told = together(own.example(), layer, own.x, own.y, lr, count)
    dense = dense_layer(own.network, layer)
    trace = own.network.forward(own.x)
    following = following_activation(own.network, layer)
    a_to = trace.outs[layer if following is None else following]
    places = {weight: place for place, weight in enumerate(own.weights())}
    gradients = own.gradients()
    expected = {}
    for weight, place in places.items():
        if weight.layer != layer or weight.source is None:
            continue
        j, i = weight.to, weight.source
        pearsons = correlation(trace.a_in(layer)[:, i].tolist(), a_to[:, j].tolist())
        increases = -lr * gradients[:, place]
        close(told.correlations[j, i], pearsons, 1e-8)  # nearly constant columns lose digits in either way
        close(told.mean_increases[j, i], increases.mean())
        expected[str(weight)] = (trace.a_in(layer)[0, i], a_to[0, j], increases[0], pearsons, increases.mean())
    for pairs, column in ((told.pairs, 2), (told.common, 4)):
        growing = sorted((row[column] for row in expected.values() if row[column] > 0), reverse=True)
        values = [pair.increase if column == 2 else pair.mean_increase for pair in pairs]
        assert all(value > 0 for value in values)
        close(values, growing[:count])
        for pair in pairs:
            found = (pair.a_source, pair.a_to, pair.increase, pair.correlation, pair.mean_increase)
            close(found, expected[pair.weight], 1e-8)
    adds_up(told.falls)
    squares = gradients[0, [places[weight] for weight in places if weight.layer == layer and weight.source is not None]]
    close(told.falls.whole, (squares**2).sum())
    assert dense.W.shape == told.correlations.shape == told.mean_increases.shape
    is_plain(told)


@settings(deadline=None, max_examples=50)
@given(problems(), st.integers(1, 12), st.data())
def test_pairs_and_correlations_are_as_defined(own, count, data):
    layers = [index for index, _, _ in own.network.dense_layers()]
    check(own, data.draw(st.sampled_from(layers)), count)


@pytest.mark.parametrize("name", sorted(unusual()))
def test_pairs_of_networks_that_are_not_plain(name):
    own = unusual()[name]
    for layer, _, _ in own.network.dense_layers():
        check(own, layer, 5)


def test_correlations_are_those_of_numpy():
    own = problem("activation tanh", n=40)
    told = together(own.example(), 2, own.x, own.y)
    trace = own.network.forward(own.x)
    expected = np.corrcoef(trace.out.T, trace.outs[1].T)[:3, 3:]
    close(told.correlations, expected)
    close(told.agreement, np.corrcoef(expected.ravel(), told.mean_increases.ravel())[0, 1])
    assert told.growing == (told.mean_increases[expected > 0] > 0).mean()
    assert told.growing_apart == (told.mean_increases[expected < 0] > 0).mean()


def test_names_are_those_of_the_units():
    own = problem("activation tanh")
    told = together(own.example(), 2, own.x, own.y, count=100)
    for pair in (*told.pairs, *told.common):
        _, j, i = (int(word) for word in pair.weight.split(":"))
        assert (pair.source, pair.to) == (incoming_names(own.moment, 2)[i], unit_names(own.moment, 2)[j])


def test_a_unit_that_never_changes_is_correlated_with_nothing():
    own = problem("activation relu", n=20)
    dense_layer(own.network, 0).b[2] = -100.0
    own.x[:, 1] = 0.1  # its mean is rounded
    assert not together(own.example(), 0, own.x, own.y).correlations[:, 1].any()
    assert not together(own.example(), 2, own.x, own.y).correlations[:, 2].any()
    assert together(own.example(), 0, own.x, own.y).correlations[0, 0] != 0


def test_active_together_wired_together():
    """Where the inputs are not negative, the weights that grow most come from the most active inputs."""
    own = problem("activation tanh", n=30)
    own.x[...] = np.abs(own.x)
    told = together(own.example(), 0, own.x, own.y, count=5)
    assert all(pair.a_source > 0 for pair in told.pairs)
    assert told.pairs[0].source == f"x{own.x[0].argmax()}"
    per_activation = {round(pair.increase / pair.a_source, 12) for pair in told.pairs if pair.to == told.pairs[0].to}
    assert len(per_activation) == 1


@pytest.mark.parametrize("sizes", [[30], [1] * 30, [7, 23], [29, 1], [10, 10, 10]])
def test_chunks_are_merged_to_the_same_correlations(sizes):
    """Values of 1e6 with a spread of 1: sums of squares alone would lose them."""
    one, other = 1e6 + cases.some((30, 3), 1), cases.some((30, 4), 2)
    other[:, 0] += one[:, 1] - 1e6
    products, start = Products(3, 4), 0
    for size in sizes:
        products.add(one[start : start + size], other[start : start + size])
        start += size
    close(products.correlations(), np.corrcoef(one.T, other.T)[:3, 3:], 1e-8)


def test_a_batch_of_several_chunks():
    own = problem("activation tanh", n=10)
    times = CHUNK // 10 + 3
    once, often = (together(own.example(), 2, np.tile(own.x, (k, 1)), np.tile(own.y, (k, 1))) for k in (1, times))
    close(often.correlations, once.correlations)
    close(often.mean_increases, once.mean_increases)
    assert often.count == 10 * times


def test_pearson_of_two_arrays():
    x = np.arange(5.0)
    close([pearson(x, 2 * x + 1), pearson(x, -x), pearson(x, np.ones(5)), pearson(x[:1], x[:1])], [1, -1, 0, 0])


def test_an_example_that_asks_for_no_growth():
    own = problem("activation tanh")
    own.x[0] = 0.0
    told = together(own.example(), 0, own.x, own.y)
    assert told.pairs == ()
    assert told.common
    assert (told.falls.sum, told.falls.whole) == (0.0, 0.0)
    is_plain(told)


def test_what_cannot_be_shown_is_refused():
    own = problem("dense")
    for layer, lr, count, message in (
        (5, 1.0, 3, "layer 5 has no weights"),
        (0, -1.0, 3, r"lr is -1.0; it must be a finite number of at least 0"),
        (0, 1.0, 0, "count is 0; it must be a whole number of at least 1"),
    ):
        with pytest.raises(InputError, match=message):
            together(own.example(), layer, own.x, own.y, lr, count)
