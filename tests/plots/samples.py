"""Blocks of every kind, ordinary and extreme."""

from typing import Final

import numpy as np

from backlight.plots import Bars, Block, Column, Curve, Drawing, Edge, Gallery, Heading, Picture, Table, Text

NASTY: Final = "<b>&\"'</b><script>alert(1)</script> http://example.org"
LONG: Final = "ширина_клюва_名前_" * 30
EXTREME: Final = (0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, 5e-324, 1.7e308, float("nan"), float("inf"), float("-inf"))


def columns(name: str) -> tuple[Column, ...]:
    return (
        Column(name, (name, "b", "c"), (0.0, 0.5, 1.0), None, 61),
        Column(name, (name, "1"), (float("nan"), 2.0), (1.0, -0.5), 3),
        Column(name, ("no", "yes"), (0.25, 0.75), (-1e-300, 0.0)),
    )


def blocks(name: str) -> list[Block]:
    """One block of every kind, with the name wherever there is room for a name."""
    picture = Picture(np.linspace(0, 1, 64).reshape(8, 8), caption=name)
    edges = (Edge(0, 0, 1, 0.5), Edge(0, 2, 0, -1.0), Edge(1, 1, 1, 0.0))
    return [
        Heading(name, 1),
        Text(name),
        Text(name, "note"),
        Text(name, "warning"),
        Table((name, "value"), ((name, 0.5), ("none", None), ("whole", 12)), (1,)),
        Bars((name, "other"), (0.25, -0.5), name),
        picture,
        Gallery((picture, Picture(np.linspace(-1, 1, 6).reshape(2, 3), signed=True, caption=name))),
        Drawing(columns(name), edges, name),
        Curve((0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (0.5, 0.25, -1.0), (name, name), name),
    ]


EXTREMES: Final[dict[str, list[Block]]] = {
    "nothing": [],
    "empty": [
        Heading(""),
        Text(""),
        Table((), ()),
        Table(("a",), ()),
        Bars((), ()),
        Picture(np.zeros((0, 0))),
        Gallery(()),
        Drawing((), ()),
        Drawing((Column("", (), ()),), ()),
        Curve((), ()),
        Curve((float("nan"),), (1.0,), (0.0, 0.0, 1.0)),
    ],
    "one": [
        Bars(("a",), (1.0,)),
        Picture(np.ones((1, 1))),
        Drawing((Column("only", ("a",), (1.0,), (1.0,)),), (Edge(0, 0, 0, 1.0),)),
        Curve((1.0,), (2.0,), (1.0, 2.0, 0.0)),
    ],
    "zeros": [
        Bars(("a", "b"), (0.0, -0.0)),
        Picture(np.zeros((3, 3)), signed=True),
        Picture(np.zeros((3, 3))),
        Drawing(columns("x"), (Edge(0, 0, 0, 0.0),)),
        Curve((0.0, 0.0), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
    "sizes": [
        Table(("x",), tuple((value,) for value in EXTREME), (0,)),
        Bars(tuple(map(str, EXTREME)), EXTREME),
        Picture(np.array([EXTREME]), signed=True),
        Picture(np.array([EXTREME])),
        Drawing(
            (Column("a", ("0",) * 11, EXTREME, EXTREME), Column("b", ("0",) * 11, EXTREME, EXTREME)),
            tuple(Edge(0, place, place, value) for place, value in enumerate(EXTREME)),
        ),
        Curve(EXTREME, EXTREME[::-1]),
        *(
            Curve((low, high), (bottom, top), (low, bottom, slope))
            for low, high in ((-1e300, 1e300), (1e-300, 2e-300), (1.0, 1.0 + 1e-15), (-1.7e308, 1.7e308), (0, 5e-324))
            for bottom, top in ((0.0, 1.0), (1e300, -1e300), (1e-300, 3e-300), (5.0, 5.0))
            for slope in (0.0, 1.0, -1e300, 1e-300, float("nan"))
        ),
    ],
    "many": [
        Bars(tuple(f"{LONG}{place}" for place in range(500)), tuple(float(place - 250) for place in range(500))),
        Table(tuple(f"column {place}" for place in range(40)), ((LONG,) * 40, (1e-7,) * 40)),
        Drawing(tuple(Column(LONG, (LONG,) * 100, (0.5,) * 100, None, 10**9) for _ in range(12)), ()),
        Picture(np.random.default_rng(0).normal(size=(1, 784))),
    ],
    "out of reach": [
        Drawing(columns("x"), (Edge(0, 3, 0, 1.0), Edge(0, 0, 9, 1.0), Edge(2, 0, 0, 1.0), Edge(-1, 0, 0, 1.0)))
    ],
}
