"""The few exceptions of Backlight. Each message says what was got, what was expected and what to do."""


class BacklightError(Exception):
    """The job could not be done. The command line ends with exit code 1."""


class InputError(BacklightError, ValueError):
    """What was given cannot be used: a file, a value, an option. The command line ends with exit code 2."""


def nearest(name: str, known: list[str]) -> str:
    """A hint that names the closest known spelling, or lists what there is.

    Example:
        >>> nearest("specis", ["species", "island"])
        "did you mean 'species'?"
        >>> nearest("zzz", ["species", "island"])
        "there are 'species', 'island'"
    """
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(repr(k) for k in known[:12])
    return f"there are {shown}" + (f" and {len(known) - 12} more" if len(known) > 12 else "")
