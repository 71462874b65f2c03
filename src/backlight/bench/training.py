"""Microseconds per training step, of Backlight and its peers, interleaved."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from backlight.bench.processes import WorkerFailedError, WorkerProcess
from backlight.bench.systems import BACKLIGHT, PEAK, PEERS, System
from backlight.bench.workloads import Workload

_TIMING_SECONDS: Final = 0.3
_AGREEMENT: Final = 1e-3


@dataclass(frozen=True)
class Measured:
    """What one workload took.

    Attributes:
        workload: which.
        seconds: per step, of each system by its key, one number per round.
        forms: in which of its own ways each system did it.
        peak: floating-point operations per second of the largest product, one number per round.
        left_out: systems that were not measured, by key, and why.
    """

    workload: Workload
    seconds: Mapping[str, Sequence[float]]
    forms: Mapping[str, str]
    peak: Sequence[float]
    left_out: Mapping[str, str]

    def over_backlight(self) -> dict[str, float]:
        """Each peer's median over Backlight's."""
        own = median(self.seconds[BACKLIGHT.key])
        return {key: median(times) / own for key, times in self.seconds.items() if key != BACKLIGHT.key}

    def over_backlight_per_round(self) -> dict[str, list[float]]:
        """Each peer's time over Backlight's in the same round."""
        own = self.seconds[BACKLIGHT.key]
        return {
            key: [theirs / ours for theirs, ours in zip(times, own, strict=True)]
            for key, times in self.seconds.items()
            if key != BACKLIGHT.key
        }

    def share_of_peak(self) -> float:
        """Operations of the step per second, over those of the largest product."""
        return self.workload.flops_per_step / median(self.seconds[BACKLIGHT.key]) / median(self.peak)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, times in microseconds."""
        ratios = self.over_backlight()
        us = {key: round(1e6 * median(times), 2) for key, times in self.seconds.items()}
        return {
            "name": self.workload.name,
            "what": str(self.workload),
            "backlight_us": us[BACKLIGHT.key],
            "peers": {f"{key}_us": us[key] for key in ratios},
            "best_peer_over_backlight": round(min(ratios.values()), 3) if ratios else None,
            "share_of_peak": round(self.share_of_peak(), 4),
            "over_backlight": {key: round(ratio, 3) for key, ratio in ratios.items()},
            "over_backlight_per_round": {
                key: [round(ratio, 3) for ratio in rounds] for key, rounds in self.over_backlight_per_round().items()
            },
            "us_per_round": {key: [round(1e6 * s, 2) for s in rounds] for key, rounds in self.seconds.items()},
            "peak_gflops": round(median(self.peak) / 1e9, 1),
            "peak_gflops_per_round": [round(flops / 1e9, 1) for flops in self.peak],
            "forms": dict(self.forms),
            "left_out": dict(self.left_out),
        }


def measure_training(
    workload: Workload, folder: Path, *, rounds: int, threads: int, say: Callable[[str], None]
) -> Measured:
    """Measure one workload.

    Every system has a process of its own and compiles before the first round. In each round every system works once,
    for about a third of a second, while the others sleep; who begins changes from round to round.

    Args:
        workload: what is trained.
        folder: where the examples are.
        rounds: how many.
        threads: for every system.
        say: is told how it goes on.

    Raises:
        WorkerFailedError: Backlight or the product of matrices could not be measured.
    """
    left_out = {system.key: why for system in PEERS if (why := system.obstacle()) is not None}
    present = [system for system in (BACKLIGHT, PEAK, *PEERS) if system.key not in left_out]
    times: dict[str, list[float]] = {}
    opened: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        workers: dict[str, WorkerProcess] = {}
        for system in present:
            say(f"{workload.name}: {system.title} begins")
            worker = stack.enter_context(WorkerProcess(folder, threads))
            with _leaving_out(system, left_out):
                opened[system.key] = _opened(worker, system, workload, opened)
                workers[system.key], times[system.key] = worker, []
        for number in range(rounds):
            say(f"{workload.name}: round {number + 1} of {rounds}")
            turn = number % len(workers)
            for key in [*list(workers)[turn:], *list(workers)[:turn]]:
                steps = opened[key]["steps"]
                times[key].append(workers[key].ask("steps", steps=steps)["seconds"] / steps)
    peak = [opened[PEAK.key]["flops_per_step"] / seconds for seconds in times.pop(PEAK.key)]
    forms = {key: str(opened[key]["form"]) for key in times}
    return Measured(workload, times, forms, peak, left_out)


@contextmanager
def _leaving_out(system: System, left_out: dict[str, str]) -> Iterator[None]:
    """A peer that fails is left out, and it is said why."""
    try:
        yield
    except WorkerFailedError as error:
        if system not in PEERS:
            raise
        left_out[system.key] = str(error)


def _opened(
    worker: WorkerProcess, system: System, workload: Workload, opened: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Let a system begin, and check that its first steps compute what Backlight's do."""
    answer = worker.ask("open", system=system.key, workload=workload.name, seconds=_TIMING_SECONDS)
    theirs, ours = answer["objective"], opened.get(BACKLIGHT.key, answer)["objective"]
    if theirs is not None and not math.isclose(theirs, ours, rel_tol=_AGREEMENT):
        raise WorkerFailedError(f"its objective after the first steps is {theirs:.6g}, and Backlight's is {ours:.6g}")
    return answer
