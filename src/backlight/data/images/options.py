"""What a user decides about images: their size, their colour, and where their labels come from."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from backlight.errors import InputError

LARGEST_SIDE: Final = 4096
"""The most pixels that a side of the network's images may have."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the units of work that are done, and those that there are."""


@dataclass(frozen=True)
class ImageOptions:
    """How images are read. What is None is found from the images.

    Attributes:
        size: (width, height) in pixels that every image is stretched to; by default the median width and height,
            reduced in proportion where the longer side would be above 64.
        gray: whether colours are dropped; otherwise they are kept if any image has any.
        labels: a CSV of names and labels; for the images of a `.npy` also an array of labels.
        label_from: a regular expression, searched for in the path relative to the folder; each of its groups is a
            label.
        skip_broken: whether images that cannot be read are left out, and not refused.
        progress: told how far the reading is.

    Raises:
        InputError: an impossible size or pattern, or labels from two places.

    Example:
        >>> ImageOptions(size=(32, 24), label_from="(.+)_").pattern.groups
        1
        >>> ImageOptions(size=(0, 5))
        Traceback (most recent call last):
        ...
        backlight.errors.InputError: the size is 0x5; give a width and a height from 1 to 4096, such as 32x32
    """

    size: tuple[int, int] | None = None
    gray: bool = False
    labels: str | None = None
    label_from: str | None = None
    skip_broken: bool = False
    progress: Progress | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.size is not None and not all(1 <= side <= LARGEST_SIDE for side in self.size):
            raise InputError(
                f"the size is {self.size[0]}x{self.size[1]}; give a width and a height from 1 to {LARGEST_SIDE}, "
                "such as 32x32"
            )
        if self.labels is not None and self.label_from is not None:
            raise InputError("labels come from a file or from a pattern; give --labels or --label-from, not both")
        if self.label_from is not None and not self.pattern.groups:
            raise InputError(
                f"--label-from is {self.label_from!r}, which has no group; put what is the label into brackets, "
                "such as '(.+)_'"
            )

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern that labels come from; it matches nothing where there is none."""
        try:
            return re.compile("(?!)" if self.label_from is None else self.label_from)
        except (re.error, OverflowError, RecursionError) as error:
            raise InputError(
                f"--label-from is {self.label_from!r}, which is no regular expression: {error}; "
                "write something like '(.+)_'"
            ) from error


def parse_size(text: str | None) -> tuple[int, int] | None:
    """A size as it is typed: `WIDTHxHEIGHT`, or one number for both.

    Raises:
        InputError: it is written in another way.

    Example:
        >>> parse_size("32x24"), parse_size("28"), parse_size(None)
        ((32, 24), (28, 28), None)
    """
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})(?:[x×]([0-9]{1,6}))?", text.strip().lower())
    if found is None:
        raise InputError(f"--size is {text!r}; write a width and a height, such as 32x32, or one number for both")
    return int(found[1]), int(found[2] or found[1])


def format_size(size: tuple[int, int]) -> str:
    """The inverse of `parse_size`.

    Example:
        >>> format_size((32, 24))
        '32x24'
    """
    return f"{size[0]}x{size[1]}"
