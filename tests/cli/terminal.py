"""The command line, called in this process as a terminal would call it; and data to call it with."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backlight.cli import main

KINDS = ("red", "green", "blue")


@dataclass(frozen=True)
class Result:
    """What a command did.

    Attributes:
        code: its exit code.
        out: what it wrote to stdout.
        err: what it wrote to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content


def backlight(*arguments: str | Path) -> Result:
    """Run `backlight ARGUMENTS`; an exception that is no exit would be a traceback, and fails the test."""
    out, err = io.StringIO(), io.StringIO()
    before, code = sys.argv, 0
    sys.argv = ["backlight", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.argv = before
    return Result(code, out.getvalue(), err.getvalue())


def refused(message: str, *arguments: str | Path) -> None:
    """A command must end with one clear sentence: exit code 2, nothing on stdout, no traceback, no run."""
    result = backlight(*arguments)
    assert message in result.err
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


def refused_in_one_line(message: str, *arguments: str | Path) -> None:
    """As `refused`, and the sentence stands alone."""
    refused(message, *arguments)
    assert backlight(*arguments).err.count("\n") == 1


def write_table(path: Path, count: int = 60, *, offset: float = 0.0) -> None:
    """A table that is easy to learn: the colour follows from `length`; `size` is a quantity, `count` is 0 or more."""
    numbers = np.random.default_rng(0).random(count)
    lines = [
        f"{k / count:.3f},{'round' if numbers[k] < 0.5 else 'square'},{KINDS[3 * k // count]},"
        f"{10 * k / count + offset:.3f},{int(40 * k / count)}"
        for k in range(count)
    ]
    path.write_text("\n".join(["length,shape,kind,size,count", *lines]) + "\n")


INPUTS_OF_KIND = "length,shape,size,count"


def write_arrays(path: Path, **arrays: Any) -> None:
    """An `.npz` file with `x` of two columns and two classes, or with what is given."""
    x = np.random.default_rng(1).normal(size=(40, 2))
    content: dict[str, Any] = {"x": x, "y": (x[:, 0] > 0).astype(np.int64), **arrays}
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
