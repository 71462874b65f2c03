"""A plane through the space of all parameters: the main directions of paths, or random ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from backlight.arrays import Floats
from backlight.network import Network
from backlight.randomness import Purpose, normals

_BLOCK: Final = 1 << 18
_FLAT: Final = 1e-12
"""A direction that holds less than this share of what the first one holds is rounding."""


@dataclass(frozen=True)
class Plane:
    """The points centre + u d_1 + v d_2.

    Running statistics of batch normalisation go along with the other parameters, and do not count in any distance.

    Attributes:
        centre: the parameters at u = v = 0 (size,).
        directions: d_1 and d_2 (2, size).
        statistics: where running statistics stand in them, means and variances of each normalisation.
        shares: the share of the paths' squared distances from the centre that each direction holds (2,); 0 for one that
            was drawn.
        drawn: how many of the directions were drawn: the last ones.
    """

    centre: Floats
    directions: Floats
    statistics: tuple[slice, ...]
    shares: tuple[float, float]
    drawn: int

    def at(self, u: float, v: float, first: int = 0) -> Floats:
        """The parameters (size − first,) of a point, from the first one asked for on.

        A running variance, which cannot be below 0, is 0 where the plane leads below it.
        """
        d_1, d_2 = self.directions
        point: Floats = self.centre[first:] + u * d_1[first:] + v * d_2[first:]
        for place in self.statistics:
            variances = point[(place.start + place.stop) // 2 - first : place.stop - first]
            np.maximum(variances, 0.0, out=variances)
        return point

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """The nearest places in the plane (k, 2) of points (k, size), and how far from it each lies (k,).

        Example:
            >>> plane = Plane(np.zeros(3), np.eye(3)[:2], (), (0.0, 0.0), 2)
            >>> places, distances = plane.project(np.array([[1.0, 2.0, 3.0]]))
            >>> places.round(12).tolist(), distances.tolist()
            ([[1.0, 2.0]], [3.0])
        """
        d = self.directions.copy()
        for place in self.statistics:
            d[:, place] = 0.0
        inverse = np.linalg.pinv(d @ d.T, hermitian=True)
        places, distances = np.empty((len(points), 2)), np.empty(len(points))
        for k, point in enumerate(points):
            way = self._way(self.centre, point)
            places[k] = inverse @ (d @ way)
            distances[k] = np.linalg.norm(way - places[k] @ d)
        return places, distances

    def apart(self, a: Floats, b: Floats) -> float:
        """How far two points (size,) are from each other."""
        return float(np.linalg.norm(self._way(a, b)))

    def _way(self, a: Floats, b: Floats) -> Floats:
        """From a to b, in float64; running statistics do not move."""
        way = b.astype(np.float64) - a
        for place in self.statistics:
            way[place] = 0.0
        return way


def main_plane(network: Network, paths: Sequence[Floats], seed: int, frozen: frozenset[int] = frozenset()) -> Plane:
    """The plane through the end of the first path that lies closest to the points of all paths.

    With the points θ_r as rows θ_r − θ_end of A, each weighted so that every path counts alike, d_1 and d_2 are the two
    main directions: the eigenvectors of Aᵀ A with the largest eigenvalues λ, found by the small matrix A Aᵀ = Q Λ Qᵀ as
    d = Aᵀ q / √λ. Of the variance of the paths about that end a direction holds the share λ / Σ λ, and what the two do
    not hold is the mean square of the points' distances from the plane. Both have length 1, so that u and v are lengths
    in the space of parameters. Where the points lie on a line, or all at one place, the missing directions are drawn.

    Args:
        network: whose parameters they are.
        paths: points (k, size) of each, the last of the first path being the centre.
        seed: of directions that must be drawn.
        frozen: dense layers that do not move, by their numbers.

    Source: Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural nets",
    arXiv:1712.09913, section 7.

    Example:
        >>> network = Network.mlp(2, 1, output="identity", seed=0, dtype="float64")
        >>> plane = main_plane(network, [np.array([[3.0, 4.0, 0.0], [3.0, 1.0, 0.0], [0.0, 0.0, 0.0]])], 0)
        >>> plane.drawn, round(sum(plane.shares), 12)
        (0, 1.0)
    """
    centre = paths[0][-1].astype(np.float64)
    gram = _gram(paths, centre, network.statistics)
    values, vectors = np.linalg.eigh(gram)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    total, directions = float(values.sum()), np.zeros((2, centre.size))
    held = [k for k in range(min(2, len(values))) if values[k] > _FLAT * values[0]]
    weights = [np.full(len(points), len(points) ** -0.5) for points in paths]
    for k in held:
        shares = vectors[:, k] * np.concatenate(weights) / np.sqrt(values[k])
        _add_up(directions[k], paths, centre, shares)
    shares_held = [float(values[k]) / total if k in held else 0.0 for k in range(2)]
    plane = Plane(centre, directions, network.statistics, (shares_held[0], shares_held[1]), 2 - len(held))
    if plane.drawn:
        _fill(plane, network, seed, frozen)
    _turn(plane, paths[0])
    return plane


def random_plane(network: Network, paths: Sequence[Floats], seed: int, frozen: frozenset[int] = frozenset()) -> Plane:
    """The plane through the end of the first path along two random, filter-normalised directions.

    Normal draws; each unit's row of W is scaled to the length of the network's own row, and everything else stays as it
    is. So u = 1 changes every unit by as much as the unit itself is, and landscapes of networks whose weights have
    other sizes can be compared.

    Args:
        network: whose parameters they are.
        paths: points (k, size) of each.
        seed: of the draws.
        frozen: dense layers that do not move, by their numbers.

    Source: Li and others 2018, arXiv:1712.09913, section 4.
    """
    centre = paths[0][-1].astype(np.float64)
    directions = np.stack([filter_normalised(network, centre, seed, k, frozen) for k in range(2)])
    plane = Plane(centre, directions, network.statistics, (0.0, 0.0), 2)
    missed = []  # the mean squared distance from the point, from the line and from the plane
    for count in range(3):
        among = replace(plane, directions=directions * (np.arange(2) < count)[:, None])
        missed.append(sum(float(np.mean(among.project(points)[1] ** 2)) for points in paths))
    if not missed[0]:
        return plane
    return replace(plane, shares=((missed[0] - missed[1]) / missed[0], (missed[1] - missed[2]) / missed[0]))


def filter_normalised(network: Network, params: Floats, seed: int, number: int, frozen: frozenset[int]) -> Floats:
    """A random direction (size,) whose rows of W are as long as those of the parameters, and 0 elsewhere.

    Example:
        >>> network = Network.mlp(2, 3, 2, seed=0)
        >>> direction = filter_normalised(network, network.params, 0, 0, frozenset())
        >>> bool(np.allclose(np.linalg.norm(direction[:6].reshape(3, 2), axis=1),
        ...                  np.linalg.norm(network.layers[0].W, axis=1)))
        True
    """
    direction = np.zeros(params.size)
    for index, dense, place in network.dense_layers():
        if index in frozen:
            continue
        W = slice(place.start, place.start + dense.units * dense.incoming)
        rows = normals(seed, Purpose.DIRECTIONS, W.stop - W.start, place=(number, index)).reshape(dense.units, -1)
        own = np.linalg.norm(params[W].astype(np.float64).reshape(dense.units, -1), axis=1)
        direction[W] = (rows * (own / np.linalg.norm(rows, axis=1))[:, None]).reshape(-1)
    return direction


def _gram(paths: Sequence[Floats], centre: Floats, statistics: tuple[slice, ...]) -> Floats:
    """A Aᵀ in float64, some columns at a time; running statistics left out."""
    count = sum(map(len, paths))
    gram = np.zeros((count, count))
    for start in range(0, centre.size, _BLOCK):
        block = _rows(paths, centre, slice(start, start + _BLOCK))
        for place in statistics:
            block[:, max(place.start - start, 0) : max(place.stop - start, 0)] = 0.0
        gram += block @ block.T
    weights = np.concatenate([np.full(len(points), len(points) ** -0.5) for points in paths])
    weighted: Floats = gram * np.outer(weights, weights)
    return weighted


def _rows(paths: Sequence[Floats], centre: Floats, columns: slice) -> Floats:
    return np.concatenate([points[:, columns].astype(np.float64) for points in paths]) - centre[columns]


def _add_up(out: Floats, paths: Sequence[Floats], centre: Floats, shares: Floats) -> None:
    """Write the sum of the points' ways from the centre, each times its share, into `out` (size,)."""
    for start in range(0, centre.size, _BLOCK):
        columns = slice(start, start + _BLOCK)
        out[columns] = shares @ _rows(paths, centre, columns)


def _fill(plane: Plane, network: Network, seed: int, frozen: frozenset[int]) -> None:
    """Draw the directions that the paths do not have, at right angles to those that they have and of their length 1."""
    for k in range(2 - plane.drawn, 2):
        drawn = filter_normalised(network, plane.centre, seed, k, frozen)
        for other in plane.directions[:k]:
            square = float(other @ other)
            drawn -= (drawn @ other) / square * other if square else 0.0
        length = float(np.linalg.norm(drawn)) if plane.drawn == 1 else 1.0
        plane.directions[k] = drawn / (length or 1.0)


def _turn(plane: Plane, points: Floats) -> None:
    """Choose the directions' signs, which are free: the path begins at the left, and its way bends upwards."""
    places, _ = plane.project(points)
    if places[0, 0] > 0:
        plane.directions[0] *= -1.0
    bend = places[np.abs(places[:, 1]).argmax(), 1]
    if bend < 0:
        plane.directions[1] *= -1.0
