"""A network that answers several questions is explained as any other, from class indices or one-hot rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backlight.explanation import (
    Moment,
    batch_agreement,
    check,
    cost_along,
    explain,
    health,
    overfitting_step,
    parse_weight,
    sensitivity,
    together,
    wishes_for_weight,
)
from backlight.explanation.desires import open_example
from backlight.explanation.moment import open_moment
from backlight.network.objective import encode_targets
from tests import cases
from tests.explanation.made import Problem, close

SIZES = (2, 5, 2)
STARTS = (0, 2, 7)
INDICES = np.arange(9)[:, None] * np.array([1, 3, 5]) % np.array(SIZES)


def made(loss: str = "cross_entropy") -> Problem:
    network = cases.network_of("deep", cases.GROUPED, outputs=9)
    return Problem(network, loss, cases.some((9, cases.INPUTS), 1), INDICES)


def one_hot(own: Problem) -> Any:
    y = np.empty((9, own.network.outputs))
    encode_targets(own.y, y, own.network.sizes)
    return y


ASKED: dict[str, Callable[[Moment, Any, Any], Any]] = {
    "explain": lambda moment, x, y: explain(moment, x[3], y[3]),
    "check": check,
    "health": health,
    "sensitivity": sensitivity,
    "along": lambda moment, x, y: cost_along(moment, x, y, parse_weight("0:1:2", moment.network)),
    "wishes": lambda moment, x, y: wishes_for_weight(moment, x, y, parse_weight("0:1:2", moment.network)),
    "overfitting": lambda moment, x, y: overfitting_step(moment, x, y, 2, 0.1),
    "agreement": lambda moment, x, y: batch_agreement(moment, x, y, (3,)),
    "together": lambda moment, x, y: together(open_example(moment, x[3], y[3]), 2, x, y),
}


def untimed(content: Any) -> Any:
    """Plain data without the seconds that something took."""
    if isinstance(content, dict):
        return {name: untimed(value) for name, value in content.items() if "seconds" not in name}
    return [untimed(value) for value in content] if isinstance(content, list) else content


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
def test_class_indices_are_explained_as_one_hot_rows_are(name, loss):
    own = made(loss)
    found, expected = (untimed(ASKED[name](own.moment, own.x, y).to_dict()) for y in (own.y, one_hot(own)))
    assert found == expected


def test_the_answer_to_every_question_is_told():
    own = made()
    told = explain(own.network, own.x[4], own.y[4])
    outputs = own.network.predict(own.x[4:5])[0]
    parts = list(zip(STARTS, SIZES, strict=True))
    picked = [f"output {k + int(outputs[k : k + size].argmax())}" for k, size in parts]
    assert told.prediction == ", ".join(picked)
    assert told.truth == ", ".join(f"output {k + y}" for k, y in zip(STARTS, own.y[4], strict=True))
    assert told.confidence is None
    wished = np.array([wish.for_z for wish in told.outputs])
    close(wished, one_hot(own)[4] - outputs)
    close([wished[k : k + size].sum() for k, size in parts], 0)  # within a question, what one gains the others lose


def test_the_moment_of_a_network_keeps_its_groups():
    assert open_moment(made().network).network.sizes == SIZES
