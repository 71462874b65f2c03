"""Values with their intervals, above each other on a common scale."""

import math
from html import escape

from backlight.plots.axes import nothing
from backlight.plots.blocks import Ranges
from backlight.plots.marks import caption, percent
from backlight.plots.scales import Scale


def render_ranges(ranges: Ranges) -> str:
    """A row for each value: its name, its dot and interval, its text."""
    if not ranges.names:
        return nothing(caption(ranges.caption))
    known = [value for value in ranges.values if value is not None and math.isfinite(value)]
    known += [end for ends in ranges.ends if _finite(ends) for end in ends or ()]
    scale = Scale.around(known, 0.06)
    rows = "".join(
        f'<tr><th scope="row" title="{escape(name)}">{escape(name)}</th><td>{_mark(value, ends, scale)}</td>'
        f"<td>{escape(text)}</td></tr>"
        for name, value, ends, text in zip(ranges.names, ranges.values, ranges.ends, ranges.texts, strict=True)
    )
    return (
        f'<figure class="bl-block">{caption(ranges.caption)}'
        f'<table class="bl-bars bl-ranges"><tbody>{rows}</tbody></table></figure>'
    )


def _finite(ends: tuple[float, float] | None) -> bool:
    return ends is not None and all(map(math.isfinite, ends))


def _mark(value: float | None, ends: tuple[float, float] | None, scale: Scale) -> str:
    parts = ['<line class="bl-rule" x1="0" x2="100%" y1="11" y2="11"/>']
    if ends is not None and _finite(ends):
        low, high = (percent(scale.share(end)) for end in ends)
        parts.append(f'<line class="bl-span bl-stroke-up" x1="{low}" x2="{high}" y1="11" y2="11"/>')
    if value is not None and math.isfinite(value):
        kind = "bl-fill-up" if _finite(ends) else "bl-fill-none"
        parts.append(f'<circle class="bl-point {kind}" cx="{percent(scale.share(value))}" cy="11" r="5"/>')
    return f'<svg aria-hidden="true" width="100%" height="22">{"".join(parts)}</svg>'
