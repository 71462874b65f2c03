from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.data import Classes, Quantities, load, read_rows
from backlight.errors import InputError

TARGETED = "a,kind\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(40))


def put(tmp_path: Path, content: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(content)
    return path


def column(*values: object) -> str:
    return "v,t\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["no", "yes"] * 5, ("no", "yes")),
        (["true", "false"] * 5, ("false", "true")),
        ([10, 9, 1] * 5, ("1", "9", "10")),
        ([1.0, 2.0] * 5, ("1", "2")),
        ([*range(20)] * 2, tuple(map(str, range(20)))),
        (["1", "2", "A"] * 5, ("1", "2", "A")),
    ],
)
def test_targets_that_are_classes(tmp_path: Path, values: Any, names: Any) -> None:
    data = load(put(tmp_path, column(*values)), target="t")
    assert data.target == Classes(names, "t")
    assert data.y.dtype == np.int64
    assert [names[i] for i in data.y] == [names[names.index(str(v).removesuffix(".0"))] for v in values]


@pytest.mark.parametrize("values", [[0.5, 1.5] * 5, [*range(21)] * 2, [1, 2, 3]])
def test_targets_that_are_quantities(tmp_path: Path, values: Any) -> None:
    data = load(put(tmp_path, column(*values)), target="t")
    assert isinstance(data.target, Quantities)
    assert data.target.names == ("t",)
    train = data.y[data.rows["train"]]
    assert data.y.dtype == np.float32
    assert abs(train.mean()) < 1e-6
    assert abs(train.std() - 1) < 1e-6
    assert np.allclose(data.target.decode(data.y)[:, 0], values, atol=1e-5)


def test_the_task_decides_where_it_is_given(tmp_path: Path) -> None:
    whole = put(tmp_path, column(*[1, 2, 3] * 5))
    assert isinstance(load(whole, target="t", task="regression").target, Quantities)
    halves = put(tmp_path, column(*[0.5, 1, 2] * 5))
    assert load(halves, target="t", task="classification").target == Classes(("0.5", "1", "2"), "t")
    with pytest.raises(InputError, match="there is no task 'regresion'; did you mean 'regression'"):
        load(whole, target="t", task="regresion")
    with pytest.raises(InputError, match="line 2, column 't': 'no' is text where a number is expected"):
        load(put(tmp_path, column("no", "yes")), target="t", task="regression")


