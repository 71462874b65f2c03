"""Scales: where a value lies between two others, and which round numbers lie there."""

import math
from dataclasses import dataclass

from backlight.plots.blocks import number

_TINY = 1e-290


@dataclass(frozen=True)
class Scale:
    """The values from `low` to `high`, as shares from 0 to 1.

    Attributes:
        low: the value at 0.
        high: the value at 1, above `low`.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: list[float], margin: float = 0.0) -> "Scale":
        """The scale that holds all the values, with a share of their span added at both ends.

        Example:
            >>> Scale.around([1.0, 3.0], 0.5)
            Scale(low=0.0, high=4.0)
        """
        low, high = min(values, default=0.0), max(values, default=1.0)
        half = high / 2 - low / 2
        if half <= max(abs(low), abs(high)) * 1e-14:
            half = max(abs(low) / 2, 0.5 if abs(low) < _TINY else 0.0)
            low, high = low - half, high + half
        most = 8.9e307
        return cls(max(low - 2 * margin * half, -most), min(high + 2 * margin * half, most))

    @property
    def span(self) -> float:
        """How far it is from `low` to `high`."""
        return self.high - self.low

    def share(self, value: float) -> float:
        """Where the value lies: 0 at `low` and below, 1 at `high` and above."""
        return min(max((value / 2 - self.low / 2) / (self.span / 2), 0.0), 1.0)

    def texts(self, most: int) -> list[tuple[float, str]]:
        """The ticks, with what is written at each."""
        ticks = self.ticks(most)
        return list(zip(ticks, labels(ticks), strict=True))

    def ticks(self, most: int) -> list[float]:
        """At most that many round numbers on the scale, and at least its two ends.

        Example:
            >>> Scale(-0.43, 1.1).ticks(5)
            [0.0, 0.5, 1.0]
        """
        if self.span < _TINY:
            return [self.low, self.high]
        for factor in (1, 2, 2.5, 5, 10, 20, 25, 50, 100):
            step = factor * 10.0 ** math.floor(math.log10(self.span / most))
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            if last - first < most:
                ticks = [k * step for k in range(first, last + 1)]
                return ticks if len(ticks) > 1 else [self.low, self.high]
        raise AssertionError("the largest step is wider than the scale")


@dataclass(frozen=True)
class LogScale:
    """The values from `low` to `high`, both above 0, as shares from 0 to 1 of the factor between them.

    Attributes:
        low: the value at 0.
        high: the value at 1, above `low`.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: list[float], margin: float = 0.0) -> "LogScale":
        """The scale that holds all the values, which are above 0, with a share of their span added at both ends.

        Example:
            >>> LogScale.around([1.0, 100.0], 0.5)
            LogScale(low=0.1, high=1000.0)
        """
        inner = Scale.around([math.log10(value) for value in values], margin)
        return cls(10.0 ** max(inner.low, -307.0), 10.0 ** min(inner.high, 307.0))

    @property
    def span(self) -> float:
        """How far it is from `low` to `high`."""
        return self.high - self.low

    def share(self, value: float) -> float:
        """Where the value lies: 0 at `low` and below, 1 at `high` and above."""
        return self._exponents.share(math.log10(value))

    def texts(self, most: int) -> list[tuple[float, str]]:
        """At most that many powers of ten on the scale, or 1, 2 and 5 times them, with what is written at each.

        Example:
            >>> LogScale(0.002, 3e7).texts(4)
            [(1.0, '1'), (1000.0, '1,000'), (1000000.0, '10⁶')]
            >>> LogScale(0.5, 4.0).texts(5)
            [(0.5, '0.5'), (1.0, '1'), (2.0, '2')]
        """
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        if last - first >= 2:
            step = -(-(last - first + 1) // most)
            powers = [k for k in range(first, last + 1) if k % step == 0]
            return [(10.0**k, _power(k)) for k in powers]
        found = [m * 10.0**k for k in range(first - 1, last + 1) for m in (1.0, 2.0, 5.0)]
        found = [value for value in found if self.low <= value <= self.high]
        return [(v, number(v)) for v in found] if 2 <= len(found) <= most + 2 else _plain(self, most)

    @property
    def _exponents(self) -> Scale:
        return Scale(math.log10(self.low), math.log10(self.high))


def _plain(scale: LogScale, most: int) -> list[tuple[float, str]]:
    """Evenly spaced numbers, where the scale is too narrow for others."""
    return [(tick, text) for tick, text in Scale(scale.low, scale.high).texts(most) if tick > 0]


def _power(exponent: int) -> str:
    """A power of ten, written out where that is short.

    Example:
        >>> [_power(k) for k in (-5, -2, 0, 3, 12)]
        ['10⁻⁵', '0.01', '1', '1,000', '10¹²']
    """
    if -3 <= exponent <= 3:
        return number(10.0**exponent)
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def round_below(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above the positive value.

    Example:
        >>> round_below(0.37), round_below(5.0)
        (0.2, 5.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return max((factor * power for factor in (5.0, 2.0, 1.0) if factor * power <= value), default=power)


def labels(values: list[float]) -> list[str]:
    """The evenly spaced numbers with as many digits as it takes to tell where they are.

    Example:
        >>> labels([0.5, 1.0]), labels([1.00001, 1.00002])
        (['0.5', '1'], ['1.00001', '1.00002'])
    """
    gap = abs(values[-1] - values[0]) / max(len(values) - 1, 1)
    texts = [number(value) for value in values]
    for digits in range(5, 18):
        if all(
            abs(float(text.replace(",", "")) - value) <= gap / 50 for text, value in zip(texts, values, strict=True)
        ):
            break
        texts = [f"{value:.{digits}g}" for value in values]
    return texts
