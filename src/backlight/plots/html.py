"""Blocks as HTML: a fragment for notebooks, a self-contained page for files."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from backlight.plots.blocks import Block, Heading, Text
from backlight.storage import write_bytes


def fragment(blocks: Iterable[Block]) -> str:
    """The blocks as HTML with its own styles, to stand inside any page."""
    return "".join(f"<p>{escape(block.text)}</p>" for block in blocks if isinstance(block, Heading | Text))


def page(title: str, blocks: Iterable[Block]) -> str:
    """The blocks as one HTML page that needs nothing else: no script, no font, no request."""
    return f"<!doctype html><title>{escape(title)}</title>{fragment(blocks)}"


@dataclass(frozen=True)
class Figure:
    """Blocks that are shown in a notebook as they are, and saved as a page."""

    title: str
    blocks: tuple[Block, ...]

    def _repr_html_(self) -> str:
        return fragment(self.blocks)

    def save(self, path: str | Path) -> None:
        """Write a self-contained page."""
        write_bytes(Path(path), page(self.title, self.blocks).encode())
