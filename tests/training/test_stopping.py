import re

import pytest

from backlight.errors import InputError
from backlight.training import EpochRecord, Patience, Until
from tests import cases


@pytest.mark.parametrize("name", cases.STOPPING_RULES)
def test_a_rule_lets_pass_and_stops(name):
    rule, passing, stopping, reason = cases.STOPPING_RULES[name]
    assert rule.reason(passing) is None
    assert rule.reason(stopping) == reason
    assert rule.reason(passing) is None  # a rule remembers nothing


def test_a_metric_without_a_value_stops_nothing():
    record = EpochRecord(1, 10, {}, {"loss": 0.0, "r2": None}, 1, 0.0)
    assert Until("r2>0").reason(record) is None
    assert Until("r2<1").reason(record) is None


def test_nan_stops_nothing():
    record = cases.epoch_record(1, float("nan"))
    assert Until("loss<1").reason(record) is None
    assert Until("loss>=1").reason(record) is None


def test_patience_needs_a_validation():
    assert Patience(1).reason(cases.epoch_record(100, 0.1)) is None


@pytest.mark.parametrize("condition", ["", "loss", "loss<", "<0.05", "loss=0.05", "loss<0.05 or", "loss<e", "0.1<loss"])
def test_a_condition_that_cannot_be_read_is_refused(condition):
    message = f"the condition {condition!r} cannot be read; write a metric, a sign and a number, such as 'loss<0.05'"
    with pytest.raises(InputError, match=re.escape(message)):
        Until(condition)


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"there is no metric 'acuracy'; did you mean 'accuracy'\?"):
        Until("acuracy>0.9")


def test_a_metric_that_is_not_measured_here_is_refused():
    message = "the condition 'accuracy>0.9' asks for accuracy, which is not measured here; there are loss"
    with pytest.raises(InputError, match=message):
        Until("accuracy>0.9").reason(cases.epoch_record(1, 0.1))


@pytest.mark.parametrize("epochs", [0, -2])
def test_an_impossible_patience_is_refused(epochs):
    with pytest.raises(InputError, match=f"patience is {epochs}; at least 1 epoch is needed"):
        Patience(epochs)
