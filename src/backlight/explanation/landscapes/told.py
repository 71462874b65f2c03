"""The landscape of a run as it is told: a picture, the walkers beside each other, how well surface and paths agree."""

from dataclasses import dataclass

import numpy as np

from backlight.arrays import Floats
from backlight.explanation.landscapes.starts import Ends
from backlight.plots import Block, Chart, Contours, Heading, Line, Table, Text, Trail, number
from backlight.plots.shown import Shown


@dataclass(frozen=True)
class Path:
    """The path of a training, at some of its steps.

    Attributes:
        name: how it was trained.
        taken: how many steps it took.
        seconds: how long they took.
        diverged: whether it ended early because its objective was no longer finite.
        straight: how far its end is from its beginning.
        way: the length of its way, from each of its points to the next.
        steps: how many steps had been taken at each of the points (k,).
        points: where they lie in the plane, u and v (k, 2).
        costs: the cost at each of them, measured where it really is (k,).
        surface: the cost in the plane at the place nearest to each (k,).
        distances: how far each lies from that place (k,).
        recorded: the cost of the same moment in the run's history (k,), None where it has none.
    """

    name: str
    taken: int
    seconds: float
    diverged: bool
    straight: float
    way: float
    steps: tuple[int, ...]
    points: Floats
    costs: tuple[float, ...]
    surface: tuple[float, ...]
    distances: tuple[float, ...]
    recorded: tuple[float | None, ...]

    @property
    def worst(self) -> int:
        """The number of the point where the surface differs most from the cost, of those where both are finite."""
        with np.errstate(invalid="ignore"):
            gaps = np.abs(np.subtract(self.surface, self.costs))
        return int(np.where(np.isfinite(gaps), gaps, -1.0).argmax())

    @property
    def gap(self) -> float:
        """By how much it differs there."""
        return abs(self.surface[self.worst] - self.costs[self.worst])

    def text(self, k: int) -> str:
        """One of its points, in words."""
        return (
            f"{self.name}, step {self.steps[k]:,}: cost {number(self.costs[k])}; on the surface, "
            f"{number(self.distances[k])} away, {number(self.surface[k])}"
        )


@dataclass(frozen=True)
class Grid:
    """The surface of the cost.

    Attributes:
        u: along d_1, from left to right.
        v: along d_2, from bottom to top.
        costs: a row for each v (v, u).
    """

    u: tuple[float, ...]
    v: tuple[float, ...]
    costs: Floats


