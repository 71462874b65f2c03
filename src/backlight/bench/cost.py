"""How the cost of a step grows with the network, and what a gradient costs beside a forward pass."""

from statistics import median
from typing import Any, Final

import numpy as np

from backlight.bench.data import CLASSES
from backlight.bench.systems.learner import Job
from backlight.bench.systems.with_backlight import BacklightLearner, session_for
from backlight.bench.workloads import Workload
from backlight.racing.costs import passes, square_widths
from backlight.racing.timing import interleaved

PARAMETERS: Final = tuple(10**power for power in range(3, 8))
_ROWS: Final = 4096
_BATCH: Final = 100
_SECONDS: Final = 0.05


def square_workload(parameters: int) -> Workload:
    """A network w-w-w-10, ReLU and cross-entropy, of about so many parameters: 2 w (w + 1) + 10 (w + 1).

    Example:
        >>> square_workload(10_000).widths, square_workload(10_000).network().params.size
        ((68, 68, 68, 10), 10074)
    """
    return Workload(f"{parameters:,}", square_widths(parameters, CLASSES), "relu", "softmax", _BATCH)


def cost_of(parameters: int, rounds: int, threads: int) -> dict[str, Any]:
    """The time of a step, of a gradient with its losses, and of the losses alone, all on the same batch size.

    Args:
        parameters: about how many the network has.
        rounds: how often each is timed, in turn.
        threads: for the engine.
    """
    workload = square_workload(parameters)
    draws = np.random.default_rng(0)
    x = draws.random((_ROWS, workload.widths[0]), np.float32)
    job = Job(workload, x, draws.integers(0, 10, _ROWS), threads)
    network = workload.network()
    session, learner = session_for(job, network), BacklightLearner(job)
    times = interleaved({"step": learner.advance, **passes(session, job.order[:_BATCH])}, rounds, _SECONDS)
    us = {name: 1e6 * median(seconds) for name, seconds in times.items()}
    return {
        "parameters": int(network.params.size),
        "widths": list(workload.widths),
        **{f"{name}_us": round(value, 2) for name, value in us.items()},
        "gradient_over_forward": round(us["gradient"] / us["forward"], 3),
        "gflops": round(workload.flops_per_step / us["step"] / 1e3, 1),
    }
