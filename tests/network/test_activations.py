from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network.activations import ACTIVATIONS, activation_function, normal_cdf
from tests import cases

Z = np.concatenate([np.linspace(-12, 12, 97), [1e-9, -1e-9, 25.0, -25.0]])


def value_and_slope(name: str, z: Any) -> tuple[Any, Any]:
    f = ACTIVATIONS[name]
    scratch = [np.full_like(z, np.nan) for _ in range(f.scratch)]  # what stands in working memory must not matter
    a, slope = np.full_like(z, np.nan), np.full_like(z, np.nan)
    f.value(z, a, scratch)
    f.slope(z, a, slope, scratch)
    return a, slope


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_values_are_those_of_the_definition(name):
    a, _ = value_and_slope(name, Z)
    expected = [cases.ACTIVATIONS[name](z) for z in Z.tolist()]
    np.testing.assert_allclose(a, expected, rtol=1e-12, atol=1e-15)  # roundings of float64


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_slopes_are_those_of_the_definition(name):
    z = Z[np.abs(Z) > 1e-3]  # away from the kinks at 0
    _, slope = value_and_slope(name, z)
    f, h = np.vectorize(cases.ACTIVATIONS[name]), 1e-4
    measured = (f(z - 2 * h) - 8 * f(z - h) + 8 * f(z + h) - f(z + 2 * h)) / (12 * h)
    # a difference of numbers of size f loses eps f / h
    np.testing.assert_allclose(slope, measured, rtol=1e-8, atol=1e-11 * np.abs(f(z)).max())


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_float32_is_float64_rounded(name):
    z = Z[np.abs(Z) <= 12]
    for single, double in zip(value_and_slope(name, z.astype(np.float32)), value_and_slope(name, z), strict=True):
        assert single.dtype == np.float32
        # ten roundings of float32 and, because z is rounded too, z times the relative slope
        np.testing.assert_allclose(single, double, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in cases.ACTIVATIONS if n != "exponential"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_numbers_neither_overflow_nor_warn(name, dtype):
    a, slope = value_and_slope(name, np.array([-1e4, -300.0, 300.0, 1e4], dtype))
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_kinks_are_declared(name):
    """At a declared kink, and only there, f' or f'' has two values."""
    f, h = np.vectorize(cases.ACTIVATIONS[name]), 1e-4
    left, right = ((f(s * 2 * h) - 2 * f(s * h) + f(0.0)) / h**2 for s in (-1, 1))
    first = abs((f(h) - f(0.0)) - (f(0.0) - f(-h))) / h
    jumps = first > 1e-2 or abs(left - right) > 1e-2
    assert ACTIVATIONS[name].kinks == ((0.0,) if jumps else ())


def test_normal_cdf_keeps_its_relative_precision_in_the_tail():
    from math import erfc, sqrt

    z = np.linspace(-30, 8, 400)
    out = np.empty_like(z)
    normal_cdf(z, out, [np.empty_like(z) for _ in range(3)])
    expected = np.array([0.5 * erfc(-v / sqrt(2)) for v in z.tolist()])
    np.testing.assert_allclose(out, expected, rtol=1e-12)  # exp(-z²/2) at z = -30 amplifies roundings 450 times


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"there is no activation 'rellu'; did you mean 'relu'\?"):
        activation_function("rellu")
