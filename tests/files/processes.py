"""Commands in processes of their own, which can be killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from backlight.files import Run

# Two checkpoints a second instead of one every two seconds: more happens between them in a short run. And Ctrl-C is
# heard though a shell that runs the tests in the background has it ignored.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "import backlight.files.conduct as c; c._CHECKPOINT_SECONDS = 0.5; from backlight.cli import main; main()"
)


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def interrupted(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes]:
    """Send Ctrl-C to a command, which must end within so many seconds; what it wrote."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=seconds)
    finally:
        process.kill()


def run_to_end(*arguments: str | Path) -> float:
    """Run a command; how long it took."""
    begun = time.monotonic()
    process = start(*arguments)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    return time.monotonic() - begun


def kill_after(seconds: float, *arguments: str | Path) -> bool:
    """Kill a command after a while; False if it had ended before."""
    process = start(*arguments)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        return True
    assert process.returncode == 0
    return False


def wait_for_epochs(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Wait until a run's history has so many lines, or its process has ended."""
    history, deadline = folder / "history.jsonl", time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if history.exists() and history.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)


def kill_after_epochs(folder: Path, count: int, seconds: float, *arguments: str | Path) -> bool:
    """Kill a command a while after its history has so many lines; False if it had ended before."""
    process = start(*arguments)
    wait_for_epochs(process, folder, count)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def kill_when_there_is(path: Path, *arguments: str | Path) -> None:
    """Kill a command as soon as a file exists."""
    process, deadline = start(*arguments), time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, f"the command ended, and there is no {path}"
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.001)
    process.kill()
    process.communicate()


def next_command(folder: Path, train: tuple[str | Path, ...]) -> tuple[str | Path, ...] | None:
    """What a user would do now: resume; begin again, without --force, where nothing is there yet; or nothing."""
    if not (folder / "run.json").exists():
        return train
    return ("train", "--resume", folder) if Run.open(folder).ended is None else None
