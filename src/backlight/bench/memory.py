"""How much memory training takes beside the data, the parameters and the optimizer's state."""

import ctypes
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from backlight.bench.systems.learner import Job
from backlight.bench.systems.with_backlight import session_for
from backlight.engine import Stretch

_STATUS: Final = Path("/proc/self/status")
_STEPS: Final = 3


def obstacle() -> str | None:
    """Why memory cannot be measured here; None if it can."""
    return None if _STATUS.exists() else "peak memory is read from /proc, which this system does not have"


def memory_of(job: Job) -> dict[str, Any]:
    """Open a session, take some steps, and see how much more memory this process has needed at its peak.

    To be asked in a fresh process.

    Args:
        job: what is trained. Its data and the network's parameters are in memory before.
    """
    workload, network = job.workload, job.workload.network()
    order = job.order
    _forget()
    before = _memory("VmRSS")
    session = session_for(job, network)
    session.advance(Stretch(order, workload.batch_size, 0, _STEPS, 0, 0, workload.lr))
    state = sum(array.nbytes for array in session.state.values())
    return {
        "name": workload.name,
        "beside_mb": round((_memory("VmHWM") - before - state) / 1e6, 2),
        "data_mb": round(job.x.nbytes / 1e6, 2),
        "parameters_mb": round(network.params.nbytes / 1e6, 2),
        "batch_mb": round(workload.batch_size * sum(workload.widths) * 4 / 1e6, 2),
    }


def _forget() -> None:
    """Give freed memory back to the system, and let the peak begin anew."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    (_STATUS.parent / "clear_refs").write_text("5", encoding="ascii")


def _memory(kind: str) -> int:
    """Bytes that this process holds now (VmRSS), or has held at its peak (VmHWM)."""
    found = re.search(rf"^{kind}:\s+(\d+) kB$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])
