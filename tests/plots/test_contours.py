"""Pictures of surfaces show the heights and the paths that they are given."""

import io
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from backlight.plots import Block, Contours, Trail, contours_file, contours_picture, fragment
from backlight.plots.contour_shapes import band_colours, outline
from backlight.plots.isolines import levels
from tests.plots.samples import EXTREMES, LONG, NASTY, blocks

SVG = "{http://www.w3.org/2000/svg}"


def slope(trails: tuple[Trail, ...] = ()) -> Contours:
    side = tuple(np.linspace(0.0, 1.0, 11).tolist())
    return Contours(side, side, np.tile(np.linspace(0.0, 1.0, 11), (11, 1)), trails, ("u", "v"), "a slope", "cost")


def trail(name: str = "path") -> Trail:
    return Trail(name, (0.0, 0.5, 1.0), (0.0, 0.5, 1.0), (2.0, 1.0, 0.0), ("first", "second", "third"))


def every() -> list[Contours]:
    found: list[Block] = [block for several in EXTREMES.values() for block in several]
    return [block for block in [*found, *blocks(NASTY), *blocks(LONG)] if isinstance(block, Contours)]


@pytest.mark.parametrize("contours", every(), ids=range(len(every())))
def test_every_form_takes_every_surface(contours: Contours) -> None:
    read = ET.fromstring(contours_file(contours))
    for element in read.iter():
        for name, value in element.attrib.items():
            assert name == "class" or not re.search(r"\bnan\b|\binf\b", value)
    with Image.open(io.BytesIO(contours_picture(contours))) as picture:
        assert picture.size == (1520, 1280)


def test_pixels_have_the_colours_of_their_heights() -> None:
    with Image.open(io.BytesIO(contours_picture(slope()))) as picture:
        pixels = np.asarray(picture)
    found, colours = levels(slope().heights), band_colours(13)[::-1]
    edges = [0.0, *found, 1.0]
    for k, (low, high) in enumerate(pairwise(edges)):
        if high - low > 0.03:
            x = 2 * (74 + (736 - 74) * (low + high) / 2)
            assert np.abs(pixels[2 * 90, round(x)].astype(int) - colours[k]).max() <= 2


def test_a_file_has_the_bands_in_order_and_the_words() -> None:
    read = ET.fromstring(contours_file(slope((trail(),))))
    shapes = [path for path in read.iter(f"{SVG}path") if path.get("class") == "bl-isoline"]
    assert [shape.get("fill") for shape in shapes] == ["#{:02x}{:02x}{:02x}".format(*c) for c in band_colours(13)[1:]]
    right = [max(_corners(shape.get("d", ""))) for shape in shapes]
    assert right == pytest.approx([1000 * level for level in levels(slope().heights)[::-1]], abs=0.6)
    words = "".join(read.itertext())
    for word in ("a slope", "u →", "v ↑", "path", "from ring to dot"):
        assert word in words
    assert "<script" not in contours_file(slope())


def _corners(d: str) -> list[float]:
    begin, rest = re.fullmatch(r"M(-?\d+ ?-?\d+)l(.*)z", d).groups()  # type: ignore[union-attr]
    steps = [int(number) for number in re.findall(r"-?\d+", rest)]
    return [x + int(begin.split()[0]) for x in [0, *np.cumsum(steps[::2]).tolist()]]


def test_paths_begin_with_a_ring_and_end_with_a_dot() -> None:
    text = fragment([slope((trail(),))])
    (begin,) = re.findall(r'<circle class="bl-begin" cx="([\d.]+)%" cy="([\d.]+)"', text)
    (end,) = re.findall(r'<circle class="bl-finish" cx="([\d.]+)%" cy="([\d.]+)"', text)
    assert (begin, end) == (("0", "450"), ("100", "10"))
    for words in ("first", "second", "third"):
        assert f"<title>{words}</title>" in text


def test_the_farther_off_the_plane_the_paler() -> None:
    text = fragment([slope((trail(),))])
    shares = re.findall(r'class="bl-trail" stroke-opacity="([\d.]+)"', text)
    assert shares == ["0.2", "0.6"]
    assert "the paler" in text
    flat = Trail("path", (0.0, 1.0), (0.0, 1.0), (0.0, 0.0), ("", ""))
    assert "the paler" not in fragment([slope((flat,))])


def test_short_paths_lie_above_long_ones() -> None:
    short = Trail("short", (0.4, 0.5), (0.4, 0.5), (0.0, 0.0), ("short begins", ""))
    for both in ((short, trail()), (trail(), short)):
        text = fragment([slope(both)])
        assert text.index("first") < text.index("short begins")


def test_outlines_keep_their_form_with_few_corners() -> None:
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    ring = [(0.5 + 0.4 * np.cos(a), 0.5 + 0.4 * np.sin(a)) for a in angles.tolist()]
    corners = np.array(outline(ring, 1000, 1000), float)
    assert 20 < len(corners) < 120
    x, y = corners.T
    assert abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2 == pytest.approx(np.pi * 400**2, rel=5e-3)
