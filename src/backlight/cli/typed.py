"""Options of `backlight train` as they are typed: numbers, lists of numbers, or a word."""

from collections.abc import Mapping
from typing import Any, Final

from backlight.cli.lr_auto import AUTO
from backlight.errors import InputError, nearest

BACKPROPAGATION: Final = "backpropagation"


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


def with_method(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the method as the optimizer that it stands for; backpropagation leaves the choice of that open.

    Raises:
        InputError: there is no such method, or an optimizer is given beside another method.

    Example:
        >>> with_method({"method": "one-weight", "seed": 1})
        {'seed': 1, 'optimizer': 'one-weight'}
    """
    from backlight.search import SEARCHES

    options = dict(given)
    method = options.pop("method")
    name = method.partition("=")[0]
    if method == BACKPROPAGATION:
        optimizer = str(options.get("optimizer", ""))
        if optimizer.partition("=")[0] in SEARCHES:
            raise InputError(
                f"--optimizer {optimizer} takes no gradients, and --method backpropagation does; leave one out"
            )
        return options
    if name not in SEARCHES:
        raise InputError(f"there is no method {method!r}; {nearest(name, [BACKPROPAGATION, *SEARCHES])}")
    if "optimizer" in options:
        raise InputError(f"--optimizer turns gradients into steps, and --method {name} takes none; leave one out")
    return {**options, "optimizer": method}
