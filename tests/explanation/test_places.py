import pytest

from backlight.errors import InputError
from backlight.explanation.places import Unit, Weight, check_weight, dense_layer, parse_unit, parse_weight
from backlight.network import Dense, Network

NETWORK = Network.mlp(3, 4, 2)


def test_names_are_read_as_they_are_written():
    for weight in (Weight(0, 3, 2), Weight(2, 1, 0), Weight(2, 0, None)):
        assert parse_weight(str(weight), NETWORK) == weight
    for unit in (Unit(0, 3), Unit(2, 1)):
        assert parse_unit(str(unit), NETWORK) == unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:4:0", "4 was asked for, and layer 0 has units 0 to 3"),
        ("0:0:3", "3 was asked for, and layer 0 has incoming units 0 to 2"),
        ("1:0:0", "layer 1 has no weights; the layers that have are 0, 2"),
        ("7:0:0", "layer 7 has no weights"),
        ("0:0", "'0:0' names nothing; expected a weight LAYER:TO:FROM, such as 0:3:12"),
        ("0:b:0", "'0:b:0' names nothing"),
        ("0:-1:0", "'0:-1:0' names nothing"),
        ("", "'' names nothing"),
        ("0:0:b:b", "names nothing"),
        ("0:0:²", "names nothing"),
    ],
)
def test_weights_that_do_not_exist_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_weight(text, NETWORK)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2:2", "2 was asked for, and layer 2 has units 0 to 1"),
        ("3:0", "layer 3 has no weights"),
        ("2", "expected a unit LAYER:UNIT, such as 0:3"),
        ("2:b", "'2:b' names nothing"),
    ],
)
def test_units_that_do_not_exist_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_unit(text, NETWORK)


@pytest.mark.parametrize(
    "weight", [Weight(1, 0, 0), Weight(0, 4, 0), Weight(0, -1, 0), Weight(0, 0, 3), Weight(0, 0, -1)]
)
def test_a_weight_object_is_checked_too(weight):
    with pytest.raises(InputError, match=r"was asked for|has no weights"):
        check_weight(NETWORK, weight)


def test_the_dense_layer_of_a_number():
    layer = dense_layer(NETWORK, 2)
    assert isinstance(layer, Dense)
    assert layer is NETWORK.layers[2]
