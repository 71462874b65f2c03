"""What is on the screen: lines for files, a live display for terminals, and any names and widths."""

import io
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from backlight.cli import display, report
from backlight.files import Settings, begin, load_for
from backlight.training import EndRecord, EpochRecord
from tests.cli.terminal import backlight

fcntl = pytest.importorskip("fcntl", reason="pseudo-terminals are a thing of Unix")
termios = pytest.importorskip("termios", reason="pseudo-terminals are a thing of Unix")

MODULE = [sys.executable, "-m", "backlight"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_a_terminal(width: int, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command with its output on a pseudo-terminal of some width; the exit code and all that it wrote."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    known = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen([*MODULE, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=known)
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunk = os.read(ours, 1 << 16)
        except OSError:  # Linux says so when the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(ours)
    return process.wait(timeout=60), b"".join(chunks).decode()


def lines(screen: str) -> list[str]:
    return re.split(r"[\r\n]+", ESCAPES.sub("", screen))


def test_the_heading_tells_what_the_training_is_done_with(tmp_path):
    given = Settings("moons", epochs=1, clip=1.5, augment="noise=0.1")
    heading = display.heading(begin(given, load_for(given), folder=tmp_path / "run"))
    assert "with      clip 1.5, augment noise=0.1" in heading


@pytest.mark.parametrize("width", [80, 40, 24])
def test_the_live_display_fits_into_a_terminal(width):
    code, screen = in_a_terminal(width, "train", "digits", "--epochs", "60", "--out", "done")
    assert code == 0
    assert "Traceback" not in screen
    assert "\x1b[1A" in screen  # it is drawn over and over
    shown = lines(screen)
    drawn = [line for line in shown if line.startswith(("epoch ", "loss ", "validation ", "at most", "best epoch"))]
    assert max(map(len, drawn)) <= width
    assert any(line.startswith("epoch 60/60  ━━━━") for line in shown)
    assert any("validation accuracy" in line for line in shown)
    assert any("best epoch" in line for line in shown)
    results = shown[next(k for k, line in enumerate(shown) if line.startswith("stopped")) :]
    assert "…" not in "".join(results)
    assert re.search(r"loss .*accuracy .*macro F1" if width > 24 else r"  accuracy +\d\d", "\n".join(results))


def test_colours_are_left_out_where_they_are_not_wanted():
    assert "\x1b[36m" in in_a_terminal(80, "train", "moons", "--epochs", "2")[1]
    assert not re.search(r"\x1b\[(3|9)\d", in_a_terminal(80, "train", "moons", "--epochs", "2", NO_COLOR="1")[1])


def test_a_terminal_that_cannot_move_its_cursor_gets_lines():
    code, screen = in_a_terminal(80, "train", "moons", "--epochs", "2", TERM="dumb")
    assert code == 0
    assert "\x1b" not in screen
    assert [line.split("/")[0] for line in lines(screen) if line.startswith("epoch")] == ["epoch   0", "epoch   2"]


def test_lines_for_a_file_come_once_a_second_and_the_last_always(monkeypatch):
    now = 100.0
    monkeypatch.setattr(display, "heading", lambda conduct: ["heading"])
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: now))
    conduct: Any = SimpleNamespace(run=SimpleNamespace(settings=SimpleNamespace(epochs=50)))
    speaker, said = display.PlainLines(conduct), []
    for epoch in range(36):
        now += 0.25
        said += speaker.of(EpochRecord(epoch, epoch, {"loss": 1.0}, None, None, 0.0))
    said += speaker.of(EndRecord("", 35, 35, None, failed=False, seconds=0.0))
    assert [line.split("/")[0] for line in said] == ["heading", *(f"epoch {k:>3}" for k in [*range(0, 36, 4), 35])]


def test_a_run_of_no_time_says_its_first_and_its_last_epoch():
    result = backlight("train", "moons", "--epochs", "3", "--layers", "4")
    said = [line for line in result.err.splitlines() if line.startswith("epoch")]
    assert [line.split("/")[0] for line in said] == ["epoch   0", "epoch   3"]
    assert not any(line.startswith("epoch") for line in result.out.splitlines())
    assert result.err.startswith("data      moons: train 700 · validation 150 · test 150\n")


def test_progress_never_reaches_stdout(run):
    result = backlight("train", "moons", "--epochs", "3", "--layers", "4")
    assert "examples/s" in result.err
    assert "examples/s" not in result.out


AWKWARD = ("[red]rot[/red]", "[/b]", ":smile:")


