"""Durations in words, from microseconds to many ages of the universe: by logarithms, which do not overflow."""

import math
from typing import Final

from backlight.plots import number

YEAR: Final = 365.25 * 86_400.0
"""A Julian year in seconds."""

UNIVERSE: Final = 13.8e9 * YEAR
"""The age of the universe in seconds (Planck Collaboration 2018, arXiv:1807.06209: 13.8 thousand million years)."""

_UNITS: Final = (
    (YEAR, "year"),
    (86_400.0, "day"),
    (3_600.0, "hour"),
    (60.0, "minute"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
    (1e-9, "ns"),
)
_WORDS: Final = ("year", "day", "hour", "minute")
_WRITTEN_OUT: Final = 6  # from 10^6 on, years are written as a power of ten


def duration(log10_seconds: float) -> str:
    """A duration in words, from the logarithm of its seconds; in ages of the universe too where it is one or more.

    Args:
        log10_seconds: log10 of the duration in seconds.

    Example:
        >>> duration(-3.0), duration(math.log10(1000)), duration(6.0)
        ('1 ms', '16.7 minutes', '11.6 days')
        >>> duration(math.log10(3.2e15 * YEAR))
        '3.2 × 10^15 years (231,884 ages of the universe)'
        >>> duration(3621.5)
        '10^3,614 years'
    """
    years = log10_seconds - math.log10(YEAR)
    if years >= _WRITTEN_OUT:
        ages = log10_seconds - math.log10(UNIVERSE)
        beside = f" ({ages_text(ages)} of the universe)" if 0 <= ages < _WRITTEN_OUT else ""
        return f"{power(years)} years{beside}"
    seconds = 10.0**log10_seconds
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size * (1 - 1e-9)), _UNITS[-1])
    text = _short(seconds / size)
    return f"{text} {unit}{'s' if unit in _WORDS and text != '1' else ''}"


def ages_text(log10_ages: float) -> str:
    """So many ages.

    Example:
        >>> ages_text(0.0), ages_text(3.0)
        ('1 age', '1,000 ages')
    """
    text = f"{round(10.0**log10_ages):,}"
    return f"{text} {'age' if text == '1' else 'ages'}"


def power(log10_value: float) -> str:
    """A large number as a power of ten; from 10^100 on, its exponent alone.

    Example:
        >>> power(15.505), power(3614.0), power(99.9999)
        ('3.2 × 10^15', '10^3,614', '10^100')
    """
    exponent = math.floor(log10_value)
    first = f"{10.0 ** (log10_value - exponent):.1f}".removesuffix(".0") if exponent < 100 else "1"
    if first == "10":
        first, exponent = "1", exponent + 1
    if exponent >= 100:
        exponent = round(log10_value)
    return f"10^{exponent:,}" if first == "1" else f"{first} × 10^{exponent:,}"


def _short(value: float) -> str:
    """Three digits at least, thousands apart, no noughts behind the point.

    Example:
        >>> _short(16.6667), _short(1.0), _short(123456.7)
        ('16.7', '1', '123,457')
    """
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def passes_text(passes: float) -> str:
    """A number of forward passes.

    Example:
        >>> passes_text(1.0), passes_text(1500.0)
        ('1 pass', '1,500 passes')
    """
    text = number(passes)
    return f"{text} {'pass' if text == '1' else 'passes'}"


def duration_of(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> duration_of(0.0), duration_of(0.25)
        ('0 s', '250 ms')
    """
    return duration(math.log10(seconds)) if seconds > 0 else "0 s"
