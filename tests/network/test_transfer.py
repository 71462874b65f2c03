import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.network.transfer import first_layers, with_new_head
from tests import cases

WHOLE = Network.mlp(5, 8, 7, 3, hidden="tanh", dropout=0.25, seed=4)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_first_layers_compute_what_they_did(count):
    part = first_layers(WHOLE, count)
    x = cases.some((4, 5), 2)
    trace = WHOLE.forward(x)
    ends = {1: 2, 2: 5, 3: len(WHOLE.layers) - 1}
    assert np.array_equal(part.predict(x), trace.outs[ends[count]])
    assert not np.shares_memory(part.params, WHOLE.params)


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("count", [1, 2])
def test_normalisations_are_carried_over_with_their_statistics(norm, count):
    whole = Network.mlp(5, 8, 7, 3, hidden="tanh", norm=norm, dropout=0.25, seed=4)
    whole.params[...] += np.abs(cases.some((whole.params.size,), 3)).astype(np.float32)
    part, x = first_layers(whole, count), cases.some((4, 5), 2)
    assert np.array_equal(part.predict(x), whole.forward(x).outs[4 * count - 1])
    network = with_new_head(part, 2, seed=9)
    assert network.params[: part.params.size].tobytes() == whole.params[: part.params.size].tobytes()
    assert network.objective().loss == "cross_entropy"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["softmax", "identity", "logistic"])
def test_a_new_head_is_drawn_as_in_any_network(dtype, output):
    """The trunk keeps its bits, and the head has those that a network of that shape begins with."""
    trunk = first_layers(WHOLE.copy(dtype), 2)
    network = with_new_head(trunk, 4, output=output, init="glorot_uniform", seed=9)
    fresh = Network.mlp(
        5, 8, 7, 4, hidden="tanh", output=output, dropout=0.25, init="glorot_uniform", seed=9, dtype=dtype
    )
    assert network.to_dicts()[6:] == fresh.to_dicts()[6:]
    assert network.dtype == dtype
    size = trunk.params.size
    assert network.params[:size].tobytes() == trunk.params.tobytes()
    assert network.params[size:].tobytes() == fresh.params[size:].tobytes()


def test_a_head_of_several_questions():
    network = with_new_head(first_layers(WHOLE, 1), 5, sizes=(2, 3), seed=1)
    assert network.sizes == (2, 3)


@pytest.mark.parametrize("count", [0, 4])
def test_layers_that_are_not_there_are_refused(count):
    with pytest.raises(InputError, match=f"the first {count} layers were asked for, and the network has 3"):
        first_layers(WHOLE, count)
