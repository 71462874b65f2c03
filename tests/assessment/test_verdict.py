import pytest

from backlight.assessment.rival import Rival
from backlight.assessment.verdict import verdict

GOOD = {"score": "accuracy", "accuracy": 0.95, "interval": [0.93, 0.97]}


def rivals(baseline: float, linear: float | None) -> tuple[Rival, Rival | None]:
    return (
        Rival("baseline", "always 'a'", {"accuracy": baseline}),
        None if linear is None else Rival("linear model", "", {"accuracy": linear}),
    )


def test_a_clear_gain_needs_no_words():
    assert verdict(GOOD, 500, *rivals(0.5, 0.9)) == ()
    assert verdict(GOOD, 500, *rivals(0.5, None)) == ()
    assert verdict(GOOD, 500, None, None) == ()


@pytest.mark.parametrize(
    ("linear", "words"),
    [(0.93, "No clear gain over the linear model"), (0.97, "No clear gain"), (0.98, "Worse than the linear model")],
)
def test_a_linear_model_that_does_as_well_is_named(linear, words):
    (said,) = verdict(GOOD, 500, *rivals(0.5, linear))
    assert said.startswith(words)
    assert f"{100 * linear:.2f} %" in said
    assert "93.0 to 97.0" in said


def test_a_baseline_that_does_as_well_is_named_first():
    said = verdict(GOOD, 500, *rivals(0.94, 0.94))
    assert [line.split(":")[0] for line in said] == [
        "No clear gain over the baseline",
        "No clear gain over the linear model",
    ]


def test_a_part_that_is_too_small_to_tell():
    (said,) = verdict({**GOOD, "interval": [0.8, 0.99]}, 12, *rivals(0.5, 0.6))
    assert said == "12 examples are too few to tell: the accuracy may lie anywhere from 80.0 to 99.0."


def test_rows_that_were_learnt_from():
    (said,) = verdict(GOOD, 500, *rivals(0.5, 0.6), learnt=True)
    assert said.startswith("These rows were learnt from")


def test_rare_classes_are_named_and_counted():
    rows = [{"name": name, "support": support} for name, support in zip("abcdef", (50, 4, 0, 1, 2, 5), strict=True)]
    (said,) = verdict({**GOOD, "per_class": rows}, 500, *rivals(0.5, 0.6))
    assert said == "Fewer than 5 examples of 'b' (4), 'c' (0), 'd' (1) and 1 more: their own figures mean little."


@pytest.mark.parametrize(
    ("metrics", "count", "why"),
    [
        ({"r2": None, "rmse": 1.0}, 9, "all the targets are the same"),
        ({"r2": None, "rmse": None}, 9, "outputs or losses are not finite numbers"),
        ({"r2": None, "rmse": 0.5}, 1, "one example is not enough"),
    ],
)
def test_what_cannot_be_told(metrics, count, why):
    assert verdict({"score": "r2", "interval": None, **metrics}, count, None, None) == (
        f"The R² cannot be told: {why}.",
    )
