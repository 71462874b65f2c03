"""The surface of the cost within a plane: measured everywhere, with the first layer's work done once."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine import Examples, RowSource
from backlight.explanation.landscapes.cost import Cost
from backlight.explanation.landscapes.plane import Plane
from backlight.explanation.landscapes.walks import Told, quiet
from backlight.network import Dense, Network
from backlight.network.layers import layer_from_dict
from backlight.processors import processors

_WHAT: Final = "measuring the surface"
_CACHED: Final = 1 << 20
"""How many pre-activations are measured at once: few enough to stay near the processor, many enough for a call."""
_LOOK: Final = 0.1


def surface(cost: Cost, plane: Plane, places: Floats, told: Told = quiet) -> Floats:
    """The costs (m,) at places (m, 2) of a plane, every one measured over all examples.

    In a plane the first layer's pre-activations are linear: z(u, v) = z_c + u z_1 + v z_2, with z_c those of the centre
    and z_k = x W_kᵀ + b_k those of its directions. So the products with the inputs are made once, and a place is
    measured by the network behind them, which is given z. Where the first layer has no fewer units than inputs, that
    saves nothing, and places are measured as they are.

    Args:
        cost: what is measured.
        plane: where.
        places: u and v of each (m, 2).
        told: called as it goes on.

    Example:
        >>> from backlight import Network, Trainer
        >>> from backlight.explanation.landscapes.plane import random_plane
        >>> network = Network.mlp(3, 2, 2, seed=0, dtype="float64")
        >>> cost = Cost(Trainer(network).start(np.eye(3), np.array([0, 1, 1])))
        >>> plane = random_plane(network, [network.params[None]], 0)
        >>> found = surface(cost, plane, np.array([[0.5, -1.0]]))
        >>> bool(abs(found[0] - cost.at(plane.at(0.5, -1.0))) < 1e-12)
        True
    """
    first = cost.network.layers[0]
    assert isinstance(first, Dense)
    if first.units < first.incoming:
        return _behind_the_first_layer(cost, plane, places, told)
    costs = np.empty(len(places))
    for k, (u, v) in enumerate(places.tolist()):
        costs[k] = cost.at(plane.at(u, v))
        told(_WHAT, k + 1, len(places))
    return costs


class _Worker:
    """A network like the one that is measured, whose inputs are its first layer's pre-activations.

    Its first layer has the identity for its weights, so that it is a network as engines know it.
    """

    def __init__(self, cost: Cost, plane: Plane) -> None:
        first, *others = cost.network.layers
        assert isinstance(first, Dense)
        self.cost, self.plane, self.behind = cost, plane, first.size
        layers = [Dense(first.units, first.units), *(layer_from_dict(layer.to_dict()) for layer in others)]
        self.network = Network(layers, seed=None, dtype=cost.dtype)
        own = self.network.layers[0]
        assert isinstance(own, Dense)
        own.W[...] = np.eye(first.units)
        self.others = self.network.params[own.size :]
        self.session, self.done = cost.session(self.network, 1), 0

    def measure(self, z: Sequence[Floats], y: Array, rows: Ints, places: Floats, stop: threading.Event) -> Floats:
        """The weighted sums of the losses of rows at places (m, 2); z are z_c, z_1 and z_2 of the rows."""
        here, line, sums = np.empty_like(z[0]), np.empty_like(z[0]), np.zeros(len(places))
        examples, at = Examples(RowSource(here), y), None
        for k, (u, v) in enumerate(places.tolist()):
            if stop.is_set():
                break
            if v != at:  # neighbours in a grid share it
                np.add(np.multiply(z[2], v, out=line), z[0], out=line)
                at = v
            np.add(np.multiply(z[1], u, out=here), line, out=here)
            self.others[...] = self.plane.at(u, v, self.behind)
            sums[k] = self.cost.weighted(self.session.losses(examples)[0], rows)
            self.done += len(rows)
        return sums


def _behind_the_first_layer(cost: Cost, plane: Plane, places: Floats, told: Told) -> Floats:
    """Every thread measures places of its own, so that none waits for another."""
    count = max(1, min(cost.threads or processors(), processors(), len(places)))
    workers, totals, stop = [_Worker(cost, plane) for _ in range(count)], np.zeros(len(places)), threading.Event()
    numbers = max(_CACHED, 4 * workers[0].others.size)
    with ThreadPoolExecutor(count) as pool:
        try:
            for rows in cost.chunks(workers[0].network.inputs, numbers):
                z, y = _first_layer(cost, plane, rows), cost.examples.targets(rows, cost.dtype)
                jobs = [
                    pool.submit(worker.measure, z, y, rows, places[k::count], stop) for k, worker in enumerate(workers)
                ]
                while wait(jobs, _LOOK).not_done:
                    told(_WHAT, sum(worker.done for worker in workers), len(places) * len(cost.rows))
                for k, job in enumerate(jobs):
                    totals[k::count] += job.result()
        except BaseException:
            stop.set()
            raise
    costs: Floats = totals / len(cost.rows)
    if cost.objective.l1 or cost.objective.l2:
        costs += [cost.penalty(plane.at(u, v)) for u, v in places.tolist()]
    return costs


def _first_layer(cost: Cost, plane: Plane, rows: Ints) -> list[Floats]:
    """The first layer's z (m, j) of rows, for the centre and for both directions, computed in float64."""
    source, first = cost.examples.source, cost.network.layers[0]
    assert isinstance(first, Dense)
    units, x = first.units, np.empty((len(rows), source.width), np.float64)
    source.gather(rows, np.empty((0, 0) if source.dtype == x.dtype else x.shape, source.dtype), x)
    found = []
    for params in (plane.centre, *plane.directions):
        W, b = params[: first.size - units].reshape(units, -1), params[first.size - units : first.size]
        found.append((x @ W.T + b).astype(cost.dtype))
    return found
