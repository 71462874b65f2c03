"""The race: every method from the same weights with the same budget."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from backlight.data import Dataset
from backlight.data.images.options import Progress
from backlight.errors import InputError, number_within
from backlight.files import Settings, load_for
from backlight.files.model import part_evaluation
from backlight.racing.alarm import Alarm
from backlight.racing.costs import SIZES, GradientCost, GradientCosts, difference, each_cost
from backlight.racing.curse import RATE, VALUES, WEIGHTS, Curse, curse_row
from backlight.racing.entrants import Entrant, entrants
from backlight.racing.gauge import Gauge
from backlight.racing.result import Race, Raced, Score
from backlight.racing.runner import INTERRUPTED, Budget, Runner
from backlight.racing.verdicts import verdicts
from backlight.training import evaluate

SECONDS: Final = 8.0
"""What every method has, unless told otherwise: the race and all that is measured beside it then end in two minutes."""

LAYERS: Final = (16,)
"""Hidden units, unless told otherwise: few, so that those who try weights one by one have a chance."""

Watch: TypeAlias = Callable[[Sequence[Runner], Sequence[GradientCost]], None]
"""Told after every turn how far the methods are, and then which costs have been measured."""

_TURN: Final = 0.25
_LARGE: Final = 4_000_000
_WITHIN: Final = 0.05
_SOON: Final = 0.1
_SCORES: Final = ("exact", "accuracy", "r2")
_ENDLESS: Final = 10**9
_METHOD: Final = (  # settings that are each method's own
    *("optimizer", "lr", "schedule", "momentum", "weight_decay", "clip", "clip_examples", "average", "accumulate"),
    *("batch_size", "until", "patience", "augment", "freeze"),
)


def race(
    data: str | Settings,
    *,
    seconds: float | None = None,
    passes: float | None = None,
    values: str | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
    sizes: Sequence[int] | None = None,
) -> Race:
    """Have backpropagation and the methods without it learn the same from the same weights with the same budget.

    Backpropagation takes Adam's steps as `train` does, with batches and with all examples at once; one weight at a time
    is moved and stays where that helps; every combination of a few values is tried in a row, or combinations are drawn.
    They work in turns of a quarter of a second. Losses are measured over all training examples, while the clock of
    the method stands still. Then the cost of one gradient is measured, by backpropagation and by nudging every
    weight, up to ten million weights; and told how long it would take to try all combinations.

    Args:
        data: a built-in name, a file, or settings; what they say of optimizer, batches, stopping, dropout and
            augmentation is left to each method. Of data alone the network has 16 hidden units.
        seconds: that every method works; 8 unless given.
        passes: forward passes over the training examples that every method has in place of seconds; a pass with
            backpropagation counts as three. The losses are then the same every time.
        values: of which every combination is tried, as "-1:0:1".
        watch: told how far they are.
        progress: told how far the reading of images is.
        sizes: about how many weights the networks have whose gradients are timed, as for `gradient_costs`.

    Returns:
        The race. Ctrl-C ends it at once; what is there is returned, with `interrupted`.

    Raises:
        InputError: the budget is none, or the data cannot be used.

    Example:
        >>> told = race(Settings("xor", layers=(3,)), passes=30, sizes=[10])
        >>> [one.method for one in told.methods][:3], told.weights
        (['backpropagation', 'backpropagation=full', 'one-weight'], 17)
        >>> told.methods[2].loss <= told.start
        True
    """
    budget = checked_budget(seconds, passes)
    settings = Settings(data, layers=LAYERS) if isinstance(data, str) else data
    who = [(entrant, _settings(settings, entrant)) for entrant in entrants(values)]
    for _, own in who:
        own.check()
    dataset = load_for(settings, progress)
    contest = _Contest([(entrant, _resolved(own, dataset)) for entrant, own in who], dataset, budget, watch)
    return contest.run(SIZES if sizes is None else sizes)


def checked_budget(seconds: float | None, passes: float | None) -> Budget:
    """The budget of every method.

    Raises:
        InputError: both are given, or one is not above 0.

    Example:
        >>> checked_budget(None, None)
        Budget(seconds=8.0, passes=None)
    """
    if seconds is not None and passes is not None:
        raise InputError(f"seconds is {seconds:g} and passes is {passes:g}; give one of the two")
    for name, given in (("seconds", seconds), ("passes", passes)):
        if given is not None and number_within(name, given, 0, float("inf")) == 0:
            raise InputError(f"{name} is 0, so that nothing could be raced; give a number above 0")
    return Budget(SECONDS if passes is None and seconds is None else seconds, passes)


def _settings(settings: Settings, entrant: Entrant) -> Settings:
    """A method's own settings: of what was given, all but how it is learnt."""
    usual = {name: getattr(Settings, name) for name in _METHOD}
    return replace(settings, **usual | {"dropout": 0.0, "epochs": _ENDLESS} | dict(entrant.settings))


