from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.data import Dataset, TableOptions, load
from backlight.data.tables.options import column_list
from backlight.errors import InputError

N = 200
RNG = np.random.default_rng(0)
V = RNG.random(N).round(4)
Y = ["ab"[int(k)] for k in RNG.random(N) < 0.4]


def put(tmp_path: Path, head: str, *columns: Any) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True)))
    return path


def base(tmp_path: Path) -> Path:
    days = [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(N)]
    parts = [["train", "Test", "val", "training"][i % 4] for i in range(N)]
    head = 'v,g,when,part,w,"a,b",y'
    return put(tmp_path, head, V, [f"g{i // 10}" for i in range(N)], days, parts, np.arange(N) % 3, np.arange(N) % 7, Y)


def read(path: Path, target: Any = "y", **options: Any) -> Dataset:
    return load(path, target=target, options=TableOptions(**options))


def test_groups_stay_together_and_are_not_learnt_from(tmp_path: Path) -> None:
    data = read(base(tmp_path), group="g")
    groups = [set(rows // 10) for rows in data.rows.values()]
    assert sum(map(len, groups)) == 20
    assert len(set.union(*groups)) == 20
    assert data.inputs.left_out["g"] == "it says which rows belong together; --keep uses it"  # type: ignore[union-attr]
    assert any(name.startswith("g=") for name in read(base(tmp_path), group="g", keep=("g",)).inputs.names)


@pytest.mark.parametrize("column", ["when", "v"])
def test_the_latest_rows_are_the_test(tmp_path: Path, column: str) -> None:
    when = np.array([100 * (i % 12) + i % 28 for i in range(N)], np.float64) if column == "when" else V
    rows = read(base(tmp_path), time=column).rows
    assert when[rows["train"]].max() < when[rows["validation"]].min()
    assert when[rows["validation"]].max() < when[rows["test"]].min()
    assert [len(part) for part in rows.values()] == [140, 30, 30]


def test_a_column_says_the_part(tmp_path: Path) -> None:
    rows = read(base(tmp_path), split="part").rows
    assert rows["test"].tolist() == list(range(1, N, 4))
    assert rows["validation"].tolist() == list(range(2, N, 4))
    assert len(rows["train"]) == 100


def test_weights_of_rows_and_classes_multiply(tmp_path: Path) -> None:
    data = read(base(tmp_path), weight="w", class_weights="a=2.5")
    expected = np.arange(N) % 3 * np.where(np.array(Y) == "a", 2.5, 1.0)
    assert data.weights is not None
    assert np.allclose(data.weights, expected)
    balanced = read(base(tmp_path), class_weights="balanced")
    assert balanced.weights is not None
    train = balanced.rows["train"]
    sums = [balanced.weights[train][balanced.y[train] == k].sum() for k in (0, 1)]
    assert np.allclose(sums, 70, rtol=1e-5)


def test_columns_with_commas_in_their_names(tmp_path: Path) -> None:
    data = read(base(tmp_path), drop=("a,b", "v,g"), types=("w=text",))
    assert data.inputs.names[-3:] == ("w=0", "w=1", "w=2")
    assert set(data.inputs.left_out) == {"a,b", "v", "g"}  # type: ignore[union-attr]
    assert column_list(["v, g"], ["v", "g"], "--drop") == ("v", "g")


def test_rows_without_a_group_are_one_group(tmp_path: Path) -> None:
    path = put(tmp_path, "v,g,y", V, ["" if i % 2 else f"z{i % 20}" for i in range(N)], Y)
    parts = [set(rows % 2 == 1) for rows in load(path, target="y", options=TableOptions(group="g")).rows.values()]
    assert sum(True in part for part in parts) == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"group": "nope"}, "has no column 'nope'; there are 'v', 'g'"),
    ({"group": "y"}, "'y' is the target, so rows cannot be split or weighed by it"),
    ({"time": "v", "target": "v"}, "'v' is the target, so rows cannot be split or weighed by it"),
    ({"group": "g", "time": "v"}, "--group and --time are two ways to split the rows; give one of them"),
    ({"time": "g"}, "column 'g' cannot be read as dates or numbers, such as 'g0'"),
    ({"split": "g"}, "column 'g' holds 'g0', which names no part; write train, validation or test"),
    ({"split": "w"}, "column 'w' holds '0', which names no part"),
    ({"weight": "g"}, "the weights in column 'g' are no numbers; give another"),
    ({"class_weights": "c=2"}, "the class weights name 'c'; there are 'a', 'b'"),
    ({"class_weights": "a=-1"}, "write balanced, or CLASS=WEIGHT with commas between"),
    ({"class_weights": "a=0,b=0"}, "every row of the training part weighs 0; give weights above 0"),
    ({"class_weights": "balanced", "target": "v"}, "class weights are for a target with one class per row"),
    ({"drop": ("y",)}, "--drop names 'y', which is the target"),
    ({"drop": ("v",), "keep": ("v",)}, "--drop names 'v', which is a column that is kept"),
    ({"drop": ("vv",)}, "--drop names the column 'vv'; did you mean 'v'"),
    ({"keep": ("",)}, "--keep names the column ''; there are"),
    ({"target": ["y", "y"]}, "name a column twice; name each once"),
    ({"target": ["y", "v"]}, "'y' has classes and 'v' is a quantity, and one network learns either"),
    ({"target": "when"}, "the target 'when' holds dates, which cannot be predicted"),
    ({"separator": ";"}, "has no column 'y'"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_options_that_cannot_be(tmp_path: Path, options: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(base(tmp_path), **options)
    assert words in str(caught.value)


DAYS = [f"2024-01-{i % 28 + 1:02}" for i in range(N)]
WORSE: list[tuple[str, Any, dict[str, Any], str]] = [
    ("t", [*DAYS[:5], "", *DAYS[6:]], {"time": "t"}, "line 7, column 't': the cell is empty"),
    (
        "t",
        [*DAYS[:5], "soon", *DAYS[6:]],
        {"time": "t"},
        "line 7, column 't': 'soon' is no date or time written as year",
    ),
    ("t", ["2024-01-01"] * N, {"time": "t"}, "every row is of the same moment"),
    ("w", [1] * 5 + [-1] * (N - 5), {"weight": "w"}, "column 'w': the weight is -1; write a number from 0 up"),
    ("w", [1] * 5 + [""] * (N - 5), {"weight": "w"}, "column 'w': the weight is empty; write a number from 0 up"),
    ("w", [0] * N, {"weight": "w"}, "every row of the training part weighs 0"),
    ("g", ["z"] * N, {"group": "g"}, "column 'g' has one group, the whole table, and 3 parts need at least as many"),
    ("p", ["train"] * 7 + [""] * (N - 7), {"split": "p"}, "column 'p' is empty in row 7"),
    ("p", ["test"] * N, {"split": "p"}, "column 'p' puts no row into the training part"),
]


@pytest.mark.parametrize(("name", "cells", "options", "words"), WORSE)
def test_columns_that_cannot_split_or_weigh(tmp_path: Path, name: str, cells: Any, options: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(put(tmp_path, f"v,{name},y", V, cells, Y), **options)
    assert words in str(caught.value)


def test_too_many_rows_of_one_moment(tmp_path: Path) -> None:
    path = put(tmp_path, "v,t,y", V, [0] * 20 + [1] * (N - 20), Y)
    with pytest.raises(InputError, match="too many rows are of the same moment"):
        read(path, time="t")


def test_a_part_with_a_single_class_is_noted_and_a_training_part_refused(tmp_path: Path) -> None:
    parts = ["train"] * 150 + ["test"] * 50
    late = put(tmp_path, "v,p,y", V, parts, [*Y[:150], *["a"] * 50])
    assert read(late, split="p").notes == ("the test part holds one class only, 'y' = 'a': its scores say little",)
    strange = put(tmp_path, "v,p,y", V, parts, [*Y[:150], *["c"] * 50])
    assert "the training part has no row with 'y' = 'c', so that is never predicted" in read(strange, split="p").notes
    single = put(tmp_path, "v,p,y", V, parts, ["a"] * 150 + ["b"] * 50)
    with pytest.raises(InputError, match="'a' in every row of the training part, and one class gives nothing to learn"):
        read(single, split="p")
