"""The few exceptions of Backlight. Each message says what was got, what was expected and what to do."""

from numbers import Integral, Real


class BacklightError(Exception):
    """The job could not be done. The command line ends with exit code 1."""


class InputError(BacklightError, ValueError):
    """What was given cannot be used: a file, a value, an option. The command line ends with exit code 2."""


def whole_number(what: str, value: object, least: int) -> int:
    """A whole number of at least `least`, from Python or NumPy.

    Raises:
        InputError: it is something else; the message says what.

    Example:
        >>> whole_number("epochs", 3, 1)
        3
        >>> whole_number("epochs", 2.5, 1)
        Traceback (most recent call last):
        ...
        backlight.errors.InputError: epochs is 2.5; it must be a whole number of at least 1
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least:
        return int(value)
    raise InputError(f"{what} is {value!r}; it must be a whole number of at least {least}")


def number_within(what: str, value: object, low: float, below: float) -> float:
    """A number from `low` on and below `below`, from Python or NumPy.

    Raises:
        InputError: it is something else; the message says what.

    Example:
        >>> number_within("dropout", 0.5, 0, 1)
        0.5
    """
    if isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) < below:
        return float(value)
    end = f" and below {below:g}" if below < float("inf") else ""
    raise InputError(f"{what} is {value!r}; it must be a finite number of at least {low:g}{end}")


def nearest(name: str, known: list[str]) -> str:
    """A hint that names the closest known spelling, or lists what there is.

    Example:
        >>> nearest("specis", ["species", "island"])
        "did you mean 'species'?"
        >>> nearest("zzz", ["species", "island"])
        "there are 'species', 'island'"
        >>> nearest("ReLU", ["relu", "elu"])
        "did you mean 'relu'?"
    """
    import difflib

    folded = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    shown = ", ".join(repr(k) for k in known[:12])
    return f"there are {shown}" + (f" and {len(known) - 12} more" if len(known) > 12 else "")
