"""Blocks of every kind, ordinary and extreme."""

from typing import Final

import numpy as np

from backlight.plots import (
    Bars,
    Block,
    Chart,
    Column,
    Contours,
    Curve,
    Drawing,
    Edge,
    Gallery,
    Heading,
    Line,
    Matrix,
    Picture,
    Ranges,
    Table,
    Text,
    Trail,
)

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
        Chart(
            (
                Line(name, (0.0, 1.0), (0.5, 0.7), ends=((0.4, 0.6), None)),
                Line(name, (0.0, 1.0), (0.0, 1.0), "dashes"),
                Line(name, (0.5,), (0.5,), "points"),
            ),
            (name, name),
            (0.0, 1.0),
            name,
        ),
        Chart((Line(name, (0.1, 1e4), (3.0, 1e-9), "trace"),), (name, name), caption=name, logs=(True, True)),
        Ranges((name, "other"), (0.5, None), ((0.4, 0.7), None), (name, "none"), name),
        Matrix((name, "other"), np.array([[5, 1], [0, 7]]), (name, name), name),
        Contours(
            (0.0, 1.0, 2.0),
            (0.0, 1.0),
            np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]),
            (Trail(name, (0.0, 1.0), (0.0, 0.5), (0.0, 1.0), (name, name)),),
            (name, name),
            name,
            name,
        ),
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
        Chart(()),
        Chart((Line("", (), ()),)),
        Chart((Line("a", (float("nan"),), (1.0,)),), diagonal=(float("nan"), 1.0)),
        Chart((Line("a", (0.0, -1.0), (1.0, 1.0)),), logs=(True, False)),
        Ranges((), (), (), ()),
        Ranges(("a",), (None,), (None,), ("",)),
        Matrix((), np.zeros((0, 0), np.int64)),
        Contours((), (), np.zeros((0, 0))),
        Contours((0.0, 1.0), (0.0, 1.0), np.full((2, 2), np.nan), (Trail("a", (), (), (), ()),)),
    ],
    "one": [
        Bars(("a",), (1.0,)),
        Picture(np.ones((1, 1))),
        Drawing((Column("only", ("a",), (1.0,), (1.0,)),), (Edge(0, 0, 0, 1.0),)),
        Curve((1.0,), (2.0,), (1.0, 2.0, 0.0)),
        Chart((Line("a", (1.0,), (2.0,), ends=((1.0, 3.0),)),)),
        Ranges(("a",), (1.0,), ((1.0, 1.0),), ("",)),
        Matrix(("a",), np.ones((1, 1), np.int64)),
        Contours((1.0,), (1.0,), np.ones((1, 1))),
        Contours((0.0, 1.0), (0.0, 1.0), np.ones((2, 2)), (Trail("a", (0.5,), (0.5,), (0.0,), ("",)),)),
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
        Chart(
            (Line("a", EXTREME, EXTREME[::-1], ends=tuple(zip(EXTREME, EXTREME, strict=True))),),
            diagonal=(-1e300, 1e300),
        ),
        *(
            Chart(
                (Line("a", EXTREME, EXTREME[::-1], ends=tuple(zip(EXTREME, EXTREME, strict=True))),),
                diagonal=(-1.0, 1.0),
                logs=logs,
            )
            for logs in ((True, True), (False, True), (True, False))
        ),
        Chart((Line("a", (1.0, 1.0 + 1e-9), (2.0, 2.0)),), logs=(True, True)),
        Ranges(tuple(map(str, EXTREME)), EXTREME, tuple((value, value) for value in EXTREME), tuple(map(str, EXTREME))),
        Matrix(("a", "b"), np.array([[0, 0], [2**62, 1]])),
        Contours((-1e300, 1e300), (0.0, 5e-324), np.array([[1e300, -1e300], [np.nan, np.inf]])),
        Contours(
            tuple(map(float, range(11))),
            (0.0, 1.0),
            np.array([EXTREME, EXTREME[::-1]]),
            (Trail("a", EXTREME, EXTREME[::-1], EXTREME, ("",) * 11), Trail("b", (), (), (), ())),
        ),
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
        Chart((Line(LONG, tuple(map(float, range(2000))), (0.5,) * 2000, "points"),)),
        Matrix((LONG,) * 60, np.ones((60, 60), np.int64)),
        Contours(
            tuple(map(float, range(50))),
            tuple(map(float, range(50))),
            np.random.default_rng(0).normal(size=(50, 50)),
            (Trail(LONG, (0.5,) * 200, (0.5,) * 200, (1.0,) * 200, (LONG,) * 200),) * 9,
            (LONG, LONG),
        ),
    ],
    "out of reach": [
        Drawing(columns("x"), (Edge(0, 3, 0, 1.0), Edge(0, 0, 9, 1.0), Edge(2, 0, 0, 1.0), Edge(-1, 0, 0, 1.0)))
    ],
}
