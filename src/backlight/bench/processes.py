"""Processes that are asked to measure: started, asked one at a time, and ended."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from backlight.bench.machine import thread_settings
from backlight.errors import BacklightError

_QUIET_SECONDS: Final = 0.25
_LEAVING_SECONDS: Final = 5.0


class WorkerFailedError(BacklightError):
    """A process that measures has failed; the message is the last that it said."""


class WorkerProcess:
    """A `backlight.bench.worker` in a process of its own, ended with the `with` block.

    Args:
        folder: where the examples are.
        threads: how many threads it may use.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - see __exit__
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "backlight.bench.worker", str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            encoding="utf-8",
            env=os.environ | thread_settings(threads),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait(timeout=0 if kind else _LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Ask, and wait for the answer.

        Raises:
            WorkerFailedError: the process ended instead of answering.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        time.sleep(_QUIET_SECONDS)  # until the threads of the one that worked before have gone to sleep
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerFailedError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        return lines[-1] if lines else f"it ended with exit code {self._process.returncode}"
