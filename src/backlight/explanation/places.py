"""Names of units and weights: `LAYER:UNIT` and `LAYER:TO:FROM`, with layers counted as in `torch.nn.Sequential`."""

from dataclasses import dataclass

from backlight.errors import InputError
from backlight.network import Dense, Network


@dataclass(frozen=True)
class Unit:
    """Unit j of a dense layer.

    Attributes:
        layer: the dense layer's number.
        unit: j, counted from 0.
    """

    layer: int
    unit: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}"


@dataclass(frozen=True)
class Weight:
    """The weight into unit j from incoming unit i; the bias of unit j if i is None.

    Attributes:
        layer: the dense layer's number.
        to: j.
        source: i, or None for the bias.
    """

    layer: int
    to: int
    source: int | None

    def __str__(self) -> str:
        return f"{self.layer}:{self.to}:{'b' if self.source is None else self.source}"


def dense_layer(network: Network, layer: int) -> Dense:
    """The dense layer of that number.

    Raises:
        InputError: the layer is not dense or does not exist.
    """
    known = [index for index, _, _ in network.dense_layers()]
    if layer not in known:
        raise InputError(f"layer {layer} has no weights; the layers that have are {', '.join(map(str, known))}")
    found = network.layers[layer]
    assert isinstance(found, Dense)
    return found


def parse_unit(text: str, network: Network) -> Unit:
    """Read `LAYER:UNIT`.

    Raises:
        InputError: it cannot be read, or the network has no such unit.

    Example:
        >>> parse_unit("0:2", Network.mlp(3, 4, 2))
        Unit(layer=0, unit=2)
    """
    layer, unit = _numbers(text, 2, "a unit LAYER:UNIT, such as 0:3")
    assert layer is not None
    assert unit is not None
    _check(unit, dense_layer(network, layer).units, f"layer {layer} has units")
    return Unit(layer, unit)


def parse_weight(text: str, network: Network) -> Weight:
    """Read `LAYER:TO:FROM`, with `b` for FROM to name the bias.

    Raises:
        InputError: it cannot be read, or the network has no such weight.

    Example:
        >>> parse_weight("0:2:1", Network.mlp(3, 4, 2)), parse_weight("2:0:b", Network.mlp(3, 4, 2)).source
        (Weight(layer=0, to=2, source=1), None)
    """
    layer, to, source = _numbers(text, 3, "a weight LAYER:TO:FROM, such as 0:3:12 (or 0:3:b for the bias)")
    assert layer is not None
    assert to is not None
    weight = Weight(layer, to, source)
    check_weight(network, weight)
    return weight


def check_weight(network: Network, weight: Weight) -> None:
    """Refuse a weight that the network does not have.

    Raises:
        InputError: there is no such layer, unit or incoming unit.
    """
    dense = dense_layer(network, weight.layer)
    _check(weight.to, dense.units, f"layer {weight.layer} has units")
    if weight.source is not None:
        _check(weight.source, dense.incoming, f"layer {weight.layer} has incoming units")


def _numbers(text: str, count: int, expected: str) -> list[int | None]:
    words = text.split(":")
    numbers = [int(word) if word.isascii() and word.isdigit() else None for word in words]
    bias = count == 3 and words[-1] == "b"
    if len(words) != count or None in (numbers[:-1] if bias else numbers):
        raise InputError(f"{text!r} names nothing; expected {expected}")
    return numbers


def _check(number: int, count: int, what: str) -> None:
    if not 0 <= number < count:
        raise InputError(f"{number} was asked for, and {what} 0 to {count - 1}")
