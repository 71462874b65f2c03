"""What every page promises: well-formed, self-contained, escaped, the same bytes every time."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from backlight.plots import Bars, Block, Figure, Heading, Text, fragment, page
from tests.plots.samples import EXTREMES, LONG, NASTY, blocks

VOID = {"meta", "link", "img", "br", "hr", "input"}
ADDRESSES = {"href", "src", "srcset", "xlink:href", "action", "data", "poster"}
GEOMETRY = {
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "d",
    "width",
    "height",
    "transform",
    "points",
    "dx",
    "dy",
}


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} stands twice"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


def check(text: str) -> Reader:
    read = Reader(text)
    assert not read.count("script")
    for _, attributes in read.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ADDRESSES:
                assert value.startswith("data:")
            if name in GEOMETRY:
                assert not re.search("nan|inf", value, re.IGNORECASE), (name, value)
    styles = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    assert len(styles) == 1
    assert not re.search(r"url\(|@import|//", styles[0])
    return read


def test_the_samples_hold_every_kind_of_block() -> None:
    assert {type(block) for block in blocks("x")} == set(get_args(Block))


@pytest.mark.parametrize("block", blocks("name of it"), ids=lambda block: type(block).__name__)
def test_every_kind_of_block_is_drawn_and_named(block: Block) -> None:
    read = check(fragment([block]))
    assert "name of it" in "".join(read.words)


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_are_drawn(name: str) -> None:
    check(page(name, EXTREMES[name]))
    check(fragment(EXTREMES[name]))


@pytest.mark.parametrize("name", [NASTY, LONG, "\x00\x1b[0m\ud800", "]]>-->"])
def test_names_are_escaped(name: str) -> None:
    text = page(name, blocks(name))
    read = check(text)
    harmless = "x" * len(name)
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in Reader(page(harmless, blocks(harmless))).tags]
    assert "<b>&" not in text


def test_a_page_needs_nothing_else() -> None:
    text = page("title", blocks("x"))
    read = check(text)
    assert text.startswith("<!doctype html>")
    assert ("html", {"lang": "en", "class": "backlight-html"}) in read.tags
    assert ("meta", {"charset": "utf-8"}) in read.tags
    assert ("link", {"rel": "icon", "href": "data:,"}) in read.tags
    metas = {
        attributes.get("name", attributes.get("http-equiv")): attributes
        for tag, attributes in read.tags
        if tag == "meta"
    }
    assert metas["viewport"]["content"] == "width=device-width, initial-scale=1"
    policy = metas["Content-Security-Policy"]["content"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert text.index("charset") < 200


def test_a_page_has_one_title_above_all() -> None:
    assert check(page("the title", [Text("x")])).count("h1") == 1
    assert check(page("the title", [Heading("another", 1), Text("x")])).count("h1") == 1


def test_every_drawing_is_named_or_decoration() -> None:
    text = page("title", blocks("x"))
    for tag, attributes in check(text).tags:
        if tag == "img":
            assert attributes["alt"]
    for inside in re.findall(r'<svg[^>]*role="img"[^>]*>(.{7})', text):
        assert inside == "<title>"


def test_what_colours_mean_is_said_once_and_only_where_there_are_colours() -> None:
    meaning = "+ positive, up"
    assert meaning not in fragment([Heading("x"), Text("y")])
    assert fragment([Text("y"), Bars(("a",), (1.0,)), Bars(("b",), (1.0,))]).count(meaning) == 1


def test_signs_are_written_and_not_only_coloured() -> None:
    words = check(fragment([Bars(("a", "b"), (0.25, -0.5))])).words
    assert {"+0.25", "-0.5"} <= set(words)


def test_the_same_blocks_give_the_same_bytes() -> None:
    assert page("t", blocks("x")) == page("t", blocks("x"))
    assert fragment(blocks("x")) == fragment(iter(blocks("x")))


def test_figure_is_saved_as_a_page(tmp_path: Path) -> None:
    figure = Figure("a title", tuple(blocks("name \ud800")))
    figure.save(tmp_path / "figure.html")
    check((tmp_path / "figure.html").read_text(encoding="utf-8"))
    assert figure._repr_html_() == fragment(figure.blocks)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_and_marks_stand_out(scheme: int) -> None:
    colours = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in fragment([]).split("@media screen")][
        scheme
    ]
    for name, ground, least in [
        ("ink", "paper", 7.0),
        ("muted", "paper", 4.5),
        ("up", "paper", 4.5),
        ("down", "paper", 4.5),
        ("ink", "care", 7.0),
        ("up-mark", "paper", 3.0),
        ("down-mark", "paper", 3.0),
        ("third-mark", "paper", 3.0),
        ("fourth-mark", "paper", 3.0),
    ]:
        dark, bright = sorted((luminance(colours[name]), luminance(colours[ground])))
        assert (bright + 0.05) / (dark + 0.05) >= least, (name, ground)
