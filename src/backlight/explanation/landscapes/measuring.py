"""The landscape of a run, measured: paths, a plane, the surface, and where other starts end."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Final

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError, whole_number
from backlight.explanation.landscapes.again import USUAL, Again, Size, in_words
from backlight.explanation.landscapes.cost import Cost, costs_at
from backlight.explanation.landscapes.plane import Plane, main_plane, random_plane
from backlight.explanation.landscapes.starts import ends_of
from backlight.explanation.landscapes.surface import surface
from backlight.explanation.landscapes.told import Grid, Landscape, Path
from backlight.explanation.landscapes.walks import Told, Walk, quiet, room, walk
from backlight.explanation.moment import engine_warnings
from backlight.files import Run

POINTS: Final = 61
MOST_POINTS: Final = 500
_MARGIN: Final = 0.25
_THINNEST: Final = 0.5


def landscape(
    run: Run | FilePath | str,
    *,
    batches: Sequence[int | str] = (),
    starts: int = 0,
    points: int = POINTS,
    random: bool = False,
    told: Told = quiet,
) -> Landscape:
    """The surface of the cost around the path that training took, measured.

    The run is replayed from its seed, and its parameters θ_r are kept at up to 100 of its steps, and at fewer of large
    networks: 256 MB in all. A plane θ_end + u d_1 + v d_2 is laid through its end, and the cost is measured on a grid
    in it, every value over all training examples. The cost is the run's objective: the weighted mean loss, with its
    penalties and without chance.

    Args:
        run: a run or its folder.
        batches: sizes of batches, numbers or "full", in each of which the run is trained again in memory: from the same
            start, with the same settings otherwise, and for as many epochs; all their paths lie in one plane.
        starts: from how many starts (seeds 0, 1, …) to train in each of these sizes, to see where they end. Where no
            sizes are given, they are "full", 100 and 1, as far as the run can be trained so.
        points: of the grid, along either side.
        random: whether the plane has two random, filter-normalised directions, and not the paths' main ones.
        told: called as it goes on, with what is being done, how much of it is done, and how much there is.

    Raises:
        InputError: the run has taken no steps, or its data have changed, or it cannot be trained in batches of these
            sizes, or from other starts, or there are too few or too many points.

    Source: Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural nets",
    arXiv:1712.09913.

    Example:
        >>> import tempfile
        >>> from backlight.files import Settings, begin, load_for
        >>> settings = Settings("moons", layers=(4,), epochs=3, batch_size="full")
        >>> with tempfile.TemporaryDirectory() as name:
        ...     conduct = begin(settings, load_for(settings), folder=FilePath(name) / "run")
        ...     end = conduct.complete()
        ...     found = landscape(conduct.run, points=5)
        >>> found.paths[0].steps, len(found.grid.costs), found.paths[0].distances[-1]
        ((0, 1, 2, 3), 5, 0.0)
    """
    if whole_number("the number of points", points, 2) > MOST_POINTS:
        raise InputError(f"the number of points is {points}; give 2 to {MOST_POINTS} along a side")
    if whole_number("the number of starts", starts, 0) == 1:
        raise InputError("the number of starts is 1, which has no spread; give 2 or more")
    run = run if isinstance(run, Run) else Run.open(run)
    again = Again(run, run.dataset())
    if not again.taken:
        goes_on = f"train it ('backlight train --resume {run.folder}' goes on with it)"
        ended = run.ended
        why = goes_on if ended is None else f"it ended before its first: {ended['reason']}"
        raise InputError(f"{run.folder} has no step written down, so there is no path to show; {why}")
    if starts and run.started_from is not None:
        raise InputError(
            f"{run.folder} was started from another run, whose weights no seed draws, so that it has no other starts; "
            "leave out the starts"
        )
    sizes = list(dict.fromkeys(map(again.sized, batches)))
    for size in sizes:
        again.check(size)
    if starts and not sizes:
        sizes = list(again.possible(USUAL))
    shown = sizes if again.own in sizes else [again.own, *sizes]
    training, _ = again.training(again.own)
    walks = _walks(again, shown, training.network.params, told)
    main = walks[shown.index(again.own)]
    lay = random_plane if random else main_plane
    steady = [main, *(walked for walked in walks if walked is not main and not walked.diverged)]
    plane = lay(training.network, [walked.points for walked in steady], run.settings.seed, training.plan.frozen)
    cost = Cost(training, run.settings.engine, run.settings.threads)
    places = [plane.project(walked.points) for walked in walks]
    held = [place for walked, (place, _) in zip(walks, places, strict=True) if walked is main or not walked.diverged]
    sides = _sides(np.concatenate(held), points, random=random or plane.drawn == 2)
    grid, below = _measured(cost, plane, sides, [place for place, _ in places], told)
    recorded = again.recorded(training)
    paths = []
    for walked, lying, under in zip(walks, places, below, strict=True):
        costs = costs_at(cost, walked.points, f"measuring along the path, {walked.name}", told)
        paths.append(_path(plane, walked, lying, under, costs, recorded if walked is main else {}))
    return Landscape(
        run=run.folder.name,
        count=len(training.rows),
        random=random,
        drawn=plane.drawn,
        penalties=bool(cost.objective.l1 or cost.objective.l2),
        running=training.network.coupled,
        paths=tuple(paths),
        variance_held=sum(plane.shares),
        shares=plane.shares,
        grid=grid,
        starts=tuple(
            ends_of(_name(again, size), partial(again.training, size), starts, cost, told)
            for size in (sizes if starts else ())
        ),
        warnings=(*engine_warnings(run), *_other_end(run, main)),
    )


def _name(again: Again, size: Size) -> str:
    return in_words(size, again.run.settings.accumulate)


def _walks(again: Again, sizes: Sequence[Size], params: Floats, told: Told) -> list[Walk]:
    most = room(params.size, params.itemsize, len(sizes))
    return [walk(*again.training(size), _name(again, size), most, told) for size in sizes]


def _other_end(run: Run, walked: Walk) -> tuple[str, ...]:
    """A warning where the replay did not end in the bits of the run's checkpoint."""
    checkpoint = run.checkpoint()
    if checkpoint is None or checkpoint.step != walked.steps[-1]:
        return ()
    if checkpoint.params.tobytes() == walked.points[-1].tobytes():
        return ()
    return ("the replay did not end in the bits of the run's checkpoint, so the path shown is not quite the run's own",)


