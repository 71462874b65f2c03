"""What every drawing of a surface shares: bands and their colours, which path lies above which, and how pale it is."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from backlight.plots.contours import Contours, Trail
from backlight.plots.isolines import Ring, levels, rings
from backlight.plots.scales import Scale

HEIGHT: Final = 440.0
LOW_TO_HIGH: Final = ((16, 42, 84), (33, 92, 146), (88, 151, 190), (164, 203, 214), (225, 232, 218), (247, 241, 222))
TRAILS: Final = ((236, 92, 6), (18, 20, 24), (205, 20, 104), (32, 130, 60))
"""Colours that are told apart by their brightness too, and stand out from all bands by the white that lies below."""

LABELLED: Final = 3
"""Of every so many levels one is written beside its colour, and on its line."""

_UNSEEN: Final = 0.6
_ROOM: Final = 0.08


def bands(contours: Contours) -> tuple[tuple[float, ...], list[list[Ring]]]:
    """The levels from the highest to the lowest, and the rings around all that is not above each."""
    found = levels(contours.heights)[::-1]
    return found, [rings(contours.heights, level) for level in found]


def colour(share: float) -> tuple[int, int, int]:
    """The colour of a height: 0 for the lowest band, 1 for the highest.

    Example:
        >>> colour(0.0), colour(1.0), colour(0.1)
        ((16, 42, 84), (247, 241, 222), (24, 67, 115))
    """
    at = share * (len(LOW_TO_HIGH) - 1)
    red, green, blue = (
        round(float(np.interp(at, range(len(LOW_TO_HIGH)), [anchor[k] for anchor in LOW_TO_HIGH]))) for k in range(3)
    )
    return red, green, blue


def band_colours(count: int) -> list[tuple[int, int, int]]:
    """The colours of so many bands, from the highest to the lowest."""
    return [colour(1 - k / max(count - 1, 1)) for k in range(count)]


def drawable(contours: Contours) -> bool:
    """Whether there is a surface to draw."""
    sides = (contours.x, contours.y)
    enough = all(len(side) > 1 and np.isfinite(side).all() and side[0] < side[-1] for side in sides)
    return enough and contours.heights.shape == (len(contours.y), len(contours.x))


def scales(contours: Contours) -> tuple[Scale, Scale]:
    """From the first place to the last, along both axes."""
    return Scale.around([contours.x[0], contours.x[-1]]), Scale.around([contours.y[0], contours.y[-1]])


def visible(trail: Trail) -> list[tuple[int, float, float]]:
    """The points of a path that are numbers, with their places in it."""
    return [
        (k, x, y) for k, (x, y) in enumerate(zip(trail.x, trail.y, strict=True)) if np.isfinite(x) and np.isfinite(y)
    ]


def paleness(trails: Sequence[Trail]) -> list[list[float]]:
    """How opaque each point of each path is drawn, in fifths: 1 on the plane, the paler the farther it lies off it.

    Example:
        >>> paleness([Trail("a", (0.0,) * 3, (0.0,) * 3, (0.0, 1.0, 2.0), ("",) * 3)])
        [[1.0, 0.6, 0.2]]
    """
    seen = (trail.off[k] for trail in trails for k, _, _ in visible(trail))
    farthest = max((off for off in seen if np.isfinite(off)), default=0.0) or 1.0
    return [
        [(1 + round(4 * (1 - min(off / farthest, 1.0)))) / 5 if np.isfinite(off) else 1.0 for off in trail.off]
        for trail in trails
    ]


def painted(trails: Sequence[Trail]) -> list[int]:
    """The numbers of paths from back to front: those that go far lie below those that stay near."""

    def extent(which: int) -> float:
        points = np.array([(x, y) for _, x, y in visible(trails[which])])
        return float(np.ptp(points, axis=0).max()) if len(points) else 0.0

    return sorted(range(len(trails)), key=extent, reverse=True)


def alike(opaque: Sequence[float], points: Sequence[tuple[int, float, float]]) -> Iterator[tuple[float, int, int]]:
    """Stretches of a path that are equally opaque, as that, their first point and their last; each joins the next.

    Example:
        >>> list(alike((0.2, 0.2, 1.0, 1.0), [(k, 0.0, 0.0) for k in range(4)]))
        [(0.2, 0, 2), (1.0, 2, 3)]
    """
    first = 0
    for n in range(1, len(points)):
        if n == len(points) - 1 or opaque[points[n][0]] != opaque[points[first][0]]:
            yield opaque[points[first][0]], first, n
            first = n


def outline(ring: Ring, width: int, height: int) -> list[tuple[int, int]]:
    """A ring in whole points of a picture whose first line is the upper one, without corners that nobody sees.

    Corners go as long as the line stays within half a point of them.

    Source: Douglas and Peucker 1973, "Algorithms for the reduction of the number of points required to represent a
    digitized line".
    """
    points = np.array([(x * width, (1 - y) * height) for x, y in ring])
    opposite = int(((points - points[0]) ** 2).sum(axis=1).argmax())
    kept, parts = {0, opposite}, [(0, opposite), (opposite, len(points))]
    closed = np.concatenate([points, points[:1]])
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        way, ways = closed[last] - closed[first], closed[first + 1 : last] - closed[first]
        off = np.abs(ways[:, 0] * way[1] - ways[:, 1] * way[0]) / max(float(np.hypot(*way)), 1e-12)
        farthest = int(off.argmax())
        if off[farthest] > _UNSEEN:
            middle = first + 1 + farthest
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    whole = [(round(x), round(y)) for x, y in points[sorted(kept)].tolist()]
    return [point for k, point in enumerate(whole) if point != whole[k - 1]]


def level_labels(
    contours: Contours, found: Sequence[float], shapes: Sequence[list[Ring]]
) -> list[tuple[float, float, float]]:
    """Where to write some of the levels on their isolines: level, x and y, as shares; far from paths and each other."""
    across, up = scales(contours)
    taken = [(across.share(x), up.share(y)) for trail in contours.trails for _, x, y in visible(trail)]
    written = []
    for level, shape in list(zip(found, shapes, strict=True))[::-1][::LABELLED]:
        corners = np.array([corner for ring in shape for corner in ring])
        if not len(corners):
            continue
        room = np.minimum(corners, 1 - corners).min(axis=1) * 1.5
        for place in taken:
            room = np.minimum(room, np.hypot(*(corners - place).T))
        best = int(room.argmax())
        if room[best] > _ROOM:
            x, y = corners[best].tolist()
            taken.append((x, y))
            written.append((level, x, y))
    return written