@pytest.mark.parametrize(
    ("content", "target", "words"),
    [
        (TARGETED, None, "which column of .* is to be predicted[?] give --target; there are 'a', 'kind'"),
        (TARGETED, "knd", "has no column 'knd'; did you mean 'kind'"),
        (column("a", "a", "a"), "t", "the target 't' is 'a' in every row, and one class gives nothing to learn"),
        (column(3, 3, 3), "t", "the target 't' is '3' in every row"),
        (column(0.5, 0.5, 0.5), "t", "the target 't' is 0.5 in every training row"),
        (column("", "NA", ""), "t", "the target 't' has no values"),
        (column(*[f"n{i}" for i in range(99)]), "t", "99 different values in 99 rows, too many for classes"),
        (column(*range(30), "x"), "t", "line 32, column 't': 'x' is text where a number is expected"),
        (column(1, 2, "inf", 4), "t", "line 4, column 't': 'inf' is not a finite number"),
        ("t\n1\n2\n3\n", "t", "has no column to learn 't' from"),
        ("c,t\n5,x\n5,y\n5,x\n", "t", r"no column to learn 't' from \('c': it is 5 in every training row\)"),
        ("c,t\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(60)) + "oops,x\n", "t",
         "line 62, column 'c': 'oops' is text where a number is expected"),
        ("c,t\n1,x\n-inf,y\n", "t", "line 3, column 'c': '-inf' is not a finite number"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_learnt_from(tmp_path: Path, content: Any, target: Any, words: str) -> None:
    path = put(tmp_path, content)
    with pytest.raises(InputError, match=words) as caught:
        load(path, target=target)
    assert str(path) in str(caught.value) or "in every training row" in str(caught.value)


def test_rows_without_a_target_are_in_no_part_and_keep_their_numbers(tmp_path: Path) -> None:
    values = ["x", "", "y", "NA"] * 10
    data = load(put(tmp_path, column(*values)), target="t")
    used = np.concatenate(list(data.rows.values()))
    assert sorted(used.tolist()) == [i for i in range(40) if i % 2 == 0]
    assert data.unlabelled == 20
    assert data.y[1] == -1
    numbers = load(put(tmp_path, column(*[0.5, "", 1.5] * 8)), target="t")
    assert np.isnan(numbers.y[1, 0])
    assert numbers.unlabelled == 8


def test_row_numbers_are_the_order_of_the_file(tmp_path: Path) -> None:
    data = load(put(tmp_path, "v,t\n" + "".join(f"{i},{i % 2}\n" for i in range(100_000))), target="t")
    assert (np.diff(data.x[:, 0]) > 0).all()
    assert (data.y == np.arange(100_000) % 2).all()


def test_the_seed_splits_and_nothing_else_does(tmp_path: Path) -> None:
    path = put(tmp_path, TARGETED)
    one, same, other = (load(path, target="kind", seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one.rows[part], same.rows[part]) for part in one.rows)
    assert not all(np.array_equal(one.rows[part], other.rows[part]) for part in one.rows)


def test_columns_that_are_not_used_are_recorded(tmp_path: Path) -> None:
    content = "id,flag,t,v\n" + "".join(f"name{i},on,{i % 2},{i / 2}\n" for i in range(40))
    data = load(put(tmp_path, content), target="t")
    assert data.inputs.names == ("v",)
    assert data.inputs.to_dict()["left_out"] == {
        "id": "it is text that differs in nearly every row (28 values in 28 rows), as names and identifiers do",
        "flag": "it is 'on' in every training row",
    }


def test_the_source_says_where_and_what(tmp_path: Path) -> None:
    path = put(tmp_path, TARGETED)
    source = load(path, target="kind").source.to_dict()
    assert source["kind"] == "csv"
    assert source["name"] == str(path)
    assert source["files"][0]["path"] == str(path)
    assert len(source["files"][0]["sha256"]) == 64


class TestNewRows:
    content = "size,colour,kind\n" + "".join(f"{7 * i % 60},{'rgb'[i % 3]},{'xy'[i % 2]}\n" for i in range(60))

    @pytest.fixture
    def data(self, tmp_path: Path) -> Any:
        return load(put(tmp_path, self.content, "train.csv"), target="kind")

    def test_the_same_file_gives_the_same_numbers(self, tmp_path: Path, data: Any) -> None:
        rows = read_rows(tmp_path / "train.csv", data.inputs, data.target, labelled=True)
        assert np.array_equal(rows.x, data.x)
        assert rows.y is not None
        assert np.array_equal(rows.y, data.y)
        assert rows.labels[:2] == (f"{tmp_path / 'train.csv'}:0", f"{tmp_path / 'train.csv'}:1")

    def test_order_and_extra_columns_do_not_matter_and_the_target_is_optional(self, tmp_path: Path, data: Any) -> None:
        new = put(tmp_path, "extra;colour;size\nz;g;1,5\n\n;r;2\n", "new.csv")
        rows = read_rows(str(new), data.inputs, data.target, labelled=False)
        assert rows.y is None
        assert rows.x.shape == (2, 4)
        assert rows.x[:, 1:].tolist() == [[0, 1, 0], [0, 0, 1]]
        assert rows.labels == (f"{new}:0", f"{new}:1")
        assert rows.unseen == {}

    def test_unseen_categories_are_counted(self, tmp_path: Path, data: Any) -> None:
        new = put(tmp_path, "size,colour\n1,pink\n2,r\n3,\n4,mauve\n", "new.csv")
        rows = read_rows(new, data.inputs, data.target, labelled=False)
        assert rows.unseen == {"colour": 2}
        assert rows.x[0, 1:].tolist() == [0, 0, 0]

    def test_a_number_as_a_category_is_text(self, tmp_path: Path, data: Any) -> None:
        new = put(tmp_path, "size,colour\n1,7\n", "new.csv")
        assert read_rows(new, data.inputs, data.target, labelled=False).unseen == {"colour": 1}

    @pytest.mark.parametrize(
        ("content", "labelled", "words"),
        [
            ("size,colour\n1,r\nbig,g\n", False, "new.csv, line 3, column 'size': 'big' is text where a number"),
            ("size,colour\nNA,r\ninf,g\n", False, "new.csv, line 3, column 'size': 'inf' is not a finite number"),
            ("size,color\n1,r\n", False, "lacks the column 'colour', which the model needs; did you mean 'color'"),
            ("size,colour\n1,r\n", True, "lacks the column 'kind', which the model needs"),
            ("size,colour,kind\n1,r,x\n1,r,\n", True, "line 3, column 'kind': the target is missing"),
            ("size,colour,kind\n1,r,z\n", True, "line 2, column 'kind': 'z' is no class of this model"),
            ("size,colour\n", False, "has no rows beneath its header"),
            ("", False, "is empty"),
        ],
    )
    def test_rows_that_do_not_fit(self, tmp_path: Path, data: Any, content: Any, labelled: Any, words: str) -> None:
        with pytest.raises(InputError, match=words):
            read_rows(put(tmp_path, content, "new.csv"), data.inputs, data.target, labelled=labelled)

    def test_other_kinds_of_files(self, tmp_path: Path, data: Any) -> None:
        for name, words in (("new.npz", "is not a table, but the model was trained on one"), ("none.csv", "no file")):
            if name != "none.csv":
                (tmp_path / name).touch()
            with pytest.raises(InputError, match=words):
                read_rows(tmp_path / name, data.inputs, data.target, labelled=False)

    def test_quantities_in_their_own_units(self, tmp_path: Path) -> None:
        data = load(put(tmp_path, self.content), target="size")
        rows = read_rows(put(tmp_path, "colour,kind,size\nr,x,30\n"), data.inputs, data.target, labelled=True)
        assert isinstance(data.target, Quantities)
        assert rows.y is not None
        assert data.target.decode(rows.y).round(4).tolist() == [[30.0]]

    def test_classes_that_are_numbers_may_be_written_otherwise(self, tmp_path: Path) -> None:
        data = load(put(tmp_path, column(*[0, 1] * 9)), target="t")
        rows = read_rows(put(tmp_path, "v,t\n1,1.0\n2,00\n"), data.inputs, data.target, labelled=True)
        assert rows.y is not None
        assert rows.y.tolist() == [1, 0]

    def test_booleans_may_be_written_otherwise(self, tmp_path: Path) -> None:
        content = "flag,v,t\n" + "".join(f"{i % 3 == 0},{7 * i % 31},{i % 2 == 0}\n" for i in range(60))
        data = load(put(tmp_path, content), target="t")
        rows = read_rows(put(tmp_path, content.lower(), "new.csv"), data.inputs, data.target, labelled=True)
        assert rows.unseen == {}
        assert np.array_equal(rows.x, data.x)
        assert rows.y is not None
        assert np.array_equal(rows.y, data.y)
