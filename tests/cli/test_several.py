"""A model of several questions at the command line: trained, measured, asked, explained."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from backlight.cli.predict import Asked, show_answers
from backlight.cli.report import print_questions
from backlight.data import SeveralClasses
from backlight.files import Run
from tests.cli.terminal import backlight, refused_in_one_line

WORDS = np.array([["ab"[k % 2], "xyz"[k // 2 % 3]] for k in range(120)])
MEASURED = {"loss", "accuracy", "exact", "accuracies"}


@pytest.fixture
def words() -> Path:
    """A run of some epochs on images that say which letters they hold."""
    x = np.zeros((120, 2, 5), np.uint8)
    for k, (one, other) in enumerate(WORDS):
        x[k, 0, "ab".index(one)] = x[k, 1, 2 + "xyz".index(other)] = 255
    np.savez("words.npz", x=x, y=WORDS)
    np.savez("new.npz", x=x[:7], y=np.stack([np.arange(7) % 2, np.arange(7) // 2 % 3], axis=1))
    result = backlight("train", "words.npz", "--epochs", "40", "--layers", "12", "--lr", "0.03", "--out", "done")
    assert result.code == 0, result.err
    assert "accuracy of" in result.out
    assert "all right" in result.err
    return Path("done")


def test_the_metrics_of_every_question(words):
    found = backlight("evaluate", words, "--json").json["metrics"]
    assert set(found) >= MEASURED
    assert (found["accuracy"], found["exact"], found["accuracies"]) == (1.0, 1.0, {"y0": 1.0, "y1": 1.0})
    told = backlight("evaluate", words, "new.npz").out
    assert "new.npz: 7 examples" in told.splitlines()
    table = told[told.index("Question by question") :].splitlines()[2:4]
    assert [line.split()[:3] for line in table] == [["y0", "100.0", "%"], ["y1", "100.0", "%"]]


def test_one_answer_in_full_and_many_as_a_table(words):
    full = backlight("predict", words, "test:0").out
    letters = backlight("predict", words, "test:0", "--json").json["predictions"][0]["classes"]
    expected = f"test:0 is taken for: {letters['y0']}, {letters['y1']} ("
    assert expected in full
    assert f"and it is: {letters['y0']}, {letters['y1']}" in full
    assert full.splitlines()[-2].startswith(f"  y0: {letters['y0']}  ")
    assert " or " in full.splitlines()[-1]
    table = backlight("predict", words, "new.npz").out.splitlines()
    assert table[0].split() == ["example", "y0", "y1", "confidence"]
    assert [line.split()[1:3] for line in table[1:]] == WORDS[:7].tolist()
    first = backlight("predict", words, "new.npz", "--json").json["predictions"][0]
    likeliest = [max(probabilities.values()) for probabilities in first["probabilities"].values()]
    assert first["confidence"] == pytest.approx(np.prod(likeliest))


def test_a_narrow_terminal_has_the_questions_one_below_the_other():
    metrics = {part: {"accuracies": {"first": 0.5, "second": 1.0}} for part in ("train", "test")}
    told = []
    for width in (60, 24):
        with io.StringIO() as text:
            print_questions(Console(file=text, width=width), {**metrics, "made": {"loss": 1.0}})
            told.append([line.split() for line in text.getvalue().splitlines() if line])
    assert told[0] == [
        ["accuracy", "of", "train", "test"],
        ["first", "50.00", "%", "50.00", "%"],
        ["second", "100.00", "%", "100.00", "%"],
    ]
    assert told[1][:3] == [["accuracy", "of,", "train"], ["first", "50.00", "%"], ["second", "100.00", "%"]]
    assert len(told[1]) == 6


def test_a_question_may_be_called_as_a_column_of_the_table_is(words, capsys):
    model = Run.open(words).model()
    assert isinstance(model.target, SeveralClasses)
    first, second = model.target.targets
    model = replace(model, target=SeveralClasses((replace(first, column="confidence"), second)))
    x = np.zeros((2, 10), np.uint8)
    show_answers(model, Asked(x, ("one", "other"), {}), model.answers(x))
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["example", "confidence", "y1", "confidence"]
    assert table[1].split()[1] in first.names


def test_explanations_name_the_answer_to_every_question(words):
    told = backlight("explain", words, "--example", "new.npz:3", "--json").json
    assert told["prediction"] == told["truth"] == "y0=b, y1=y"
    for verb in ("check", "health", "sensitivity"):
        assert backlight(verb, words, "--json").code == 0
    assert backlight("moves", words, "--weight", "0:0:0", "--json").code == 0


def test_what_does_not_fit_is_refused(words):
    np.savez("three.npz", x=np.zeros((3, 2, 5), np.uint8), y=np.full((3, 3), "a"))
    assert "the model expects 2 classes per example" in backlight("evaluate", words, "three.npz").err
    refused_in_one_line("choose the output softmax", "train", "words.npz", "--output", "sigmoid")


def test_what_each_input_is_needed_for_is_told_for_several_questions(words):
    told = backlight("explain", words, "--importance", "--json")
    assert told.code == 0, told.err
    assert told.json["score"] == "accuracy"
    assert backlight("evaluate", words, "--html", "page.html").code == 0
