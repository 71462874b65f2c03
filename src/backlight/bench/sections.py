"""Everything that is measured, section by section."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from backlight.bench import memory, recording
from backlight.bench.accuracy import MOST_SEEDS, measure_accuracy
from backlight.bench.augmenting import measure_augmenting
from backlight.bench.commands import measure_commands
from backlight.bench.cost import PARAMETERS
from backlight.bench.data import write_examples
from backlight.bench.explaining import measure_explaining
from backlight.bench.imports import measure_imports
from backlight.bench.labels import measure_labels
from backlight.bench.large import measure_large
from backlight.bench.machine import machine
from backlight.bench.processes import WorkerFailedError, WorkerProcess
from backlight.bench.real_data import REAL_DATA, RealData
from backlight.bench.systems import BACKLIGHT, PEERS
from backlight.bench.training import measure_training
from backlight.bench.workloads import WORKLOADS, Workload
from backlight.errors import InputError, nearest, whole_number

SPEED: Final = ("training", "examples", "augment", "cost", "memory", "commands", "explaining", "imports")
"""The sections that are measured unless others are asked for."""

SECTIONS: Final = (*SPEED, "large", "labels", "accuracy")
TABLES: Final = tuple(data for data in REAL_DATA.values() if not data.name.endswith("mnist"))
"""What scores are compared on unless other data are asked for: the two large sets of images take peers much longer."""

LEAST_ROUNDS: Final = 7
"""As many as the documentation's figures rest on."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured, and how.

    Args:
        sections: of `SECTIONS`.
        workloads: on what training, recording and memory are measured.
        rounds: how many; slow sections take fewer.
        threads: for every system.
        data: what scores are compared on.

    Raises:
        InputError: a number is below 1.
    """

    sections: Sequence[str] = SPEED
    workloads: Sequence[Workload] = tuple(WORKLOADS.values())
    rounds: int = LEAST_ROUNDS
    threads: int = 2
    data: Sequence[RealData] = TABLES

    def __post_init__(self) -> None:
        whole_number("rounds", self.rounds, 1)
        whole_number("threads", self.threads, 1)


def sections_named(names: str) -> list[str]:
    """The sections of a list such as "training,cost".

    Raises:
        InputError: there is no such section.

    Example:
        >>> sections_named("cost, training")
        ['cost', 'training']
    """
    found = [name.strip() for name in names.split(",")]
    for name in found:
        if name not in SECTIONS:
            raise InputError(f"there is no section {name!r}; {nearest(name, list(SECTIONS))}")
    return found


def measure(
    plan: Plan, say: Callable[[str], None], show: Callable[[str, Mapping[str, Any]], None] = lambda section, row: None
) -> dict[str, Any]:
    """Measure, and return plain data: the machine, what is missing, and a list of rows per section.

    Ctrl-C ends it; what has been measured by then is returned, with `interrupted`.

    Args:
        plan: what is to be measured.
        say: is told how it goes on.
        show: is given each row of a section as soon as it is measured.

    Raises:
        BacklightError: something that must be measured could not be.
    """
    found: dict[str, Any] = {
        "machine": machine(),
        "threads": plan.threads,
        "rounds": plan.rounds,
        "missing": {system.key: why for system in PEERS if (why := system.obstacle()) is not None},
    }
    measures: dict[str, Callable[[Plan, Path, Callable[[str], None]], Iterable[dict[str, Any]]]] = {
        "training": _training,
        "examples": _examples,
        "augment": lambda plan, _, say: [t.as_dict() for t in measure_augmenting(plan.rounds, plan.threads)],
        "cost": _cost,
        "memory": _memory,
        "commands": lambda plan, _, say: measure_commands(min(plan.rounds, 3), plan.threads, say),
        "explaining": lambda plan, _, say: _plain(measure_explaining(min(plan.rounds, 5))),
        "imports": lambda plan, _, say: _plain(measure_imports(2 * plan.rounds + 1)),
        "large": lambda plan, folder, say: measure_large(
            folder, rounds=min(plan.rounds, 3), threads=plan.threads, say=say
        ),
        "labels": lambda plan, folder, say: measure_labels(
            folder, seeds=min(plan.rounds, MOST_SEEDS), threads=plan.threads, say=say
        ),
        "accuracy": lambda plan, folder, say: measure_accuracy(
            plan.data, folder, seeds=min(plan.rounds, MOST_SEEDS), threads=plan.threads, say=say
        ),
    }
    with tempfile.TemporaryDirectory() as name, suppress(KeyboardInterrupt):
        folder = Path(name)
        found["interrupted"] = True
        if {"training", "examples", "memory"} & set(plan.sections):
            write_examples(folder)
        for section in (section for section in SECTIONS if section in plan.sections):
            say(section)
            rows = found["workloads" if section == "training" else section] = []
            for row in measures[section](plan, folder, say):
                rows.append(row)
                show(section, row)
        del found["interrupted"]
    return found


def _plain(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [asdict(record) for record in records]


def _training(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for workload in plan.workloads:
        yield measure_training(workload, folder, rounds=plan.rounds, threads=plan.threads, say=say).as_dict()


def _examples(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for name in (workload.name for workload in plan.workloads if workload.name in recording.RECORDED):
        yield recording.told(name, *(_norms(plan, folder, key, name) for key in recording.SYSTEMS))


def _norms(plan: Plan, folder: Path, system: str, workload: str) -> dict[str, Any]:
    """Nothing where the system is missing or fails."""
    obstacles = {peer.key: peer.obstacle() for peer in PEERS}
    if system != BACKLIGHT.key and obstacles["pytorch"] is not None:
        return {}
    try:
        with WorkerProcess(folder, plan.threads) as worker:
            return worker.ask("norms", system=system, workload=workload, rounds=plan.rounds)
    except WorkerFailedError:
        if system == BACKLIGHT.key:
            raise
        return {}


def _cost(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    with WorkerProcess(folder, plan.threads) as worker:
        for count in PARAMETERS:
            yield worker.ask("cost", parameters=count, rounds=plan.rounds)


def _memory(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """A fresh process for each workload; nothing where memory cannot be measured."""
    if (why := memory.obstacle()) is not None:
        say(why)
        return
    for workload in plan.workloads:
        with WorkerProcess(folder, plan.threads) as worker:
            yield worker.ask("memory", workload=workload.name)
