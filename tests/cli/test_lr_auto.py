"""`--lr auto`: the rate that is found, and the curve that is kept."""

import json
from pathlib import Path

from tests.cli.terminal import backlight


def test_the_rate_is_found_and_its_curve_is_kept():
    result = backlight("train", "moons", "--lr", "auto", "--epochs", "2", "--out", "one")
    found = json.loads(Path("one/lr_range.json").read_text())
    assert sorted(found) == ["chosen", "losses", "rates", "smoothed"]
    assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"]) > 50
    assert json.loads(Path("one/run.json").read_text())["settings"]["lr"] == found["chosen"]
    assert f"lr        {found['chosen']:g} was found by a range test: one/lr_range.html" in result.err
    page = Path("one/lr_range.html").read_text(encoding="utf-8")
    assert f"The learning rate {found['chosen']:g} was chosen" in page
    assert "<svg" in page


def test_the_same_seed_finds_the_same_and_a_replaced_run_keeps_no_old_curve():
    for out in ("one", "two"):
        backlight("train", "moons", "--lr", "auto", "--classic", "--epochs", "1", "--out", out)
    assert Path("one/lr_range.json").read_bytes() == Path("two/lr_range.json").read_bytes()
    backlight("train", "moons", "--epochs", "1", "--out", "one", "--force")
    assert not Path("one/lr_range.json").exists()
    assert not Path("one/lr_range.html").exists()
