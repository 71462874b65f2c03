"""Tables of one's own in the terminal: what is found is shown; what cannot be used is refused in one line."""

import random
from pathlib import Path

import duckdb
import pytest

from backlight.data.tables import input_writing
from tests.cli.terminal import backlight, refused_in_one_line

QUICK = ["--epochs", "1", "--layers", "4"]


def write(head: str = "id,when,a,town,y", separator: str = ",", encoding: str = "utf-8") -> None:
    random.seed(1)
    rows = (
        f"{i},0{i % 9 + 1}/0{i % 8 + 1}/2024,{random.random():.3f},tä{i % 130},{'np'[i % 3 == 0]}\n" for i in range(300)
    )
    Path("t.csv").write_bytes((head + "\n" + "".join(rows)).replace(",", separator).encode(encoding))


def test_what_was_found_is_shown_before_the_training():
    write(encoding="latin-1")
    result = backlight("train", "t.csv", "--target", "y", *QUICK)
    assert result.code == 0
    assert (
        "left out  id: it looks like an identifier: a different whole number in every row; --keep uses it" in result.err
    )
    assert "note      the file was read as cp1252 text, as it is not UTF-8" in result.err
    assert (
        "note      the dates in 'when' were read as month/day/year, and could be day/month/year as well" in result.err
    )
    assert "note      'town' has 130 different values; its 100 commonest are told apart" in result.err
    assert backlight("train", "t.csv", "--target", "y", *QUICK, "--json").json["epochs"] == 1


def test_many_columns_that_are_left_out_are_counted():
    Path("t.csv").write_text(
        ",".join(f"k{i}" for i in range(30)) + ",v,y\n"
        + "".join("5," * 30 + f"{7 * i % 31},{'np'[i % 2]}\n" for i in range(60))
    )  # fmt: skip
    err = backlight("train", "t.csv", "--target", "y", *QUICK).err
    assert err.count("left out") == 5
    assert "and 25 more columns" in err


def test_options_reach_the_table_and_are_kept_in_the_run():
    write(separator="^")
    options = [
        "--separator",
        "^",
        "--drop",
        "id,when",
        "--types",
        "a=text",
        "--group",
        "town",
        "--class-weights",
        "balanced",
    ]
    result = backlight("train", "t.csv", "--target", "y", *QUICK, *options, "--keep", "a", "--out", "run")
    assert result.code == 0, result.err
    assert "left out  town: it says which rows belong together; --keep uses it" in result.err
    assert backlight("evaluate", "run", "--json").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--group", "y"], "'y' is the target, so rows cannot be split or weighed by it; choose another column"),
        (["--group", "towm"], "t.csv has no column 'towm'; did you mean 'town'?"),
        (["--time", "town"], "t.csv: column 'town' cannot be read as dates or numbers, such as 'tä0'"),
        (["--split", "town"], "column 'town' holds 'tä0', which names no part; write train, validation or test"),
        (["--weight", "town"], "t.csv: the weights in column 'town' are no numbers; give another"),
        (
            ["--class-weights", "n=x"],
            "the class weights are 'n=x'; write balanced, or CLASS=WEIGHT with commas between",
        ),
        (["--types", "a=int"], "--types is 'a=int'; write COLUMN=TYPE, where TYPE is number, text, date"),
        (["--types", "town=number"], "t.csv, line 2, column 'town': 'tä0' is text where a number is expected"),
        (["--drop", "nothing"], "--drop names the column 'nothing'; there are 'id', 'when'"),
        (
            ["--separator", "ab"],
            "the separator is 'ab'; give one character that stands between cells, or tab, or space",
        ),
        (["--group", "town", "--time", "a"], "--group and --time are two ways to split the rows; give one of them"),
    ],
)
def test_options_that_cannot_be(options, message):
    write()
    refused_in_one_line(message, "train", "t.csv", "--target", "y", *options)


def parquet(path: str, select: str) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    duckdb.connect().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


ROWS = "SELECT {v} AS v, CASE WHEN i * 7919 % 11 < 5 THEN 'n' ELSE 'p' END AS y FROM range({start}, {start} + 60) r(i)"


def test_a_folder_of_parquet_is_one_table():
    parquet("many/1.parquet", ROWS.format(v="i::INT", start=0))
    parquet("many/2.parquet", ROWS.format(v="i + 0.5", start=60))  # the type is what holds both
    result = backlight("train", "many", "--target", "y", *QUICK, "--keep", "v", "--out", "run")
    assert result.code == 0, result.err
    assert "train 84 " in result.err
    assert backlight("predict", "run", "many/2.parquet", "--json").code == 0


def test_parquet_that_cannot_be_used():
    parquet("many/1.parquet", ROWS.format(v="i", start=0))
    parquet("many/2.parquet", "SELECT i AS other, 'n' AS y FROM range(9) r(i)")
    refused_in_one_line("many: 1 of 2 Parquet files have the column", "train", "many", "--target", "y")
    Path("many/2.parquet").write_bytes(Path("many/1.parquet").read_bytes()[:200])
    refused_in_one_line("many is not readable as Parquet", "train", "many", "--target", "y")
    refused_in_one_line("is not readable as Parquet", "train", "many/2.parquet", "--target", "y")
    refused_in_one_line("is Parquet, which has no separator", "train", "many", "--target", "y", "--separator", ";")


def test_inputs_in_a_mapped_file_give_the_same_bits(monkeypatch):
    write()
    models = []
    for folder, most in (("memory", 1 << 28), ("mapped", 0)):
        monkeypatch.setattr(input_writing, "MAPPED", most)
        assert backlight("train", "t.csv", "--target", "y", "--epochs", "3", "--layers", "4", "--out", folder).code == 0
        assert backlight("evaluate", folder, "--json").json["examples"] == 45
        assert backlight("explain", folder, "--example", "test:3", "--json").json["example"] == "test:3"
        models.append(Path(folder, "model.safetensors").read_bytes())
    assert models[0] == models[1]


def test_new_rows_are_read_with_the_separator_of_the_run() -> None:
    rows = [f"{7 * i % 50}${i / 3:.2f}${'xy'[i % 2]}" for i in range(60)]
    Path("odd.csv").write_text("\n".join(["size$share$kind", *rows, ""]), encoding="utf-8")
    given = ("--target", "kind", "--separator", "$", "--epochs", "1", "--out", "r")
    assert backlight("train", "odd.csv", *given).code == 0
    Path("new.csv").write_text("size$share\n3$1.5\n", encoding="utf-8")
    assert len(backlight("predict", "r", "new.csv", "--json").json["predictions"]) == 1
    assert backlight("evaluate", "r", "odd.csv", "--json").json["examples"] == 60
    refused = backlight("evaluate", "r", "odd.csv", "--labels", "odd.csv")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "are for images, and the model was trained on a table" in refused.err
