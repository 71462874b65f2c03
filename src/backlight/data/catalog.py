"""The data sets that Backlight knows by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from backlight.errors import InputError, nearest

Origin = Literal["embedded", "generated", "fetched"]


@dataclass(frozen=True)
class Entry:
    """A data set that has a name.

    Attributes:
        name: what the user types.
        description: one line.
        examples: how many there are.
        size: what one example is.
        origin: `embedded` in the package, `generated` by a formula, or `fetched` once.
        licence: of the data.
        credit: who made it, and where it is described.
    """

    name: str
    description: str
    examples: int
    size: str
    origin: Origin
    licence: str
    credit: str


_GENERATED_LICENCE: Final = "Apache-2.0"

_ENTRIES: Final = (
    Entry(
        "digits",
        "handwritten digits, 10 classes",
        1797,
        "8x8 grey image",
        "embedded",
        "CC BY 4.0",
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, 1998, doi:10.24432/C50P49",
    ),
    Entry(
        "penguins",
        "penguins of the Palmer Archipelago, 3 species",
        344,
        "7 columns",
        "embedded",
        "CC0 1.0",
        "A. Horst, A. Hill, K. Gorman: palmerpenguins, 2020, doi:10.5281/zenodo.3960218",
    ),
    Entry(
        "spiral",
        "three arms wound around each other, 3 classes",
        999,
        "2 numbers",
        "generated",
        _GENERATED_LICENCE,
        "Backlight",
    ),
    Entry(
        "moons",
        "two interlocked half circles, 2 classes",
        1000,
        "2 numbers",
        "generated",
        _GENERATED_LICENCE,
        "Backlight",
    ),
    Entry(
        "circles", "a ring around a ring, 2 classes", 1000, "2 numbers", "generated", _GENERATED_LICENCE, "Backlight"
    ),
    Entry(
        "xor",
        "four clouds, opposite ones alike, 2 classes",
        1000,
        "2 numbers",
        "generated",
        _GENERATED_LICENCE,
        "Backlight",
    ),
    Entry(
        "mnist",
        "handwritten digits, 10 classes, with its own test set",
        70_000,
        "28x28 grey image",
        "fetched",
        "CC BY-SA 3.0 (as commonly cited)",
        "Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits, 1998",
    ),
    Entry(
        "fashion-mnist",
        "photographs of clothing, 10 classes, with its own test set",
        70_000,
        "28x28 grey image",
        "fetched",
        "MIT",
        "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, 2017, arXiv:1708.07747",
    ),
)

BUILTIN: Final[Mapping[str, Entry]] = {entry.name: entry for entry in _ENTRIES}
"""Name → what is known of the data set."""


def entry(name: str) -> Entry:
    """What is known of a built-in data set.

    Raises:
        InputError: there is no such data set.

    Example:
        >>> entry("digits").examples
        1797
    """
    if name not in BUILTIN:
        raise InputError(f"there is no built-in data set {name!r}; {nearest(name, list(BUILTIN))}")
    return BUILTIN[name]
