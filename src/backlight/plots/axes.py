"""Two axes with their numbers, as shares of the width and points of the height."""

import math
from html import escape
from typing import Final, NamedTuple

from backlight.plots.marks import percent, place
from backlight.plots.scales import LogScale, Scale

_LETTER: Final = 7.5
TOP: Final = 10.0
HEIGHT: Final = 260.0


class Axes(NamedTuple):
    """Where values lie in the figure: shares of its width, points of its height; the numbers of y stand left of it."""

    x: Scale | LogScale
    y: Scale | LogScale
    height: float = HEIGHT

    def across(self, x: float) -> float:
        """The share of the width."""
        return self.x.share(x)

    def down(self, y: float) -> float:
        """The points from the top."""
        return TOP + self.height * (1 - self.y.share(y))

    @property
    def left(self) -> int:
        """How many points the numbers of y take."""
        return 14 + math.ceil(_LETTER * max(len(text) for _, text in self.y.texts(5)))


def axis_label(text: str, arrow: str) -> str:
    """What an axis shows, and which way it grows."""
    return f"{escape(text)} {arrow}" if text else ""


def x_axis(axes: Axes) -> str:
    """The line below, with its numbers."""
    ticks = axes.x.texts(5)
    if max(len(text) for _, text in ticks) > 6:
        ticks = axes.x.texts(3)
    bottom = TOP + axes.height
    parts = [f'<line class="bl-axis" x1="0" x2="100%" y1="{place(bottom)}" y2="{place(bottom)}"/>']
    for tick, label in ticks:
        across, share = percent(axes.across(tick)), axes.x.share(tick)
        anchor = "end" if share > 0.96 else "middle"
        parts.append(
            f'<line class="bl-axis" x1="{across}" x2="{across}" y1="{place(bottom)}" y2="{place(bottom + 5)}"/>'
            f'<text x="{across}" y="{place(bottom + 19)}" text-anchor="{anchor}">{label}</text>'
        )
    return "".join(parts)


def y_axis(axes: Axes) -> str:
    """Level lines, with their numbers to the left."""
    parts = []
    for tick, label in axes.y.texts(5):
        down = axes.down(tick)
        parts.append(
            f'<line class="bl-rule" x1="0" x2="100%" '
            f'y1="{place(down)}" y2="{place(down)}"/>'
            f'<text x="-8" y="{place(down + 4)}" text-anchor="end">{label}</text>'
        )
    return "".join(parts)


def framed(axes: Axes, body: str, *, labels: tuple[str, str], title: str, above: str, below: str = "") -> str:
    """A figure with both axes.

    Args:
        axes: the scales.
        body: what is drawn between them.
        labels: of the two axes.
        title: for those who cannot see it.
        above: its caption.
        below: what stands below the horizontal axis.
    """
    return (
        f'<figure class="bl-block bl-curve" style="--left:{axes.left}px">{above}'
        f'<div class="bl-axis-label">{axis_label(labels[1], "↑")}</div>'
        f'<svg class="bl-plot" role="img" width="100%" height="{place(TOP + axes.height + 24)}">'
        f"<title>{escape(title)}</title>{x_axis(axes)}{y_axis(axes)}{body}</svg>"
        f'<div class="bl-axis-label bl-x">{axis_label(labels[0], "→")}</div>{below}</figure>'
    )


def nothing(above: str) -> str:
    """A figure without anything to show."""
    return f'<figure class="bl-block">{above}<p class="bl-text bl-note">nothing to show</p></figure>'
