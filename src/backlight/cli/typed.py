"""Options of `backlight train` as they are typed: numbers, lists of numbers, or a word."""

from backlight.cli.lr_auto import AUTO
from backlight.errors import InputError


def parse_layers(text: str) -> tuple[int, ...]:
    """Whole numbers above 0, separated by commas; or `none`.

    Example:
        >>> parse_layers("128,64"), parse_layers("none")
        ((128, 64), ())
    """
    if text == "none":
        return ()
    try:
        layers = tuple(int(part) for part in text.split(","))
    except ValueError:
        layers = (0,)
    if min(layers) < 1:
        raise InputError(f"--layers is {text!r}; write the units of each hidden layer, such as 128,64, or none")
    return layers


def parse_lr(text: str) -> float | None:
    """A number; None for `auto`.

    Example:
        >>> parse_lr("0.01"), parse_lr("auto")
        (0.01, None)
    """
    if text == AUTO:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--lr is {text!r}; write a number above 0, or auto") from None


def parse_batch_size(text: str) -> int | str:
    """A whole number above 0, or `full`.

    Example:
        >>> parse_batch_size("32"), parse_batch_size("full")
        (32, 'full')
    """
    if text == "full":
        return text
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InputError(f"--batch-size is {text!r}; write a whole number above 0, or full")
    return int(text)


def parse_batches(text: str) -> tuple[int | str, ...]:
    """Sizes of batches, whole numbers above 0 or `full`, separated by commas.

    Example:
        >>> parse_batches("full,100,1")
        ('full', 100, 1)
    """
    try:
        return tuple(parse_batch_size(part) for part in text.split(","))
    except InputError:
        raise InputError(
            f"--batches is {text!r}; write sizes separated by commas, each a whole number above 0 or full: full,100,1"
        ) from None
