import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backlight.explanation.parts import Part, Parts, add_up
from tests.explanation.made import adds_up

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=30)


@given(VALUES)
def test_the_sum_is_exactly_rounded(values):
    parts = add_up(((str(k), value) for k, value in enumerate(values)), whole=1.0)
    assert parts.sum == math.fsum(values)
    assert [part.value for part in parts.parts] == values
    assert parts.whole == 1.0


@given(VALUES, st.integers(0, 12))
def test_a_shortened_list_keeps_the_largest_and_ends_with_the_rest(values, count):
    parts = add_up(((str(k), value) for k, value in enumerate(values)), whole=math.fsum(values))
    short = parts.shortened(count)
    assert (short.sum, short.whole) == (parts.sum, parts.whole)
    adds_up(short)
    kept = [part for part in short.parts if part.name != "rest"]
    assert len(kept) == min(count, len(values))
    assert [abs(part.value) for part in kept] == sorted((abs(value) for value in values), reverse=True)[: len(kept)]
    assert [part.name for part in short.parts[len(kept) :]] == (["rest"] if count < len(values) else [])


def test_parts_are_written_by_name_and_value():
    assert add_up([("bias", 0.5), ("weights", 1.5)], whole=2.0).to_dict() == {
        "parts": [{"name": "bias", "value": 0.5}, {"name": "weights", "value": 1.5}],
        "sum": 2.0,
        "whole": 2.0,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        Parts((Part("a", 1.0), Part("b", 2.0)), 3.0, 3.0 + 1e-6),
        Parts((Part("a", 1.0), Part("b", 2.0 + 1e-6)), 3.0, 3.0),
        Parts((Part("a", 1.0),), 3.0, 3.0),
    ],
)
def test_the_comparison_of_sum_and_whole_notices_a_planted_error(wrong):
    adds_up(Parts((Part("a", 1.0), Part("b", 2.0)), 3.0, 3.0))
    with pytest.raises(AssertionError):
        adds_up(wrong)
