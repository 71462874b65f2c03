"""How long a replay takes, said beforehand."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from backlight.files import Run
from backlight.files.run import TIMING


def replay_seconds(run: Run | Path | str, last: int, first: int | None = None) -> float | None:
    """About how long it takes to replay a run, by the time that its epochs took; None if that is not known.

    Args:
        run: a run or its folder.
        last: the step up to which it is replayed, from the checkpoint where that lies before, else from the seed.
        first: the step from which on every step is opened, which takes the time of each a second time.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    first = last if first is None else first
    lines = _timing(run.folder / TIMING)
    pace = [
        (seconds - earlier) / (step - before)
        for (before, earlier), (step, seconds) in pairwise(lines)
        if step > before and seconds > earlier  # seconds begin anew where a run was resumed
    ]
    if not pace:
        return None
    checkpoint = run.checkpoint()
    start = checkpoint.step if checkpoint is not None and checkpoint.step <= first else 0
    return float(np.median(pace)) * ((last - start) + (last - first))


def _timing(path: Path) -> list[tuple[int, float]]:
    """Steps and seconds, up to a line that was cut short."""
    found: list[tuple[int, float]] = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
            found.append((int(record["step"]), float(record["seconds"])))
        except (ValueError, TypeError, KeyError):
            break
    return found
