from pathlib import Path

from backlight.cli.data_show import sparkline
from tests.cli.terminal import backlight
from tests.pictures import draw


def table() -> None:
    """Sizes, colours, days, mostly gaps, and two kinds."""
    rows = [
        f"{7 * i % 50},{'rgb'[i % 3]},2026-01-{i % 28 + 1:02},{'' if i % 9 else 1},{'xy'[i % 2]}" for i in range(60)
    ]
    Path("t.csv").write_text("\n".join(["size,colour,day,gap,kind", *rows, ""]), encoding="utf-8")


def test_columns_are_told_before_a_target_is_named() -> None:
    table()
    told = backlight("data", "show", "t.csv")
    assert told.code == 0
    for words in ("60 rows, 5 columns", "0 to 49, mean", "b (20), g (20), r (20)"):
        assert words in told.out
    assert "2026-01-01 to 2026-01-28" in told.out
    assert "Give --target COLUMN" in told.out


def test_json_has_columns_parts_inputs_and_classes() -> None:
    table()
    content = backlight("data", "show", "t.csv", "--target", "kind", "--json").json
    assert content["rows"] == 60
    columns = {column["name"]: column for column in content["columns"]}
    assert columns["gap"]["missing"] == 53
    assert columns["day"]["type"] == "date (year-month-day)"
    assert sum(columns["size"]["histogram"]) == 60
    assert sum(content["parts"].values()) == 60
    assert content["classes"] == {"kind": {"x": 30, "y": 30}}


def test_a_page_and_pictures() -> None:
    assert backlight("data", "show", "digits", "--html", "page.html").code == 0
    assert "What digits holds" in Path("page.html").read_text(encoding="utf-8")
    assert "██" in backlight("data", "show", "digits").out


def test_images_as_train_reads_them() -> None:
    for k in range(24):
        draw(Path("scans") / f"{'ab'[k % 2]}{'xyz'[k % 3]}_{k}.png", seed=k)
    Path("scans/cut.png").write_bytes(b"")
    Path("names.csv").write_text(
        "file,kind\n" + "".join(f"{'ab'[k % 2]}{'xyz'[k % 3]}_{k},{k % 2}\n" for k in range(24))
    )
    for options in (["--labels", "names.csv"], ["--label-from", "^([abc]).", "--skip-broken"]):
        shown = backlight("data", "show", "scans", *options, "--size", "5x3", "--gray", "--json")
        assert shown.code == 0, shown.err
        assert shown.json["inputs"]["shape"] == [3, 5]
        assert sum(shown.json["parts"].values()) == 24
    assert "without a label was left out: cut.png" in backlight("data", "show", "scans", "--labels", "names.csv").out


def test_bad_input_is_one_sentence() -> None:
    table()
    for arguments, words in (
        (["none.csv"], "there is no file none.csv"),
        (["t.csv", "--target", "knd"], "has no column 'knd'; did you mean 'kind'"),
        (["t.csv", "--drop", "siz"], "--drop names the column 'siz'; did you mean 'size'"),
        (["t.csv", "--size", "8"], "t.csv is read without --size, --gray, --labels, --label-from and --skip-broken"),
        (["t.csv", "--group", "kind", "--time", "day"], "two ways to split"),
        (["digits", "--target", "a"], "digits has no columns to choose from"),
    ):
        told = backlight("data", "show", *arguments)
        assert told.code == 2, arguments
        assert words in told.err
        assert told.err.count("\n") == 1


def test_bars_of_counts() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "  "
    assert sparkline([1, 1000]) == "▁█"