def _measured(
    cost: Cost, plane: Plane, sides: tuple[Floats, Floats], places: Sequence[Floats], told: Told
) -> tuple[Grid, list[Floats]]:
    """The costs on a grid, and below each of the places of the paths."""
    u, v = sides
    corners = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    costs = surface(cost, plane, np.concatenate([corners, *places]), told)
    below = np.split(costs[len(corners) :], np.cumsum([len(place) for place in places])[:-1])
    return Grid(tuple(u.tolist()), tuple(v.tolist()), costs[: len(corners)].reshape(len(v), len(u))), below


def _sides(places: Floats, points: int, *, random: bool) -> tuple[Floats, Floats]:
    """The values of u and v of a grid that holds all places, with a margin, and is not too thin."""
    least = np.array([[-1.0, -1.0], [1.0, 1.0]]) if random else np.zeros((1, 2))
    held = np.concatenate([places, least])
    low, high = held.min(axis=0), held.max(axis=0)
    span = high - low
    wanted = np.maximum(span, _THINNEST * span.max()) * (1.0 if random else 1.0 + 2 * _MARGIN)
    middle = (low + high) / 2
    u, v = (np.linspace(middle[k] - wanted[k] / 2, middle[k] + wanted[k] / 2, points) for k in range(2))
    return u, v


def _path(
    plane: Plane, walked: Walk, lying: tuple[Floats, Floats], below: Floats, costs: Floats, recorded: dict[int, float]
) -> Path:
    points, steps, (places, distances) = walked.points, walked.steps.tolist(), lying
    return Path(
        name=walked.name,
        taken=steps[-1],
        seconds=walked.seconds,
        diverged=walked.diverged,
        straight=plane.apart(points[0], points[-1]),
        way=sum(plane.apart(*pair) for pair in pairwise(points)),
        steps=tuple(steps),
        points=places,
        costs=tuple(costs.tolist()),
        surface=tuple(below.tolist()),
        distances=tuple(distances.tolist()),
        recorded=tuple(recorded.get(step) for step in steps),
    )
