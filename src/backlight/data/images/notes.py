"""What a reader should know of images that were left out: how many there are, and what the first of them are called."""

from collections.abc import Sequence
from typing import Final

from backlight.data.images.files import readable

_NAMED: Final = 3


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """The first three names, and a sign that there are more.

    Example:
        >>> listed(["a", "b", "c", "d"]), listed(["a", "b"], "; ")
        ('a, b, c, …', 'a; b')
    """
    shown = [readable(name) for name in names[:_NAMED]]
    return separator.join([*shown, "…"] if len(names) > _NAMED else shown)


def counted(names: Sequence[str], what: str, one: str, many: str) -> tuple[str, ...]:
    """A sentence that counts images and names the first of them; none where there are none.

    Example:
        >>> counted(["1.png"], "without a label", "was left out", "were left out")
        ('1 image without a label was left out: 1.png',)
    """
    if not names:
        return ()
    images, verb = ("image", one) if len(names) == 1 else ("images", many)
    return (f"{len(names):,} {images} {what} {verb}: {listed(names)}",)
