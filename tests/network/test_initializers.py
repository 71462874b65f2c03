import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Dense, Network
from backlight.network.initializers import initial_weights, standard_deviation, suited_initializer
from tests import cases

INCOMING, UNITS = 300, 200


@pytest.mark.parametrize("name", cases.INITIALIZERS)
def test_mean_spread_and_shape(name):
    variance, shape = cases.INITIALIZERS[name]
    sigma = variance(INCOMING, UNITS) ** 0.5
    assert standard_deviation(name, INCOMING, UNITS) == pytest.approx(sigma, rel=1e-15)
    W = initial_weights(name, (UNITS, INCOMING), 3, 0)
    assert W.shape == (UNITS, INCOMING)
    u = W.ravel() / sigma
    kurtosis = {"normal": 3.0, "uniform": 1.8}[shape]
    # five standard errors each
    assert abs(u.mean()) < 5 / np.sqrt(u.size)
    assert abs((u**2).mean() - 1) < 5 * np.sqrt((kurtosis - 1) / u.size)
    assert abs((u**4).mean() - kurtosis) < 5 * np.sqrt(100 / u.size)
    if shape == "uniform":
        assert np.sqrt(3) * 0.999 < abs(u).max() < np.sqrt(3)
    else:
        assert abs(u).max() > 3.5


@pytest.mark.parametrize("name", cases.INITIALIZERS)
def test_draws_depend_on_seed_and_layer(name):
    def draw(seed: int, layer: int) -> bytes:
        return initial_weights(name, (4, 3), seed, layer).tobytes()

    assert draw(1, 2) == draw(1, 2)
    assert len({draw(seed, layer) for seed in (0, 1, 2**63) for layer in (0, 2, 4)}) == 9


@pytest.mark.parametrize("name", cases.INITIALIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_draws_its_weights_and_sets_biases_to_zero(name, dtype):
    network = Network.mlp(40, 30, 20, 3, init=name, seed=9, dtype=dtype)
    assert network.params.tobytes() == Network.mlp(40, 30, 20, 3, init=name, seed=9, dtype=dtype).params.tobytes()
    for index, layer, _ in network.dense_layers():
        assert layer.init == name
        expected = initial_weights(name, layer.W.shape, 9, index)
        assert np.array_equal(layer.W, expected.astype(dtype))
        assert not layer.b.any()


@pytest.mark.parametrize("activation", cases.ALL_OUTPUTS)
def test_every_activation_has_a_suited_initializer(activation):
    """Those that silence half of their inputs, or nearly, need twice the variance."""
    half_silent = activation in ("relu", "leaky_relu", "elu", "gelu", "softplus")
    assert suited_initializer(activation) == ("he_normal" if half_silent else "glorot_uniform")
    assert suited_initializer(activation) in cases.INITIALIZERS
    layer = Network.mlp(2, 3, output=activation).layers[0]
    assert isinstance(layer, Dense)
    assert layer.init == suited_initializer(activation)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"there is no initializer 'he_norm'; did you mean 'he_normal'\?"):
        Dense(2, 3, "he_norm")
