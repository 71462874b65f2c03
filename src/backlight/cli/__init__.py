"""The terminal: one short module per verb, no mathematics inside."""

import sys

from backlight.errors import BacklightError, InputError


def main() -> None:
    """Run the command line; a mistake in the input ends in one sentence and exit code 2, a failed job in 1."""
    from backlight.cli.app import app

    try:
        app()
    except InputError as error:
        _complain(error, 2)
    except BacklightError as error:
        _complain(error, 1)


def _complain(error: BacklightError, code: int) -> None:
    sys.stderr.write(f"backlight: {error}\n")
    sys.exit(code)
