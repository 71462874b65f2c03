"""The terminal: one short module per verb, no mathematics inside."""

import sys
from io import TextIOWrapper

from backlight.errors import BacklightError, InputError


def main() -> None:
    """Run the command line; a mistake in the input ends in one sentence and exit code 2, a failed job in 1."""
    from backlight.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no such character shows ?
    try:
        app()
    except InputError as error:
        _complain(error, 2)
    except BacklightError as error:
        _complain(error, 1)
    except MemoryError as error:
        _complain(f"there is not enough memory ({error}); give fewer units to --layers, or less data", 1)
    except OSError as error:
        _complain(error, 1)


def _complain(error: Exception | str, code: int) -> None:
    sys.stderr.write(f"backlight: {error}\n")
    sys.exit(code)
