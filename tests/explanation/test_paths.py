from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.explanation import paths
from backlight.explanation.desires import Example, following_activation, unit_names
from backlight.explanation.paths import chain
from backlight.explanation.places import Weight, dense_layer
from backlight.network import Activation
from tests.explanation.made import EXACT, Problem, adds_up, close, measured_slope, problem, problems, unusual


def all_paths(example: Example, weight: Weight) -> dict[tuple[str, ...], float]:
    """Every path from a weight to the loss with its product, by enumeration."""
    network = example.moment.network
    numbers = [index for index, _, _ in network.dense_layers() if index >= weight.layer]
    delta = example.backward.errors[numbers[-1]]
    assert delta is not None
    first = 1.0 if weight.source is None else example.trace.a_in(weight.layer)[0, weight.source]
    found = {}
    later = [range(dense_layer(network, layer).units) for layer in numbers[1:]]
    for rest in product(*later):
        units = (weight.to, *rest)
        value = float(first)
        for (here, after), j, k in zip(pairwise(numbers), units[:-1], units[1:], strict=True):
            for index in range(here + 1, after):
                activation, cache = network.layers[index], example.trace.caches[index]
                if isinstance(activation, Activation):
                    value *= activation.slope(cache)[0, j]  # type: ignore[arg-type]
            value *= dense_layer(network, after).W[k, j]
        value *= delta[0, units[-1]]
        names = tuple(unit_names(example.moment, n)[j] for n, j in zip(numbers, units, strict=True))
        found[names] = value
    return found


def check(own: Problem, example: Example, weight: Weight, count: int) -> None:
    link = chain(example, weight, count)
    gradient = own.gradients()[0][own.weights().index(weight)]
    enumerated = all_paths(example, weight)
    close(link.gradient, gradient)
    close(link.product, gradient)
    close(np.prod([factor.value for factor in link.factors]), link.product)
    assert link.count == len(enumerated)
    close(sum(enumerated.values()), gradient)
    assert link.weight == str(weight)
    strongest = sorted((abs(value) for value in enumerated.values()), reverse=True)
    assert len(link.paths) == min(count, len(enumerated))
    close([abs(path.value) for path in link.paths], strongest[: len(link.paths)])
    for path in link.paths:
        close(path.value, enumerated[path.units])
        close(np.prod([factor.value for factor in path.factors]), path.value)
        close(path.share * gradient, path.value if gradient else 0.0)
    assert len({path.units for path in link.paths}) == len(link.paths)
    adds_up(link.parts)
    named = [" → ".join(path.units) for path in link.paths]
    assert [part.name for part in link.parts.parts] == named + (["rest"] if link.count > len(named) else [])


@settings(deadline=None, max_examples=60)
@given(problems(), st.integers(1, 8), st.data())
def test_the_chain_rule_of_any_weight_is_the_sum_over_all_paths(own, count, data):
    small = [dense.units for _, dense, _ in own.network.dense_layers()]
    weight = data.draw(st.sampled_from(own.weights()))
    if np.prod(small) > 3000:
        weight = Weight(max(index for index, _, _ in own.network.dense_layers()), 0, 0)
    check(own, own.example(), weight, count)


@pytest.mark.parametrize("name", sorted(unusual()))
def test_the_chain_rule_of_every_weight_of_networks_that_are_not_plain(name):
    own = unusual()[name]
    example = own.example()
    for weight in own.weights():
        check(own, example, weight, 3)


def test_every_factor_is_what_it_says():
    own = problem("activation tanh", "sigmoid", "squared")
    example = own.example()
    link = chain(example, Weight(0, 2, 1))
    assert [factor.symbol for factor in link.factors] == ["∂z/∂w", "∂a/∂z", "∂loss/∂a"]
    assert link.factors[0].value == own.x[0, 1]
    a = example.trace.outs[1][0, 2]
    close(link.factors[1].value, 1 - a**2)
    error = example.backward.errors[1]
    assert error is not None
    assert link.factors[2].value == error[0, 2]
    path = link.paths[0]
    assert [factor.symbol for factor in path.factors] == ["∂z/∂w", "∂a/∂z", "∂z/∂a", "∂a/∂z", "∂loss/∂a"]
    assert chain(example, Weight(0, 2, None)).factors[0].value == 1.0


def test_a_fused_output_is_one_factor():
    own = problem("activation tanh", "softmax", "cross_entropy")
    link = chain(own.example(), Weight(2, 1, 0))
    assert [factor.symbol for factor in link.factors] == ["∂z/∂w", "∂loss/∂z"]
    assert following_activation(own.network, 2) == 3


def test_the_gradient_is_the_measured_slope():
    """A five-point difference in float64 with h = 1e-3, good to about 1e-9."""
    own = problem("activation gelu", "sigmoid", "squared")

    def slope(place: int) -> float:
        return measured_slope(lambda h: float(own.losses(own.moved({place: h}))[0]))

    for place, weight in list(enumerate(own.weights()))[::7]:
        close(chain(own.example(), weight).gradient, slope(place), 1e-8)


@pytest.mark.parametrize("name", ["_onwards", "_all_paths"])
def test_a_planted_error_is_seen(name, monkeypatch):
    own = problem("deep")
    right = getattr(paths, name)
    adds_up(chain(own.example(), Weight(0, 1, 2)).parts)
    monkeypatch.setattr(paths, name, lambda *given: right(*given) * (1 + 1e-6))
    parts = chain(own.example(), Weight(0, 1, 2)).parts
    assert abs(parts.sum / parts.whole - 1) > 100 * EXACT
    with pytest.raises(AssertionError):
        adds_up(parts, 1e-7 * abs(parts.whole))


def test_weights_that_are_not_there_are_refused():
    example = problem("dense").example()
    for weight in (Weight(0, 6, 0), Weight(0, 0, 5), Weight(0, -1, 0), Weight(5, 0, 0)):
        with pytest.raises(InputError, match=r"was asked for|has no weights"):
            chain(example, weight)