@dataclass(frozen=True, repr=False)
class Landscape(Shown):
    """The surface of the cost around the paths of trainings.

    Attributes:
        run: the name of its folder.
        count: n, how many examples every cost is the mean over.
        random: whether the directions of the plane were asked to be random.
        drawn: how many of them are.
        penalties: whether costs hold penalties.
        running: whether costs are those with running statistics of batch normalisation.
        paths: in the order in which they were asked for.
        variance_held: the share of the paths' squared distances from the centre that lies in the plane.
        shares: the share of each direction.
        grid: the surface.
        starts: where trainings end that begin elsewhere, for each size of batches.
        warnings: what a reader should know.
    """

    run: str
    count: int
    random: bool
    drawn: int
    penalties: bool
    running: bool
    paths: tuple[Path, ...]
    variance_held: float
    shares: tuple[float, float]
    grid: Grid
    starts: tuple[Ends, ...]
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"The cost around the path of {self.run}"

    @property
    def contours(self) -> Contours:
        """The surface with the paths on it."""
        first, second = map(_percent, self.shares)
        names = (f"u, the first main direction: {first} of the variance", f"v, the second: {second}")
        if self.drawn == 2:
            names = ("u, in lengths of each unit's weights", "v, likewise")
        elif self.drawn:
            names = (names[0], "v, a random direction")
        trails = tuple(self._trail(path) for path in self.paths)
        paths = "path of its training" if len(self.paths) == 1 else "paths of its trainings"
        caption = f"{self.run}: the cost around the {paths}, the darker the lower"
        heights = np.asarray(self.grid.costs, np.float64)
        return Contours(self.grid.u, self.grid.v, heights, trails, names, caption, "cost")

    def _trail(self, path: Path) -> Trail:
        """A path as it is drawn: where it is on the grid."""
        u, v = path.points.T
        inside = (u >= self.grid.u[0]) & (u <= self.grid.u[-1]) & (v >= self.grid.v[0]) & (v <= self.grid.v[-1])
        x, y = (np.where(inside, side, np.nan).tolist() for side in (u, v))
        texts = tuple(path.text(k) for k in range(len(path.steps)))
        return Trail(path.name, tuple(x), tuple(y), path.distances, texts)

    def blocks(self) -> list[Block]:
        """The landscape as blocks."""
        return [
            Heading(self.title, 1),
            *(Text(warning, "warning") for warning in self.warnings),
            Text(" ".join([self._cost(), self._plane()])),
            self.contours,
            _walkers(self.paths),
            Text("Way: from each point of a path to the next; straight: from its beginning to its end.", "note"),
            *(
                Text(
                    f"{path.name}: the objective was no longer finite after step {path.taken:,}; the plane was chosen "
                    "without this path, and holds what it can of it.",
                    "warning",
                )
                for path in self.paths
                if path.diverged
            ),
            Text(" ".join(self._agreement())),
            *_along(self.paths),
            *_starts(self.starts),
        ]

    def _cost(self) -> str:
        besides = " and the penalties" if self.penalties else ""
        running = "; batch normalisation takes its running statistics, which go along" if self.running else ""
        return (
            f"The cost is the mean loss of {self.count:,} training examples{besides}, measured at every place{running}."
        )

    def _plane(self) -> str:
        of, end = ("path", "its end") if len(self.paths) == 1 else ("paths", "the end of the run's own path")
        held = f"{_percent(self.variance_held)} of the variance of the {of} about that end"
        if self.random:
            return (
                f"The plane goes through {end} in two random, filter-normalised directions. It holds {held}; the rest "
                "of what training did is not seen in it."
            )
        if self.drawn == 2:
            return "Nothing moved, so the plane has two random, filter-normalised directions."
        if self.drawn:
            return f"The points of the {of} lie on a line, which the plane holds; its other direction is a random one."
        first, second = map(_percent, self.shares)
        return (
            f"The plane goes through {end} in the main directions of the {of}. It holds {held} ({first} and {second})."
        )

    def _agreement(self) -> list[str]:
        """How well the surface fits the paths, and the paths the history."""
        steady = [path for path in self.paths if not path.diverged] or self.paths
        worst = max(steady, key=lambda path: path.gap)
        k = worst.worst
        said = f"Below the points of the paths the surface differs from the cost at them by {number(worst.gap)} at most"
        if worst.gap:
            said += f": at step {worst.steps[k]:,} of {worst.name}, {number(worst.distances[k])} off the plane"
        pairs = [(a, b) for path in self.paths for a, b in zip(path.recorded, path.costs, strict=True) if a is not None]
        if not pairs:
            return [f"{said}."]
        largest = number(max(abs(a - b) for a, b in pairs))
        moments = f"{len(pairs)} points" if len(pairs) > 1 else "one point"
        return [
            f"{said}.",
            f"Training recorded the cost at {moments} of the path; measured again it differs by {largest} at most.",
        ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _walkers(paths: tuple[Path, ...]) -> Table:
    """The walkers beside each other."""
    columns = ("walker", "steps", "seconds", "cost before", "cost after", "way", "straight")
    rows = tuple((p.name, p.taken, p.seconds, p.costs[0], p.costs[-1], p.way, p.straight) for p in paths)
    return Table(columns, rows)


def _along(paths: tuple[Path, ...]) -> list[Block]:
    """The cost along the paths, and how well the surface below them agrees with it."""
    lines = tuple(
        Line(path.name, tuple(step / max(path.taken, 1) for step in path.steps), path.costs) for path in paths
    )
    rows = tuple(
        (path.name, path.gap, path.steps[path.worst], path.distances[path.worst], max(path.distances)) for path in paths
    )
    return [
        Chart(lines, ("share of the steps taken", "cost"), caption="The cost measured at the points of each path"),
        Table(("walker", "surface and cost differ by, at most", "at step", "off the plane there", "at most"), rows),
    ]


def _starts(starts: tuple[Ends, ...]) -> list[Block]:
    if not starts:
        return []
    count = len(starts[0].costs)
    rows = tuple((ends.name, ends.mean, ends.sd, ends.lowest, ends.highest, ends.seconds) for ends in starts)
    lines = tuple(
        Line(ends.name, tuple(map(float, range(count))), tuple(sorted(ends.costs)), "points") for ends in starts
    )
    return [
        Heading(f"Where {count} starts end", 2),
        Text(f"Trained from the seeds 0 to {count - 1}, with everything else alike: the cost at the end of each."),
        Table(("walker", "mean", "standard deviation", "lowest", "highest", "seconds each"), rows),
        Chart(lines, ("starts, from the lowest cost to the highest", "final cost"), caption="Final costs"),
    ]
