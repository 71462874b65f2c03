"""New rows of a table for a model of several questions."""

from pathlib import Path

import numpy as np
import pytest

from backlight.data import Classes, SeveralClasses, TableInputs, read_rows
from backlight.data.tables.columns import NumberColumn
from backlight.errors import InputError

INPUTS = TableInputs((NumberColumn("size", 1.0, 2.0, False),), {})
TARGET = SeveralClasses((Classes(("cat", "dog"), "animal"), Classes(("0", "1", "2"), "legs")))


def table(folder: Path, *lines: str) -> Path:
    path = folder / "new.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_question_has_its_column(tmp_path):
    path = table(tmp_path, "legs,size,animal", "2,3,dog", "0,1,cat", "1,5,dog")
    rows = read_rows(path, INPUTS, TARGET, labelled=True)
    assert rows.x.tolist() == [[1.0], [0.0], [2.0]]
    assert rows.y is not None
    assert rows.y.dtype == np.int64
    assert rows.y.tolist() == [[1, 2], [0, 0], [1, 1]]
    assert read_rows(path, INPUTS, TARGET, labelled=False).y is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("size,animal", "3,dog"), "lacks the column 'legs', which the model needs"),
        (("size,animal,legs", "3,dog,2", "1,,1"), "column 'animal': the target is missing"),
        (("size,animal,legs", "3,dog,2", "1,cow,1"), "column 'animal': 'cow' is no class of this model"),
    ],
)
def test_tables_that_do_not_answer_every_question(tmp_path, lines, words):
    with pytest.raises(InputError, match=words):
        read_rows(table(tmp_path, *lines), INPUTS, TARGET, labelled=True)
