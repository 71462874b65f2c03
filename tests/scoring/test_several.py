"""Several questions at once: their metrics by definition, and a training on them."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.network import Network
from backlight.scoring.metrics import measure
from backlight.scoring.several import several_metrics
from backlight.training import Evaluation, Trainer, evaluate
from tests import cases
from tests.training.made import epochs

SIZES = (3, 2, 4)
X = cases.some((60, 5), 3).astype(np.float32)
Y = np.stack([np.digitize(X[:, 0], [-0.4, 0.4]), X[:, 1] > 0, np.digitize(X[:, 2], [-0.7, 0, 0.7])], axis=1).astype(int)


def network(seed: int = 1, dtype: Any = "float32") -> Network:
    return Network.mlp(5, 24, sum(SIZES), hidden="tanh", sizes=SIZES, seed=seed, dtype=dtype)


@settings(deadline=None)
@given(st.lists(st.integers(2, 4), min_size=2, max_size=5), st.integers(1, 9), st.integers(0, 99))
def test_metrics_are_those_of_the_definition(sizes, n, seed):
    outputs, questions = cases.some((n, sum(sizes)), seed), {f"q{k}": size for k, size in enumerate(sizes)}
    y = (seed + np.arange(n)[:, None] * np.arange(1, len(sizes) + 1)) % np.array(sizes)
    found = several_metrics(np.arange(n) / 3, outputs, y, questions)
    right = []
    for row, truth in zip(outputs.tolist(), y.tolist(), strict=True):
        answers, first = [], 0
        for size, true in zip(sizes, truth, strict=True):
            part = row[first : first + size]
            answers.append(part.index(max(part)) == true)
            first += size
        right.append(answers)
    assert found["loss"] == pytest.approx(sum(range(n)) / 3 / n)
    assert found["accuracy"] == pytest.approx(sum(map(sum, right)) / n / len(sizes))
    assert found["exact"] == pytest.approx(sum(map(all, right)) / n)
    for k, name in enumerate(questions):
        assert found["accuracies"][name] == pytest.approx(sum(answers[k] for answers in right) / n)
    assert measure(np.arange(n) / 3, outputs, y, questions=questions) == found


@pytest.mark.parametrize("engine", cases.ENGINES)
def test_a_network_learns_to_answer_every_question(engine):
    own, evaluation = network(), Evaluation(X, Y, questions=("left", "middle", "right"))
    trainer = Trainer(own, lr=0.02, batch_size=10, epochs=60, engine=engine, watch="exact", evaluate_untrained=True)
    records = epochs(trainer.run(X, Y, validation=evaluation))
    first, last = records[0], records[-1]
    assert first["validation"]["exact"] < 0.3
    assert last["validation"]["exact"] > 0.8
    assert list(first["train"]) == list(last["validation"]) == ["loss", "accuracy", "exact", "accuracies"]
    assert list(last["validation"]["accuracies"]) == ["left", "middle", "right"]
    found = evaluate(own, evaluation, engine=engine)
    picked = np.stack([part.argmax(axis=1) for part in np.split(own.predict(X), np.cumsum(SIZES)[:-1], axis=1)], axis=1)
    assert found["exact"] == (picked == Y).all(axis=1).mean()
    assert found["loss"] == pytest.approx(float(own.losses(own.forward(X), Y).mean()), rel=1e-5)


def test_both_engines_take_the_same_steps():
    params = []
    for engine in cases.ENGINES:
        own = network(dtype="float64")
        list(Trainer(own, lr=0.01, batch_size=7, epochs=3, engine=engine).run(X, Y))
        params.append(own.params)
    np.testing.assert_allclose(params[0], params[1], rtol=1e-9, atol=1e-12)


def test_questions_without_names_are_numbered():
    assert list(evaluate(network(), Evaluation(X, Y))["accuracies"]) == ["target 0", "target 1", "target 2"]
    with pytest.raises(InputError, match="the network answers 3 questions, and 2 are named"):
        evaluate(network(), Evaluation(X, Y, questions=("left", "right")))
    record = epochs(Trainer(network(), epochs=1).run(X, Y, validation=(X, Y)))[0]
    assert list(record["validation"]["accuracies"]) == ["target 0", "target 1", "target 2"]


@pytest.mark.parametrize("rows", [None, np.arange(40)])
def test_rows_outside_the_training_may_lack_their_classes(rows):
    y = Y.copy()
    y[50] = -1
    if rows is None:
        with pytest.raises(InputError, match=re.escape("y is -1 in row 50 (counted from 0); expected a class index")):
            list(Trainer(network(), epochs=1).run(X, y))
    else:
        assert epochs(Trainer(network(), epochs=1).run(X, y, rows=rows))
