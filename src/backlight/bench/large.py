"""A table that is better not held in memory: how fast it is read beside DuckDB's own scan, and what training takes."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, Final

from backlight.bench.processes import WorkerProcess
from backlight.errors import BacklightError

ROWS: Final = 10_000_000
TARGET: Final = "y"
_NUMBERS: Final = 24
_LOOK_SECONDS: Final = 0.1


def write_table(path: Path, rows: int) -> None:
    """Write comma-separated rows: 26 columns of numbers, one of them with holes, 2 of words, a date, and classes."""
    import duckdb

    numbers = ", ".join(f"round(random() * {10 ** (k % 4)}, 4) as x{k}" for k in range(_NUMBERS))
    others = (
        "['red', 'green', 'blue', 'black'][1 + (random() * 4)::int % 4] as colour, (random() * 100)::int as age, "
        "['n', 's', 'e', 'w'][1 + (random() * 4)::int % 4] as wind, "
        "date '2020-01-01' + (random() * 1000)::int as day, "
        "case when random() < 0.05 then null else round(random(), 3) end as gap"
    )
    classes = f"(x0 * 3 + x1 > 6)::int + (colour = 'red')::int as {TARGET}"
    with duckdb.connect() as connection:
        connection.execute("select setseed(0.5)")
        table = f"select *, {classes} from (select {numbers}, {others} from range({rows}))"  # noqa: S608 - ours alone
        connection.execute(f"copy ({table}) to '{path}' (header, delimiter ',')")


def scan_seconds(path: Path, threads: int) -> float:
    """What DuckDB takes to read every cell of a file: the sum, or the largest, of each column."""
    import duckdb

    with duckdb.connect(config={"threads": threads}) as connection:
        file = f"read_csv('{path}')"
        start = time.perf_counter()
        described = connection.execute(f"describe select * from {file}").fetchall()  # noqa: S608 - likewise
        wanted = ", ".join(
            f'{"max" if kind in ("VARCHAR", "DATE") else "sum"}("{name}")' for name, kind, *_ in described
        )
        connection.execute(f"select {wanted} from {file}").fetchall()  # noqa: S608 - likewise
        return time.perf_counter() - start


def read_seconds(path: Path) -> dict[str, float]:
    """What Backlight takes to read every cell into its compact copy, and for all that goes before training."""
    from backlight.data import load
    from backlight.data.tables.options import TableOptions
    from backlight.data.tables.reading import LARGE, read_table
    from backlight.data.tables.stored_columns import StoredColumns
    from backlight.data.tables.table import Table

    start = time.perf_counter()
    with Table(path, (TARGET,), None, most_bytes=LARGE) as table:
        columns = read_table(table, (TARGET,), None, TableOptions()).columns
        read = time.perf_counter() - start
        if isinstance(columns, StoredColumns):
            columns.close()
    start = time.perf_counter()
    load(path, target=TARGET)
    return {"read": read, "load": time.perf_counter() - start}


def peak_of(command: list[str]) -> int:
    """The most memory that a command holds at once, in bytes, pages of mapped files included; from /proc.

    Raises:
        BacklightError: it failed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        with suppress(OSError):
            found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(encoding="ascii"), re.MULTILINE)
            peak = max(peak, 1024 * int(found[1])) if found else peak
        time.sleep(_LOOK_SECONDS)
    if process.returncode:
        raise BacklightError(f"a command failed: {' '.join(command)}")
    return peak


def measure_large(
    folder: Path, *, rounds: int, threads: int, say: Callable[[str], None], rows: int = ROWS
) -> Iterator[dict[str, Any]]:
    """Read a large table by both, in turn, and train on it for one epoch; nothing where that cannot be measured.

    Args:
        folder: where there is room for it.
        rounds: how often it is read; the medians are told.
        threads: for both.
        say: is told how it goes on.
        rows: how many.
    """
    if not Path("/proc/self/status").exists():
        say("peak memory is read from /proc, which this system does not have")
        return
    path = folder / "large.csv"
    say(f"large: writing {rows:,} rows")
    write_table(path, rows)
    seconds: dict[str, list[float]] = {"scan": [], "read": [], "load": []}
    for number in range(rounds):
        say(f"large: round {number + 1} of {rounds}")
        for question in ("large_scan", "large_read"):
            with WorkerProcess(folder, threads) as worker:
                for key, taken in worker.ask(question, path=str(path)).items():
                    seconds[key].append(taken)
    say("large: training")
    words = ["train", str(path), "--target", TARGET, "--epochs", "1", "--threads", str(threads)]
    peak = peak_of([sys.executable, "-P", "-m", "backlight", *words, "--out", str(folder / "large-run")])
    size = path.stat().st_size
    path.unlink()
    middle = {key: median(values) for key, values in seconds.items()}
    yield {
        "rows": rows,
        "columns": _NUMBERS + 6,
        "file_mb": round(size / 1e6, 1),
        **{f"{key}_seconds": round(value, 2) for key, value in middle.items()},
        "scan_over_read": round(median(s / r for s, r in zip(seconds["scan"], seconds["read"], strict=True)), 3),
        "peak_mb": round(peak / 1e6, 1),
    }
