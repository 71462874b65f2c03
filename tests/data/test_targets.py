import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backlight.data import Classes, Labels, Quantities, target_from_dict
from backlight.errors import InputError

TARGETS = [
    Classes(("no", "yes")),
    Classes(("Adelie", "Gentoo", "é"), "species"),
    Quantities(("price", "rooms"), (206855.8169089147, 0.1), (115395.61587441387, 1e-7)),
    Labels(("sunny", "windy")),
]


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_round_trip_through_json(target: Any) -> None:
    again = target_from_dict(json.loads(json.dumps(target.to_dict())))
    assert again == target
    assert again.width == len(target.names)


@pytest.mark.parametrize(
    "content",
    [{}, {"kind": "colours"}, {"kind": "classes"}, {"kind": "quantities", "names": ["a"], "mean": [], "std": []}, []],
)
def test_a_damaged_description_is_refused(content: Any) -> None:
    with pytest.raises(InputError, match="not described as expected"):
        target_from_dict(content)


def test_an_unknown_class_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'Adeli' is no class of this model; did you mean 'Adelie'"):
        Classes(("Adelie", "Gentoo")).encode(["Gentoo", "Adeli"])


def test_classes_decode() -> None:
    assert Classes(("a", "b")).decode([1, 0]) == ["b", "a"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30, unique=True))
def test_quantities_are_standardised_and_come_back_in_their_own_units(values: Any) -> None:
    column = np.array(values)[:, None]
    if column.std() < 1e-3:
        return
    quantities = Quantities.fit(("q",), column)
    encoded = quantities.encode(column)
    assert encoded.dtype == np.float32
    assert abs(encoded.mean()) < 1e-4
    assert abs(encoded.std() - 1) < 1e-4
    assert np.allclose(quantities.decode(encoded), column, rtol=1e-5, atol=1e-5 * np.abs(column).max())


def test_a_constant_quantity_is_refused() -> None:
    with pytest.raises(InputError, match="the target 'price' is 5 in every training row"):
        Quantities.fit(("price",), np.full((3, 1), 5.0))


def test_labels_are_zeros_and_ones() -> None:
    with pytest.raises(InputError, match="label 'windy' of row 1 is 2; it must be 0 or 1"):
        Labels(("sunny", "windy")).encode([[0, 1], [1, 2]])
