"""`python -m backlight.bench.worker FOLDER THREADS`: one system at work in a process of its own.

It reads requests from stdin and answers on stdout, one JSON object a line each.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from backlight.bench.cost import cost_of
from backlight.bench.data import read_examples
from backlight.bench.large import read_seconds, scan_seconds
from backlight.bench.machine import keep_to_cores
from backlight.bench.memory import memory_of
from backlight.bench.recording import norms_of
from backlight.bench.scored import scored
from backlight.bench.systems import Job, open_learner, seconds_for, steps_within
from backlight.bench.workloads import WORKLOADS

CHECKED_STEPS: Final = 5
_CHECKED_ROWS: Final = 1000


class Worker:
    """What a process can be asked.

    Args:
        folder: where the examples are.
        threads: how many threads may work.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder, self._threads = folder, threads

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request: `do` names the method, the rest are its arguments."""
        arguments = {name: value for name, value in request.items() if name != "do"}
        found: dict[str, Any] = getattr(self, "do_" + request["do"])(**arguments)
        return found

    def _job(self, workload: str) -> Job:
        return Job(WORKLOADS[workload], *read_examples(self._folder), self._threads)

    def do_open(self, system: str, workload: str, seconds: float) -> dict[str, Any]:
        """Begin a workload: compile, find out how many steps take so many seconds, and say what the steps compute."""
        job = self._job(workload)
        self._learner = learner = open_learner(system, job)
        learner.restart()
        learner.advance(CHECKED_STEPS)
        objective, params = None, learner.params()
        if params is not None:
            network = job.workload.network()
            network.params[...] = params
            trace = network.forward(job.x[:_CHECKED_ROWS])
            losses = network.backward(trace, job.y[:_CHECKED_ROWS], job.workload.loss).losses
            objective = float(losses.mean())
        steps = steps_within(learner, seconds)
        flops = getattr(learner, "flops_per_step", job.workload.flops_per_step)
        return {"form": learner.form, "objective": objective, "steps": steps, "flops_per_step": flops}

    def do_steps(self, steps: int) -> dict[str, Any]:
        """Take steps."""
        return {"seconds": seconds_for(self._learner, steps)}

    def do_cost(self, parameters: int, rounds: int) -> dict[str, Any]:
        """What a step and a gradient cost."""
        return cost_of(parameters, rounds, self._threads)

    def do_memory(self, workload: str) -> dict[str, Any]:
        """How much memory training takes."""
        return memory_of(self._job(workload))

    def do_norms(self, system: str, workload: str, rounds: int) -> dict[str, Any]:
        """What per-example gradient norms cost."""
        return norms_of(system, self._job(workload), rounds)

    def do_large_scan(self, path: str) -> dict[str, float]:
        """What DuckDB takes to read a large table."""
        return {"scan": scan_seconds(Path(path), self._threads)}

    def do_large_read(self, path: str) -> dict[str, float]:
        """What Backlight takes to read it."""
        return read_seconds(Path(path))

    def do_score(self, place: str, target: str | None, seed: int, chosen: Mapping[str, str]) -> dict[str, Any]:
        """What Backlight and its peers say about the test part of a data set."""
        return scored(place, target, seed, self._threads, chosen)


def serve(worker: Worker, requests: TextIO, answers: TextIO) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        answers.write(json.dumps(worker.answer(json.loads(line))) + "\n")
        answers.flush()


def main() -> None:
    """Serve; what libraries print goes to stderr, so that stdout holds answers alone."""
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    keep_to_cores(threads)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(Worker(folder, threads), sys.stdin, answers)


if __name__ == "__main__":
    main()
