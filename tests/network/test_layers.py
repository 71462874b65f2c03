import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.arrays import Floats
from backlight.errors import InputError
from backlight.network import Activation, Dense, Draws, Dropout
from backlight.network.layers import layer_from_dict
from tests import cases

quick = settings(deadline=None, max_examples=50)
ROWS = np.arange(1000)


def mask(rate: float, units: int, draws: Draws, layer: int = 1, dtype: str = "float64") -> np.ndarray:
    return Dropout(rate).forward(np.ones((len(draws.rows), units), dtype), draws, layer)[0]


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_forward_and_backward_shapes_and_untouched_caches(layers):
    """The backward pass gives the same when it is called twice, because nothing that it reads is changed."""
    draws = Draws(0, 0, np.arange(4))
    network = cases.network_of(layers, "softmax")
    x: Floats = cases.some((4, cases.INPUTS))
    for index, layer in enumerate(network.layers):
        kept = x.copy()
        out, cache = layer.forward(x, draws, index)
        d_out = cases.some(out.shape, 5)
        frozen = {name: None if a is None else a.copy() for name, a in vars(cache).items()}
        first, second = (layer.backward(d_out.copy(), cache) for _ in range(2))  # type: ignore[arg-type]
        assert first[0].shape == x.shape
        assert np.array_equal(first[0], second[0])
        assert (first[1] is None) == isinstance(layer, Activation | Dropout)
        for name, array in frozen.items():
            assert array is None or np.array_equal(getattr(cache, name), array)
        assert np.array_equal(x, kept)
        x = out


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_dicts_describe_layers(layers):
    for layer in cases.LAYERS[layers]():
        assert layer_from_dict(layer.to_dict()).to_dict() == layer.to_dict()
        assert type(layer_from_dict(layer.to_dict())) is type(layer)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "convolution"},
        {"incoming": 2, "units": 3},
        {"kind": "dense", "incoming": 2},
        {"kind": "dropout", "rate": 0.1, "new": 1},
    ],
)
def test_a_dict_that_describes_no_layer_is_refused(spec):
    with pytest.raises(InputError, match=rf"{re.escape(repr(spec))} does not describe a layer; was the model written"):
        layer_from_dict(spec)


@pytest.mark.parametrize("width", [0, -3, 2.0, True, "5", None])
def test_a_width_must_be_a_whole_number(width):
    with pytest.raises(InputError, match=f"the number of incoming units is {width!r}; it must be a whole"):
        Dense(width, 3)
    with pytest.raises(InputError, match=f"the number of units is {width!r}; it must be a whole"):
        Dense(3, width)


def test_widths_may_be_numbers_of_numpy():
    widths: list[Any] = [np.int64(2), np.uint8(3)]
    assert Dense(*widths).to_dict()["units"] == 3


def test_an_unknown_activation_is_refused():
    with pytest.raises(InputError, match=r"there is no activation 'softmaxx'; did you mean 'softmax'\?"):
        Activation("softmaxx")


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0, float("nan")])
def test_an_impossible_dropout_rate_is_refused(rate):
    with pytest.raises(InputError, match=f"the dropout rate is {rate}; it must be .* below 1"):
        Dropout(rate)


def test_dropout_does_nothing_without_draws():
    x = cases.some((3, 4))
    out, cache = Dropout(0.5).forward(x)
    assert np.array_equal(out, x)
    assert np.array_equal(Dropout(0.5).backward(x, cache)[0], x)


def test_dropout_of_rate_zero_drops_nothing():
    assert (mask(0.0, 7, Draws(0, 0, ROWS)) == 1).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_silences_at_its_rate_and_keeps_the_mean(rate, dtype):
    m = mask(rate, 101, Draws(3, 4, ROWS), dtype=dtype)
    assert m.dtype == dtype
    assert set(np.unique(m).tolist()) == {0.0, float(np.dtype(dtype).type(1 / (1 - rate)))}
    error = 5 * np.sqrt(rate * (1 - rate) / m.size)  # five standard errors
    assert abs((m == 0).mean() - rate) < error
    for axis in (0, 1):  # no unit and no row is favoured: five standard errors, of a thousand draws and of 101
        share = (m == 0).mean(axis=axis)
        assert abs(share - rate).max() < 5 * np.sqrt(rate * (1 - rate) / m.shape[axis])


@quick
@given(
    st.integers(1, 20),
    st.lists(st.integers(0, 2**31), min_size=1, max_size=20),
    st.integers(0, 2**64 - 1),
    st.integers(0, 1000),
)
def test_dropout_draws_belong_to_row_epoch_layer_and_unit(units, rows, seed, epoch):
    together = mask(0.5, units, Draws(seed, epoch, np.array(rows)))
    for n, row in enumerate(rows):
        assert np.array_equal(mask(0.5, units, Draws(seed, epoch, np.array([row])))[0], together[n])
    assert np.array_equal(mask(0.5, units + 3, Draws(seed, epoch, np.array(rows)))[:, :units], together)


def test_dropout_draws_differ_between_seeds_epochs_and_layers():
    masks = [
        mask(0.5, 64, Draws(seed, epoch, ROWS[:4]), layer) for seed in (0, 1) for epoch in (0, 1) for layer in (1, 3)
    ]
    rows = np.concatenate(masks)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_per_example_gradients_are_outer_products():
    layer = Dense(3, 2)
    layer.bind(cases.some((8,)))
    a, delta = cases.some((5, 3), 1), cases.some((5, 2), 2)
    _, grads = layer.backward(delta, layer.forward(a)[1])
    W, b = grads.per_example()
    for n in range(5):
        assert np.array_equal(W[n], np.outer(delta[n], a[n]))
        assert np.array_equal(b[n], delta[n])
    weights = np.array([0.1, 0.0, 2.0, 1.0, 0.5])
    summed_W, summed_b = grads.weighted_sum(weights)
    np.testing.assert_allclose(summed_W, np.einsum("n,nji->ji", weights, W), rtol=1e-13)
    np.testing.assert_allclose(summed_b, weights @ b, rtol=1e-13)
