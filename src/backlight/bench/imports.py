"""How long `import backlight` takes, beside `import numpy`, each in a fresh interpreter."""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

STATEMENTS: Final = (
    "import numpy",
    "import backlight",
    "from backlight import Network, Trainer",
)
"""The first is what the others are compared with."""


@dataclass(frozen=True)
class ImportTime:
    """The time of one statement.

    Attributes:
        statement: what was run.
        seconds: the median over rounds, less that of an interpreter that does nothing.
        ratio: the median over rounds of its time to that of the first statement in the same round.
    """

    statement: str
    seconds: float
    ratio: float


def measure_imports(rounds: int = 15) -> list[ImportTime]:
    """Run every statement once a round, in turn, so that a slow moment of the machine hits all of them alike.

    Args:
        rounds: how many rounds; one more goes before them, to fill the disk's cache.
    """
    times = [[_run(statement) for statement in ("pass", *STATEMENTS)] for _ in range(rounds + 1)][1:]
    nothing = statistics.median(row[0] for row in times)
    found = []
    for k, statement in enumerate(STATEMENTS, start=1):
        seconds = statistics.median(row[k] for row in times) - nothing
        ratio = statistics.median((row[k] - row[0]) / (row[1] - row[0]) for row in times)
        found.append(ImportTime(statement, seconds, ratio))
    return found


def _run(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", statement], check=True)  # noqa: S603 - our own statements
    return time.perf_counter() - start
