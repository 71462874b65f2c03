"""Counts of pairs as a table, coloured by their share of the row: agreement in one colour, mistakes in the other."""

from html import escape
from typing import Final

import numpy as np

from backlight.plots.axes import nothing
from backlight.plots.blocks import Matrix
from backlight.plots.marks import caption

_STRONGEST: Final = 60  # percent of the colour, so that the numbers on it stay readable
_UPRIGHT: Final = 3  # longer names of columns are set upwards


def render_matrix(matrix: Matrix) -> str:
    """The table, in a box that scrolls where the page is too narrow."""
    counts = np.asarray(matrix.counts)
    if counts.size == 0:
        return nothing(caption(matrix.caption))
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = counts / totals
    upright = "" if max(map(len, matrix.names)) <= _UPRIGHT else ' class="bl-upwards"'
    head = "".join(f'<th scope="col"{upright}><span>{escape(name)}</span></th>' for name in matrix.names)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(int(count), float(share), k == c) for c, (count, share) in enumerate(zip(*row, strict=True)))
        + "</tr>"
        for k, (name, row) in enumerate(zip(matrix.names, zip(counts, shares, strict=True), strict=True))
    )
    corner = f"{matrix.labels[0]} \\ {matrix.labels[1]}"
    label = escape(f"Table: {corner}, {len(counts)} by {counts.shape[1]}")
    return (
        f'<figure class="bl-block">{caption(matrix.caption)}'
        f'<div class="bl-scroll" tabindex="0" role="region" aria-label="{label}"><table class="bl-matrix">'
        f'<thead><tr><th scope="col">{escape(corner)}</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></figure>"
    )


def _cell(count: int, share: float, agrees: bool) -> str:
    if count == 0:
        return '<td class="bl-none">·</td>'
    strength = round(8 + (_STRONGEST - 8) * share)
    colour = "up" if agrees else "down"
    return f'<td class="bl-{colour}-cell" style="--share:{strength}%">{count:,}</td>'