def _resolved(settings: Settings, dataset: Dataset) -> Settings:
    return replace(settings.resolved(dataset), patience=None)


class _Contest:
    """A race in progress; arguments as `race` makes them."""

    def __init__(
        self, who: Sequence[tuple[Entrant, Settings]], dataset: Dataset, budget: Budget, watch: Watch | None
    ) -> None:
        self._settings, self._dataset, self._budget, self._watch = who[0][1], dataset, budget, watch
        self._gauge = Gauge(self._settings, dataset, (budget.seconds or float("inf")) * _WITHIN)
        self._alarm = Alarm()
        self._runners = [Runner(entrant, own, dataset, budget, self._gauge, self._alarm) for entrant, own in who]
        self._costs: list[GradientCost] = []
        self._difference: float | None = None
        self._interrupted = False

    def run(self, sizes: Sequence[int]) -> Race:
        """Race, measure what a gradient costs, and tell."""
        try:
            self._race()
            self._difference = difference()
            for cost in each_cost(sizes):
                self._costs.append(cost)
                self._tell()
        except KeyboardInterrupt:
            self._interrupted = True
            soon = self._gauge.seconds < _SOON
            for runner in self._runners:
                runner.end(INTERRUPTED, measure=soon)
        finally:
            self._alarm.close()
        return self._result()

    def _race(self) -> None:
        turn = _TURN if self._gauge.weights < _LARGE else float("inf")
        while any(runner.ended is None for runner in self._runners):
            for runner in self._runners:
                if runner.ended is None:
                    runner.turn(turn)
                    self._tell()

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(self._runners, self._costs)

    def _result(self) -> Race:
        gauge, rate = self._gauge, 1.0 / self._gauge.seconds
        own = sorted({*range(2, 6), gauge.weights})
        rows = [curse_row(n, VALUES, RATE) for n in sorted({*WEIGHTS, gauge.weights})]
        rows += [curse_row(n, VALUES, rate) for n in own] + [curse_row(gauge.weights, 2, rate)]
        methods = tuple(self._raced(runner) for runner in self._runners)
        return Race(
            data=self._dataset.name,
            network=gauge.network,
            weights=gauge.weights,
            examples=len(self._dataset.rows["train"]),
            measured=len(gauge.rows),
            seed=self._settings.seed,
            budget=self._budget,
            start=gauge.start,
            evaluations_per_second=rate,
            methods=verdicts(methods, gauge.start, gauge.weights),
            costs=GradientCosts(tuple(self._costs), self._difference),
            curse=Curse(tuple(rows)),
            interrupted=self._interrupted,
        )

    def _raced(self, runner: Runner) -> Raced:
        entrant = runner.entrant
        return Raced(
            method=entrant.method,
            name=entrant.name,
            gradient=entrant.gradient,
            loss=runner.best,
            passes=runner.passes,
            seconds=runner.seconds,
            ended=runner.ended or INTERRUPTED,
            early=runner.early,
            score=self._score(runner),
            points=tuple(runner.points),
        )

    def _score(self, runner: Runner) -> Score | None:
        """The metric that people know, of the test part, or of the validation part where there is none."""
        dataset, settings = self._dataset, self._settings
        part = next((part for part in ("test", "validation") if len(dataset.rows[part])), None)
        if part is None or not runner.passes or len(self._gauge.rows) < len(dataset.rows["train"]):
            return None
        network = self._gauge.copy(runner.params)
        metrics = evaluate(network, part_evaluation(dataset, part), settings.loss, engine=settings.engine)
        metric = next((name for name in _SCORES if metrics.get(name) is not None), None)
        return None if metric is None else Score(part, metric, float(metrics[metric]))
