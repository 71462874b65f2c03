"""How long explanations take, on MNIST or data of its shape, beside what they are compared with."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backlight.arrays import Array
from backlight.bench.data import images
from backlight.explanation import Weight, explain, open_moment, sensitivity, wishes_for_weight
from backlight.network import Network
from backlight.training import Trainer

WIDTHS: Final = (784, 512, 512, 10)


@dataclass(frozen=True)
class ExplainingTime:
    """The time of one kind of explanation.

    Attributes:
        what: in words.
        seconds: the median over rounds.
    """

    what: str
    seconds: float


def measure_explaining(rounds: int = 5) -> list[ExplainingTime]:
    """Explain one example, ask all examples about one weight, rank all weights, and train for one epoch.

    Args:
        rounds: how often each is measured; one time more goes before them. An epoch is measured once.
    """
    network = Network.mlp(*WIDTHS, seed=0)
    x, y = images()
    moment, weight = open_moment(network), Weight(0, 3, 400)
    return [
        ExplainingTime("explain one example", _median(lambda: explain(network, x[0], int(y[0])), rounds)),
        ExplainingTime(
            "60,000 examples' wishes for one weight",
            _median(lambda: wishes_for_weight(moment, x, y, weight), rounds),
        ),
        ExplainingTime("sensitivity over 60,000 examples", _median(lambda: sensitivity(moment, x, y), 1)),
        ExplainingTime("one training epoch, batch 100", _median(lambda: _epoch(x, y), 0)),
    ]


def _epoch(x: Array, y: Array) -> None:
    for _ in Trainer(Network.mlp(*WIDTHS, seed=0), epochs=1).run(x, y):
        pass


def _median(work: Callable[[], object], rounds: int) -> float:
    """The median of `rounds` timings after one that is not counted; of that one alone for 0 rounds."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:] or times)