def test_names_with_brackets_are_shown_as_they_are():
    rows = [f"{k / 60},{AWKWARD[k % 3]},{AWKWARD[k // 20]}" for k in range(60)]
    Path("odd [bold].csv").write_text("\n".join(["[red]u,[/x] v,[bold]w[/bold]", *rows]) + "\n")
    options = ["--target", "[bold]w[/bold]", "--epochs", "9", "--lr", "0.01", "--out", "odd[red]"]
    trained = backlight("train", "odd [bold].csv", *options)
    assert trained.code == 0
    assert "data      odd [bold]: train" in trained.err
    assert "saved     odd[red]" in trained.out
    shown = backlight("evaluate", "odd[red]").out
    assert all(name in shown for name in AWKWARD)
    full = backlight("predict", "odd[red]", "test:0").out
    assert all(name in full for name in AWKWARD)
    Path("new.csv").write_text("[red]u,[/x] v\n0.1,[/]\n0.9,[/]\n")
    many = backlight("predict", "odd[red]", "new.csv")
    assert "2 cells of '[/x] v' hold a category" in many.out
    assert any(name in many.out for name in AWKWARD)
    assert "no column '[/w]'" in backlight("train", "odd [bold].csv", "--target", "[/w]").err
    assert "there is no file [/red].csv" in backlight("train", "[/red].csv").err


def on_screen(width: int, show: Any) -> list[str]:
    out = io.StringIO()
    show(Console(file=out, force_terminal=True, color_system=None, width=width, markup=False, emoji=False))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("count", [3, 10, 100])
@pytest.mark.parametrize("width", [80, 24])
def test_any_number_of_classes_with_any_names_fits(count, width):
    names = tuple(f"class {k}" + " that has a very long name indeed" * (k == 0) for k in range(count))
    confusion = [[50 if k == c else (k + c) % 3 for c in range(count)] for k in range(count)]
    shown = on_screen(width, lambda out: out.print(report.confusion(out, confusion, names)))
    assert max(map(len, shown)) <= width
    assert len(shown) <= max(count + 1, 14)
    assert "class" in shown[1]


def test_where_the_table_of_all_pairs_is_too_wide_the_worst_mistakes_are_told():
    names = tuple(f"class {k}" for k in range(30))
    confusion = [[9 if k == c else 0 for c in range(30)] for k in range(30)]
    confusion[7][3], confusion[1][2] = 5, 2
    shown = on_screen(80, lambda out: out.print(report.confusion(out, confusion, names)))
    assert [line.split() for line in shown[1:]] == [
        ["class", "7", "class", "3", "5"],
        ["class", "1", "class", "2", "2"],
    ]


def test_in_a_file_nothing_is_cut_or_wrapped():
    rows = [f"{k % 40 + 0.3 * (k % 7) / 7},species {k % 40} of a long list" for k in range(800)]
    Path("many.csv").write_text("\n".join(["u,w", *rows]) + "\n")
    assert backlight("train", "many.csv", "--target", "w", "--epochs", "1", "--out", "many").code == 0
    shown = backlight("evaluate", "many").out
    table = shown.split("What was taken for what\n")[1].splitlines()[:41]
    assert all("\n".join(table).count(f"species {k} of a long list") == 2 for k in range(40))
    assert len({len(line) for line in table[1:]}) == 1


# streams that are not what one is used to ----------------------------------------------------------------------------


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*MODULE, *arguments], capture_output=True, check=False, env={**os.environ, **environment})


def test_a_terminal_without_unicode_gets_question_marks_and_whole_json():
    rows = [f"{k / 60},{'ä' if k < 30 else 'ö'}" for k in range(60)]
    Path("umlauts.csv").write_text("\n".join(["u,w", *rows]) + "\n", encoding="utf-8")
    trained = command(
        "train", "umlauts.csv", "--target", "w", "--epochs", "2", "--out", "done", PYTHONIOENCODING="ascii"
    )
    assert trained.returncode == 0
    assert b"data      umlauts: train 42 ? validation 9 ? test 9" in trained.stderr
    assert command("predict", "done", "test:0", PYTHONIOENCODING="ascii").returncode == 0
    content = command("predict", "done", "test:0", "--json", PYTHONIOENCODING="ascii").stdout
    assert content.isascii()
    assert set(json.loads(content)["predictions"][0]["probabilities"]) == {"ä", "ö"}
    plain = command("predict", "done", "test:0", "--json", PYTHONIOENCODING="utf-8").stdout
    assert "ä".encode() in plain
    assert json.loads(plain) == json.loads(content)


@pytest.mark.parametrize("arguments", [["evaluate", "done"], ["data", "list"], ["predict", "done", "table.csv"]])
def test_a_reader_who_has_seen_enough_causes_no_traceback(arguments, run):
    process = subprocess.Popen([*MODULE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, a disk without room")
def test_a_full_disk_causes_no_traceback(run):
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*MODULE, "evaluate", "done"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode != 0
    assert b"Traceback" not in ended.stderr
