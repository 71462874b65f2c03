"""The race: the same start and budget for everyone, losses that were measured, and words that the numbers choose."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.files import Settings, load_for
from backlight.network.objective import mean_weights
from backlight.plots import Chart
from backlight.racing import Point, Race, Raced, race
from backlight.racing.alarm import Alarm
from backlight.racing.entrants import entrants
from backlight.racing.gauge import Gauge
from backlight.racing.runner import Budget, Runner
from backlight.racing.verdicts import verdicts
from backlight.training import Evaluation, evaluate


def raced(
    layers: tuple[int, ...] = (3,),
    *,
    passes: float = 60.0,
    seed: int = 0,
    values: str | None = None,
    sizes: tuple[int, ...] = (),
) -> Race:
    return race(Settings("xor", layers=layers, seed=seed), passes=passes, values=values, sizes=sizes)


@pytest.fixture(scope="module")
def told():
    return raced(sizes=(10,))


def test_everyone_begins_with_the_same_weights_and_spends_the_same(told):
    assert [one.method for one in told.methods] == [
        *("backpropagation", "backpropagation=full", "one-weight", "one-weight=random"),
        *("combinations=-1:0:1", "random=1"),
    ]
    for one in told.methods:
        assert one.points[0] == Point(0.0, 0.0, told.start)
        assert 60 <= one.passes <= 63
        assert one.ended == "its passes were used up"
        assert not one.early


def test_losses_are_those_of_all_training_examples(told):
    settings = Settings("xor", layers=(3,), dropout=0.0)
    dataset = load_for(settings)
    network = settings.resolved(dataset).network(dataset)
    found = evaluate(network, Evaluation(dataset.x, dataset.y, rows=dataset.rows["train"]))
    assert told.start == pytest.approx(found["loss"], rel=1e-6)
    assert (told.examples, told.measured, told.weights) == (700, 700, 17)


def test_the_same_seed_gives_the_same_race(told):
    again = raced()
    for one, other in zip(told.methods, again.methods, strict=True):
        assert (one.loss, one.passes, one.score) == (other.loss, other.passes, other.score)
        assert [(p.passes, p.loss) for p in one.points] == [(p.passes, p.loss) for p in other.points]
    assert raced(seed=1).start != told.start


def test_one_weight_at_a_time_never_gets_worse(told):
    for one in told.methods[2:4]:
        losses = [point.loss for point in one.points]
        assert losses == sorted(losses, reverse=True)


def test_a_method_that_runs_out_says_so():
    grid = raced(layers=(), passes=100.0, values="0:1").methods[4]
    assert (grid.method, grid.ended, grid.early) == ("combinations=0:1", "every combination was tried", True)
    assert 64 <= grid.passes <= 65  # all of 2^6, and the untrained network
    assert "best of all 64 combinations" in grid.proves


def test_the_seconds_are_its_own_work_and_are_kept():
    begun = time.monotonic()
    told = race(Settings("digits", layers=(8,)), seconds=0.1, sizes=[])
    assert time.monotonic() - begun < 30
    for one in told.methods:
        assert 0.1 <= one.seconds < 1.0
        seconds = [point.seconds for point in one.points]
        assert seconds == sorted(seconds)
        assert one.score is not None
        assert (one.score.part, one.score.metric) == ("test", "accuracy")


def test_a_step_that_takes_longer_than_the_budget_is_broken_off():
    settings = Settings("digits", layers=(1500, 1500), dropout=0.0, patience=None, epochs=10**9, batch_size="full")
    dataset = load_for(settings)
    resolved = replace(settings.resolved(dataset), patience=None)
    with_alarm = Alarm()
    try:
        runner = Runner(entrants()[1], resolved, dataset, Budget(0.02), Gauge(resolved, dataset, 0.001), with_alarm)
        begun = time.monotonic()
        runner.turn(math.inf)
        assert time.monotonic() - begun < 5
        assert runner.ended == "its time was up"
    finally:
        with_alarm.close()


def test_of_more_examples_than_time_allows_some_stand_for_all():
    settings = Settings("digits", layers=(16,), dropout=0.0)
    dataset = load_for(settings)
    gauge = Gauge(settings.resolved(dataset), dataset, most=1e-6)
    assert 1 <= len(gauge.rows) < len(dataset.rows["train"])
    assert set(gauge.rows) <= set(dataset.rows["train"])
    assert Gauge(settings.resolved(dataset), dataset).rows.tolist() == dataset.rows["train"].tolist()


def test_weighted_examples_count_as_they_do_in_training():
    settings = Settings("penguins", layers=(4,), dropout=0.0, class_weights="balanced")
    dataset = load_for(settings)
    gauge = Gauge(settings.resolved(dataset), dataset)
    network, rows = gauge.copy(), dataset.rows["train"]
    weights = np.asarray(dataset.weights)[rows] / np.asarray(dataset.weights)[rows].mean()
    losses = network.losses(network.forward(np.asarray(dataset.x)[rows]), np.asarray(dataset.y)[rows])
    expected = mean_weights(len(rows), np.dtype(np.float64), weights) @ losses
    assert gauge.start == pytest.approx(float(expected), rel=1e-5)


def test_ctrl_c_ends_the_race_with_what_is_there():
    turns = []

    def press(runners, costs):
        turns.append(len(costs))
        if len(turns) == 3:
            raise KeyboardInterrupt

    told = race(Settings("digits", layers=(8,)), seconds=60, watch=press)
    assert told.interrupted
    assert told.costs.rows == ()
    assert [one.passes > 0 for one in told.methods] == [True] * 3 + [False] * 3
    assert {one.ended for one in told.methods} == {"interrupted"}
    assert "interrupted" in str(told.blocks()[1])
    json.dumps(told.to_dict(), allow_nan=False)


def test_programs_are_told_all(told):
    content = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert {"methods", "gradient", "exponent", "curse", "evaluations_per_second", "start"} <= content.keys()
    known = {(row["weights"], row["evaluations_per_second"]): row for row in content["curse"]}
    assert known[2, 1e9]["seconds"] == 1e-3
    assert known[5, 1e9]["words"] == "11.6 days"
    own = known[17, content["evaluations_per_second"]]
    assert own["log10_seconds"] == pytest.approx(
        17 * math.log10(own["values"]) - math.log10(told.evaluations_per_second)
    )
    assert content["gradient"][0]["weights"] == 8


def test_the_page_has_the_pictures_and_the_tables(told):
    page = told.plot()._repr_html_()
    assert page.count('class="bl-block bl-curve"') == 3
    assert next(block for block in told.blocks() if isinstance(block, Chart)).logs == (True, True)
    for one in told.methods:
        assert one.proves in page.replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, "seconds is 0, so that nothing could be raced"),
        ({"seconds": -1.0}, "seconds is -1.0; it must be a finite number of at least 0"),
        ({"passes": math.nan}, "passes is nan"),
        ({"seconds": 1.0, "passes": 5.0}, "seconds is 1 and passes is 5; give one of the two"),
        ({"values": "1"}, "give two or more different finite numbers"),
        ({"values": "a:b"}, "'a' is no number"),
    ],
)
def test_impossible_budgets_and_values_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        race("xor", **options)


def entry(method: str, losses: list[float], *, gradient: bool = False, each: float = 1.0) -> Raced:
    points = tuple(Point(each * k, each * k / 100, loss) for k, loss in enumerate(losses))
    last = points[-1]
    return Raced(method, method, gradient, last.loss, last.passes, last.seconds, "x", False, None, points)


def proofs(*methods: Raced) -> dict[str, str]:
    return {one.method: one.proves for one in verdicts(methods, 1.0, 10)}


def test_the_words_follow_the_numbers():
    backward = entry("backpropagation", [1.0, 0.4, 0.1], gradient=True)
    search = entry("one-weight", [1.0, 0.8, 0.4], each=20.0)
    told = proofs(backward, search)
    assert (
        "After 1 pass (10 ms) it was as low as the best of the others (one-weight) after 40: 40 times fewer"
        in told[backward.method]
    )
    assert "40 tries, 4 for each of the 10 weights" in told["one-weight"]
    assert told["one-weight"].endswith(
        "It had that loss after 40 passes, backpropagation after 1 pass: 40 times fewer."
    )


def test_where_backpropagation_loses_the_words_say_so():
    backward = entry("backpropagation", [1.0, 0.6, 0.5], gradient=True)
    search = entry("one-weight", [1.0, 0.7, 0.2])
    told = proofs(backward, search)
    assert told["backpropagation"] == "It got to 0.5, above the 0.2 of one-weight, which was behind up to 1 pass."
    assert told["one-weight"].endswith("Backpropagation did not get as low: 0.5.")
    slower = proofs(entry("backpropagation", [1.0, 0.2], gradient=True, each=8.0), entry("one-weight", [1.0, 0.2]))
    assert "8 times more" in slower["backpropagation"]


def test_of_two_that_did_not_get_there_the_better_is_named():
    batches = entry("backpropagation", [1.0, 0.6], gradient=True)
    full = entry("backpropagation=full", [1.0, 0.5], gradient=True)
    assert proofs(batches, full, entry("one-weight", [1.0, 0.2]))["one-weight"].endswith("get as low: 0.5.")


def test_those_who_find_nothing_are_told_so():
    nothing = entry("random=1", [1.0, 1.0])
    still = entry("combinations=0:1", [1.0])
    told = proofs(entry("backpropagation", [1.0, 0.5], gradient=True), nothing, still)
    assert "brought the loss no lower than 1" in told["random=1"]
    assert "The weights that all began with were as good." in told["random=1"]
    assert told["combinations=0:1"] == "Nothing: x before its first step was done."
    assert "No other got lower than where all began" in told["backpropagation"]


def test_of_each_method_the_best_weights_count(monkeypatch):
    losses = iter([0.5, 0.25, 0.75, 0.6])
    monkeypatch.setattr(Gauge, "loss", lambda self, params: next(losses, 0.9))
    settings = Settings("xor", layers=(3,), dropout=0.0)
    dataset = load_for(settings)
    resolved = replace(settings.resolved(dataset), patience=None)
    alarm = Alarm()
    try:
        runner = Runner(entrants()[0], resolved, dataset, Budget(passes=9), Gauge(resolved, dataset), alarm)
        runner.turn(math.inf)
    finally:
        alarm.close()
    assert [point.loss for point in runner.points[1:5]] == [0.5, 0.25, 0.75, 0.6]
    assert runner.best == 0.25
    assert not np.array_equal(runner.params, Gauge(resolved, dataset).untrained)
