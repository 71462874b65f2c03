"""The curse of dimensionality: the numbers that everyone knows, and those that no float holds."""

import math
from collections.abc import Iterator

import pytest

from backlight.errors import InputError
from backlight.racing import curse
from backlight.racing.curse import curse_row
from backlight.racing.durations import UNIVERSE, YEAR, duration


@pytest.mark.parametrize(
    ("weights", "seconds", "words"), [(2, 1e-3, "1 ms"), (4, 1e3, "16.7 minutes"), (5, 1e6, "11.6 days")]
)
def test_the_known_table(weights, seconds, words):
    row = curse_row(weights, 1000, 1e9)
    assert (row.seconds, row.words) == (seconds, words)
    assert row.log10_seconds == pytest.approx(math.log10(seconds), abs=1e-12)


@pytest.mark.parametrize("weights", [1, 2, 3, 7])
def test_times_are_those_of_counting(weights):
    assert curse_row(weights, 3, 4.0).seconds == len(list(_all(weights, 3))) / 4.0


def _all(weights: int, values: int) -> Iterator[tuple[int, ...]]:
    if not weights:
        yield ()
        return
    for rest in _all(weights - 1, values):
        yield from ((*rest, value) for value in range(values))


def test_beyond_floats_there_are_logarithms():
    row = curse_row(10**7, 1000, 1e9)
    assert row.seconds is None
    assert row.log10_seconds == pytest.approx(3e7 - 9)
    assert row.words == "10^29,999,984 years"
    largest = curse_row(105, 1000, 1e9)  # 10^306 seconds
    assert largest.seconds == pytest.approx(1e306)
    assert curse_row(106, 1000, 1e9).seconds is None
    small = curse_row(104, 1000, 1e-9)  # 10^321: the combinations are a float's, the seconds are not
    assert small.seconds is None
    assert small.log10_seconds == pytest.approx(321)


def test_json_tells_every_row():
    rows = curse([2, 1210]).to_dict()["curse"]
    assert [row["weights"] for row in rows] == [2, 1210]
    assert rows[0]["values"] == 1000
    assert rows[0]["evaluations_per_second"] == 1e9
    assert rows[0]["seconds"] == 1e-3
    assert rows[1]["seconds"] is None
    assert rows[1]["log10_seconds"] == pytest.approx(3621)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5e-9, "5 ns"),
        (0.25, "250 ms"),
        (1.0, "1 s"),
        (60.0, "1 minute"),
        (7200.0, "2 hours"),
        (3 * YEAR, "3 years"),
        (5e5 * YEAR, "500,000 years"),
        (3.2e6 * YEAR, "3.2 × 10^6 years"),
        (UNIVERSE, "1.4 × 10^10 years (1 age of the universe)"),
        (1e7 * UNIVERSE, "1.4 × 10^17 years"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(math.log10(seconds)) == words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "weights is 0"),
        ((2.5,), "weights is 2.5"),
        ((2, 0), "values is 0"),
        ((2, 3, 0.0), "evaluations_per_second is 0.0; it must be a finite number above 0"),
        ((2, 3, float("inf")), "evaluations_per_second is inf"),
    ],
)
def test_impossible_numbers_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        curse_row(*arguments)
