"""What is drawn is what the numbers say."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from backlight.plots import (
    Bars,
    Chart,
    Column,
    Curve,
    Drawing,
    Edge,
    Line,
    Matrix,
    Picture,
    Ranges,
    Table,
    charts_file,
    fragment,
    number,
)
from backlight.plots.pictures import pixels_of, png
from backlight.plots.scales import LogScale, Scale, labels, round_below


def decoded(picture: Picture) -> np.ndarray:
    with Image.open(io.BytesIO(png(pixels_of(picture)))) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def test_unsigned_pictures_go_from_black_to_white() -> None:
    pixels = decoded(Picture(np.array([[0.0, 8.0, 16.0], [4.0, float("nan"), 2.0]])))
    assert pixels[..., 0].tolist() == [[0, 128, 255], [64, 0, 32]]
    assert (pixels[..., 0] == pixels[..., 2]).all()
    assert pixels[..., 3].tolist() == [[255, 255, 255], [255, 0, 255]]


def test_pictures_in_colour() -> None:
    pixels = decoded(Picture(np.array([[[0.0, 8.0, 16.0], [4.0, float("nan"), 2.0]]])))
    assert pixels.tolist() == [[[0, 128, 255, 255], [64, 0, 32, 0]]]
    assert "1 by 2 values" in fragment([Picture(np.zeros((1, 2, 3)))])


def test_values_below_zero_are_the_darkest() -> None:
    assert decoded(Picture(np.array([[-1.0, 0.0, 1.0]])))[0, :, 0].tolist() == [0, 128, 255]


def test_signed_pictures_are_blue_above_and_orange_below_zero() -> None:
    pixels = decoded(Picture(np.array([[2.0, -2.0, 0.0, -1.0]]), signed=True))[0].tolist()
    assert pixels[0] == [31, 111, 209, 255]
    assert pixels[1] == [214, 96, 4, 255]
    assert pixels[2][3] == 0
    assert pixels[3] == [214, 96, 4, 128]


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (28, 28), (1, 784), (40, 2)])
def test_pictures_of_any_shape(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape)
    assert decoded(Picture(values)).shape == (*shape, 4)
    assert f"{shape[0]} by {shape[1]} values" in fragment([Picture(values)])


def rects(text: str) -> list[tuple[str, float, float]]:
    found = re.findall(r'<rect class="bl-fill-(up|down)" x="([\d.]+)%" y="4" width="([\d.]+)%"', text)
    return [(way, float(x), float(width)) for way, x, width in found]


def test_bars_start_at_a_common_zero() -> None:
    assert rects(fragment([Bars(("a", "b", "c"), (3.0, -1.0, 0.0))])) == [("up", 25, 75), ("down", 0, 25)]
    assert rects(fragment([Bars(("a", "b"), (1.0, 0.5))])) == [("up", 0, 100), ("up", 0, 50)]
    assert rects(fragment([Bars(("a",), (-1e-300,))])) == [("down", 0, 100)]


def test_tables_colour_the_signed_columns_only() -> None:
    text = fragment([Table(("name", "a", "b"), (("x", -1.5, -2.5), ("y", None, 2)), (2,))])
    assert '<td class="bl-number">-1.5</td>' in text
    assert '<td class="bl-number bl-down">-2.5</td>' in text
    assert '<td class="bl-number bl-up">+2</td>' in text
    assert '<td class="bl-number"></td>' in text


def test_edges_join_their_units_the_strongest_on_top() -> None:
    columns = (Column("a", ("p", "q"), (0.0, 1.0)), Column("b", ("r",), (0.5,)))
    text = fragment([Drawing(columns, (Edge(0, 1, 0, -2.0), Edge(0, 0, 0, 1.0)))])
    lines = re.findall(
        r'<line class="bl-stroke-(\w+)" x1="0%" y1="(\d+)" x2="100%" y2="(\d+)" stroke-width="([\d.]+)"', text
    )
    assert lines == [("up", "12", "24", "2.12"), ("down", "36", "24", "3.5")]
    assert "q → r: -2" in text
    assert re.findall(r'cy="0" r="8" fill="rgb\((\d+)', text) == ["0", "255", "128"]


def test_units_left_out_are_counted() -> None:
    columns = tuple(Column("", ("u",), (0.5,), None, 1234) for _ in range(3))
    assert fragment([Drawing(columns, ())]).count("… 1,234") == 3


def test_arrows_point_where_the_marks_say() -> None:
    column = Column("a", ("p", "q", "r"), (0.5, 0.5, 0.5), (2.0, -2.0, 0.0))
    text = fragment([Drawing((column,), ())])
    up, down, *_ = re.findall(r'class="bl-arrow bl-fill-(\w+)" d="M16 (-?\d+)', text)
    assert up == ("up", "-11")
    assert down == ("down", "11")


def test_slope_is_rise_over_run() -> None:
    x = np.linspace(-1, 1, 101)
    text = fragment([Curve(tuple(x), tuple(x**2), (-0.5, 0.25, -1.0), ("w", "cost"))])
    assert "slope = rise / run = -0.2 / 0.2 = -1" in text
    assert ">run 0.2</text>" in text
    assert ">rise -0.2</text>" in text


def test_the_tangent_goes_through_its_point() -> None:
    text = fragment([Curve((0.0, 1.0), (0.0, 1.0), (0.5, 0.5, 1.0))])
    (ends,) = re.findall(r'bl-tangent bl-stroke-up" x1="([\d.]+)%" y1="([\d.]+)" x2="([\d.]+)%" y2="([\d.]+)"', text)
    (point,) = re.findall(r'<circle class="bl-point bl-fill-up" cx="([\d.]+)%" cy="([\d.]+)"', text)
    x1, y1, x2, y2 = map(float, ends)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx(tuple(map(float, point)))
    line = re.findall(r'class="bl-line" d="M0 ([\d.]+)L1000 ([\d.]+)"', text)
    drawn = (float(line[0][0]) - float(line[0][1])) * 0.26 / 100
    assert (y1 - y2) / (x2 - x1) == pytest.approx(drawn, rel=1e-3)


def test_the_line_is_broken_where_there_is_no_number() -> None:
    text = fragment([Curve((0.0, 1.0, 2.0, 3.0, 4.0), (1.0, 2.0, float("nan"), 1.0, 0.0))])
    (path,) = re.findall(r'class="bl-line" d="([^"]+)"', text)
    assert re.sub(r"[\d. ]+", "", path) == "MLML"


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-0.43, 1.1), (1e-7, 3e-7), (1e300, 2e300), (-5, -4.99), (0, 59999), (1, 1 + 1e-12)]
)
@pytest.mark.parametrize("most", [3, 5])
def test_ticks_are_few_round_and_told_apart(low: float, high: float, most: int) -> None:
    scale = Scale(float(low), float(high))
    ticks = scale.ticks(most)
    assert 2 <= len(ticks) <= most
    assert all(0 <= scale.share(tick) <= 1 for tick in ticks)
    assert len(set(labels(ticks))) == len(ticks)


def test_scales_hold_what_they_are_made_around() -> None:
    assert Scale.around([]) == Scale(0.0, 1.0)
    assert Scale.around([5.0, 5.0]).share(5.0) == 0.5
    assert Scale.around([1e300, -1e300]).share(0.0) == 0.5


@pytest.mark.parametrize(
    ("low", "high"),
    [(1e-9, 3.0), (0.2, 1e4), (0.5, 4.0), (1.0, 1.0001), (3.0, 60.0), (1e-300, 1e300), (0.0011, 0.0099)],
)
@pytest.mark.parametrize("most", [3, 5])
def test_ticks_of_a_logarithmic_axis_are_few_and_told_apart(low: float, high: float, most: int) -> None:
    scale = LogScale(low, high)
    ticks = scale.texts(most)
    assert 2 <= len(ticks) <= most + 2
    assert all(low * 0.999 <= tick <= high * 1.001 for tick, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_equal_factors_are_equally_far_apart_on_a_logarithmic_axis() -> None:
    points = Line("a", (0.0, 1.0, 10.0, 100.0), (5.0, 1e-6, 1e-3, 1.0), "points")
    text = fragment([Chart((points,), logs=(True, True))])
    dots = re.findall(r'<circle class="bl-dot bl-series-0" cx="([\d.]+)%" cy="([\d.]+)"', text)
    (left, low), (middle, between), (right, high) = ((float(x), float(y)) for x, y in dots)  # not that at 0
    assert (left + right) / 2 == pytest.approx(middle, abs=0.02)
    assert (low + high) / 2 == pytest.approx(between, abs=0.02)


def test_charts_are_written_as_a_picture_of_their_own() -> None:
    lines = (Line("first <one>", (1.0, 100.0), (1.0, 0.1), "trace"), Line("second", (1.0, 9.0), (1.0, 0.5)))
    text = charts_file([Chart(lines, ("x", "y"), logs=(True, True)), Chart(lines, ("seconds", "y"))], "Two & more")
    root = ElementTree.fromstring(text)
    words = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Two & more", "first <one>", "second", "x →", "seconds →", "y ↑"} <= set(words)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 6  # two lines in each chart, and their keys
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    ElementTree.fromstring(charts_file([], "nothing"))


@pytest.mark.parametrize("value", [1.0, 0.99, 2.5, 1e-300, 1e300, 7.3e-5])
def test_round_numbers_below(value: float) -> None:
    assert value / 2.51 < round_below(value) <= value


def test_zero_has_no_sign_and_large_numbers_stay_short() -> None:
    assert number(-0.0) == "0"
    assert number(-1e300) == "-1.000e+300"
    assert number(1_234_567) == "1,234,567"


def test_lines_of_a_chart_share_their_axes() -> None:
    text = fragment([Chart((Line("a", (0.0, 10.0), (0.0, 1.0)), Line("b", (5.0,), (0.5,), "points")))])
    dots = re.findall(r'<circle class="bl-dot bl-series-(\d)" cx="([\d.]+)%" cy="([\d.]+)"', text)
    assert [series for series, _, _ in dots[:3]] == ["0", "0", "1"]
    (left, low), (right, high), (middle, between) = ((float(x), float(y)) for _, x, y in dots[:3])
    assert (left + right) / 2 == pytest.approx(middle)
    assert (low + high) / 2 == pytest.approx(between)
    assert left < right
    assert low > high  # upwards is less far from the top
    assert text.count("bl-trace") - text.split("<style>")[1].split("</style>")[0].count("bl-trace") == 2  # and its key


def test_intervals_and_the_diagonal_lie_where_the_axes_say() -> None:
    line = Line("a", (0.5,), (0.5,), "points", ((0.25, 0.75),))
    text = fragment([Chart((line,), diagonal=(0.0, 1.0))])
    (whisker,) = re.findall(r'<line class="bl-whisker bl-series-0" x1="50%" x2="50%" y1="([\d.]+)" y2="([\d.]+)"', text)
    (diagonal,) = re.findall(r'<line class="bl-leg" x1="([\d.]+)%" y1="([\d.]+)" x2="([\d.]+)%" y2="([\d.]+)"', text)
    _, bottom, _, top = map(float, diagonal)
    low, high = map(float, whisker)
    assert (low - high) / (bottom - top) == pytest.approx(0.5, rel=1e-3)
    assert (low + high) / 2 == pytest.approx((bottom + top) / 2, rel=1e-3)


def test_ranges_share_a_scale() -> None:
    ranges = Ranges(("a", "b", "c"), (0.5, 1.0, None), ((0.25, 0.75), None, None), ("half", "one", "none"))
    text = fragment([ranges])
    dots = [float(x) for x in re.findall(r'<circle class="bl-point [\w-]+" cx="([\d.]+)%"', text)]
    ((low, high),) = re.findall(r'<line class="bl-span bl-stroke-up" x1="([\d.]+)%" x2="([\d.]+)%"', text)
    assert len(dots) == 2
    assert (float(low) + float(high)) / 2 == pytest.approx(dots[0])
    assert (dots[1] - dots[0]) / (float(high) - float(low)) == pytest.approx(1.0, rel=1e-3)


def test_a_matrix_is_coloured_by_the_share_of_the_row() -> None:
    text = fragment([Matrix(("p", "q"), np.array([[3, 1], [0, 5000]]), ("is", "taken for"))])
    cells = re.findall(r'<td class="bl-(up|down)-cell" style="--share:(\d+)%">([\d,]+)</td>', text)
    assert cells == [("up", "47", "3"), ("down", "21", "1"), ("up", "60", "5,000")]
    assert text.count('<td class="bl-none">') == 1
    assert "is \\ taken for" in text


def test_shares_in_a_table_stand_to_the_right_as_numbers_do() -> None:
    text = fragment([Table(("a", "b"), (("5.0 %", "5.0 % or so"), (None, "x")))])
    assert '<td class="bl-number">5.0 %</td>' in text
    assert "<td>5.0 % or so</td>" in text
