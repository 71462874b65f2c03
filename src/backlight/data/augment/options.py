"""Augmentation as it is typed: `rotate=12,scale=0.15,elastic=34:4` for images, `noise=0.1,columns=0.1` for tables."""

from typing import Any, Final

from backlight.data.augment.augmentation import LIMITS, Augmentation, check_amount, check_elastic
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs
from backlight.data.tables.columns import DateColumn, NumberColumn
from backlight.data.tables.inputs import TableInputs
from backlight.errors import InputError, nearest

KINDS: Final = (*LIMITS, "elastic")
_OF_TABLES: Final = ("noise", "columns")


def check_kinds(text: str) -> dict[str, Any]:
    """The kinds of augmentation that a text names, each with its number; elastic with two.

    Raises:
        InputError: a kind is unknown, is named twice, or has an impossible number.

    Example:
        >>> check_kinds("rotate=12,elastic=34:4")
        {'rotate': 12.0, 'elastic': (34.0, 4.0)}
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in KINDS:
            raise InputError(f"there is no augmentation {name!r}; {nearest(name, list(KINDS))}")
        if name in found:
            raise InputError(f"the augmentation {name} is given twice; give it once")
        if not equals:
            raise InputError(f"the augmentation {name} needs a number; write {_example(name)}")
        found[name] = _elastic(value) if name == "elastic" else _amount(name, value)
    return found


def _example(name: str) -> str:
    return "elastic=ALPHA:SIGMA, such as elastic=34:4" if name == "elastic" else f"{name}=NUMBER"


def _amount(name: str, text: str) -> float:
    value, (most, unit) = _number(name, text), LIMITS[name]
    check_amount(name, value, most, unit)
    return value


def _elastic(text: str) -> tuple[float, float]:
    alpha, colon, sigma = text.partition(":")
    if not colon:
        raise InputError(f"the augmentation elastic is {text!r}; write {_example('elastic')}")
    pair = _number("elastic", alpha), _number("elastic", sigma)
    check_elastic(*pair)
    return pair


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"the augmentation {name} is {text!r}, which is no number; write {_example(name)}") from None


def augmentation_for(text: str, inputs: Inputs) -> Augmentation:
    """The augmentation that a text asks for, of inputs that a network learns from.

    Noise is added to the numbers and moments of a table, in units of their standard deviation, and not to its
    categories. Columns are silent with all of their inputs.

    Args:
        text: as `check_kinds` reads it.
        inputs: which say what images look like, or which inputs belong to which column.

    Raises:
        InputError: the text is wrong, or names a kind that is not for such inputs.

    Example:
        >>> augmentation_for("rotate=12", ImageInputs((28, 28), "uint8")).shape
        (28, 28)
    """
    kinds = check_kinds(text)
    if _are_images(inputs):
        if "columns" in kinds:
            raise InputError("the augmentation columns is for tables, and these are images; leave it out")
        _check_shift(kinds.get("shift", 0.0), inputs.shape)  # type: ignore[union-attr]
        return Augmentation(inputs.shape, **kinds)  # type: ignore[union-attr]
    stranger = next((name for name in kinds if name not in _OF_TABLES), None)
    if stranger is not None:
        raise InputError(
            f"the augmentation {stranger} is for images with pixels from 0 to 1, and these are columns of numbers; "
            "choose noise or columns"
        )
    column = tuple(number for number, (_, first, end) in enumerate(inputs.spans) for _ in range(first, end))
    return Augmentation(column=column, noisy=_numbers(inputs), **kinds)


def _are_images(inputs: Inputs) -> bool:
    pixels = isinstance(inputs, ArrayInputs) and inputs.dtype == "uint8" and len(inputs.shape) > 1
    return isinstance(inputs, ImageInputs) or pixels


def _check_shift(shift: float, shape: tuple[int, ...]) -> None:
    if shift > max(shape[:2]):
        raise InputError(
            f"the augmentation shift is {shift:g} pixels, and the images are {shape[1]} × {shape[0]}; "
            "shift by a few pixels, such as shift=2"
        )


def _numbers(inputs: Inputs) -> tuple[bool, ...]:
    """Which inputs are numbers that were standardised."""
    if not isinstance(inputs, TableInputs):
        return ()
    found = []
    for column in inputs.columns:
        number = isinstance(column, NumberColumn) or (isinstance(column, DateColumn) and "elapsed" in column.parts)
        found += [number, *[False] * (len(column.names) - 1)]
    return tuple(found)
