"""Transfer: a network on another's first layers.

What the first layers of a network have learnt to see in its inputs serves other questions about such inputs, too. So a
new network can begin with them, and put a new last layer, its head, on top of them.

Source: Yosinski and others, "How transferable are features in deep neural networks?", 2014, arXiv:1411.1792.
"""

from collections.abc import Sequence

from backlight.errors import InputError
from backlight.network.initializers import suited_initializer
from backlight.network.layers import Activation, Dense, Layer, layer_from_dict
from backlight.network.network import Network


def first_layers(network: Network, count: int) -> Network:
    """The first `count` dense layers of a network with what follows each of them, as a network of its own.

    Args:
        network: whose parameters are copied.
        count: from 1 to the number of its dense layers.

    Raises:
        InputError: it has fewer.

    Example:
        >>> trunk = first_layers(Network.mlp(4, 8, 3, output="softmax", dropout=0.1), 1)
        >>> trunk, [layer.kind for layer in trunk.layers]
        (Network 4-8, relu, 40 parameters in float32, ['dense', 'activation', 'dropout'])
    """
    dense = [index for index, _, _ in network.dense_layers()]
    if not 1 <= count <= len(dense):
        raise InputError(f"the first {count} layers were asked for, and the network has {len(dense)}; give 1 or more")
    end = dense[count] if count < len(dense) else len(network.layers)
    return _with_params([layer_from_dict(layer.to_dict()) for layer in network.layers[:end]], network, seed=None)


def with_new_head(
    trunk: Network,
    outputs: int,
    *,
    output: str = "softmax",
    sizes: Sequence[int] = (),
    init: str | None = None,
    seed: int = 0,
) -> Network:
    """A network that begins with a copy of `trunk` and ends in a new dense layer.

    Args:
        trunk: such as `first_layers` gives.
        outputs: of the new network.
        output: the activation of the last layer.
        sizes: for softmax, how many outputs each of several groups has.
        init: the new layer's initializer; the one that suits the output unless given.
        seed: of the new layer's weights.

    Example:
        >>> network = with_new_head(first_layers(Network.mlp(4, 8, 3), 1), 2, seed=1)
        >>> network
        Network 4-8-2, relu, softmax, 58 parameters in float32
    """
    layers: list[Layer] = [layer_from_dict(layer.to_dict()) for layer in trunk.layers]
    layers.append(Dense(trunk.outputs, outputs, init or suited_initializer(output)))
    if output != "identity" or sizes:
        layers.append(Activation(output, sizes=sizes))
    return _with_params(layers, trunk, seed=seed)


def _with_params(layers: list[Layer], first: Network, *, seed: int | None) -> Network:
    """A network of these layers, the first of which have the parameters of another's first."""
    network = Network(layers, seed=seed, dtype="float32" if first.dtype.itemsize == 4 else "float64")
    size = min(network.params.size, first.params.size)
    network.params[:size] = first.params[:size]
    return network
