"""What every result can do that is looked at: turn into plain data, into a page, and into a figure."""

import dataclasses
from typing import Any

import numpy as np

from backlight.plots.blocks import Block
from backlight.plots.html import Figure, fragment


class Shown:
    """A result: a frozen record that can be read by programs and looked at by people.

    Subclasses are frozen dataclasses with a `title` and `blocks()`.
    """

    @property
    def title(self) -> str:
        """What it is, in a line."""
        raise AssertionError("every result has a title of its own")

    def blocks(self) -> list[Block]:
        """The result as blocks: the same for a page, a notebook and the terminal."""
        raise AssertionError("every result has blocks of its own")

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data that JSON can hold."""
        content = plain(self)
        assert isinstance(content, dict)
        return content

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}>"

    def plot(self) -> Figure:
        """The result as a figure, shown in a notebook and saved as a page."""
        return Figure(self.title, tuple(self.blocks()))

    def _repr_html_(self) -> str:
        return fragment(self.blocks())


def plain(value: Any) -> Any:
    """Records, arrays and tuples as dictionaries, lists and numbers; numbers that are not finite as None.

    Example:
        >>> plain((np.float64(0.5), float("nan"), "name"))
        [0.5, None, 'name']
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
