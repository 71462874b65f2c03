"""Columns that a careful person would question: identifiers, and columns that give the target away."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts

_FEW_ROWS: Final = 20
_LOOKED_AT: Final = 20_000
_FEW_CASES: Final = 5
_BINS: Final = 64
_GIVES_AWAY: Final = 0.999
_NAMED: Final = re.compile(
    r"(?i:(^|[_\s.-])(id|key|uuid|guid|index|idx|rownames?)$|^unnamed: 0$|^column0$)|[a-z](Id|ID)$"
)


@dataclass(frozen=True)
class Scrutiny:
    """What was found.

    Attributes:
        left_out: columns that are not learnt from, each with the reason.
        warnings: sentences about columns that are learnt from all the same.
    """

    left_out: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def scrutinise(
    cells: Mapping[str, Cells],
    y: Array,
    train: NDArray[np.int64],
    names: Collection[str],
    keep: Collection[str] = (),
) -> Scrutiny:
    """Look for identifiers, and for leaks of the target among the first 20,000 rows of the training part.

    A column of different whole numbers is an identifier where it counts the rows, or where its name says so
    (`id`, `customer_id`, `PassengerId`, `index`). A column leaks a class where the classes of its values, or of 64
    ranges of its numbers, or whether it is missing, are right in 999 of 1,000 rows and a hundred times as often as a
    guess; and a quantity where its square correlation with it, or what its texts tell of it, is above 0.9998. What
    says the very same as the target is left out; what nearly does is used, with a warning.

    Args:
        cells: the columns, by name.
        y: class indices (n, k) int64 or quantities (n, k).
        train: the rows of the training part that these cells have, ascending.
        names: of the targets.
        keep: columns that the user wants whatever they look like.
    """
    left_out: dict[str, str] = {}
    warnings: list[str] = []
    rows = train[:_LOOKED_AT]
    for name, column in cells.items():
        if name in keep:
            continue
        if _is_identifier(name, column):
            left_out[name] = "it looks like an identifier: a different whole number in every row; --keep uses it"
            continue
        first = column[rows]
        for target, values in zip(names, y[rows].T, strict=True):
            told = _gives_away(first, values)
            if told == 1.0:
                left_out[name] = f"it says the same as the target {target!r}; --keep uses it"
            elif told > _GIVES_AWAY:
                warnings.append(
                    f"{name!r} alone tells {target!r} almost without error; is it known before {target!r} is? "
                    f"if not, leave it out with --drop"
                )
    return Scrutiny(left_out, tuple(warnings))


def _is_identifier(name: str, cells: Cells) -> bool:
    if not isinstance(cells, Numbers) or len(cells) <= _FEW_ROWS or bool(cells.missing.any()):
        return False
    values = cells.values
    if (values != np.floor(values)).any() or len(np.unique(values)) < len(values):
        return False
    return bool((np.diff(values) == 1).all()) or _NAMED.search(name) is not None


def _gives_away(cells: Cells, y: NDArray[Any]) -> float:
    """How much of a target one column tells: 1.0 only if it says the very same."""
    there = ~cells.missing
    if y.dtype.kind == "i" and len(y) > _FEW_ROWS and _FEW_ROWS < there.sum() < len(y):
        absence = Numbers(there.astype(np.float64))
        if _purity(absence, there.astype(np.int64), y) > _GIVES_AWAY:
            return (1.0 + _GIVES_AWAY) / 2
    if there.sum() <= _FEW_ROWS or isinstance(cells, Moments):
        return 0.0
    column, target = cells[there], y[there]
    codes = _codes(column)
    if codes.max() + 1 > len(codes) / 10:
        return 0.0 if isinstance(column, Texts) or target.dtype.kind == "i" else _correlation(column, target)
    if target.dtype.kind == "i":
        return _purity(column, codes, target)
    told = _explained(codes, target)
    return told if isinstance(column, Texts) else max(min(told, _GIVES_AWAY), _correlation(column, target))


def _codes(cells: Cells) -> NDArray[np.int64]:
    """Small groups of a column: its texts, its different numbers, or ranges of them with equally many rows."""
    if isinstance(cells, Texts):
        return np.unique(cells.codes, return_inverse=True)[1].reshape(-1)
    assert isinstance(cells, Numbers)
    different, codes = np.unique(cells.values, return_inverse=True)
    if len(different) <= _BINS:
        return np.asarray(codes.reshape(-1))
    edges = np.unique(np.quantile(cells.values, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, cells.values)


def _purity(cells: Cells, codes: NDArray[np.int64], classes: NDArray[np.int64]) -> float:
    """The share of rows whose class is the commonest of their group; 0 unless a guess errs a hundred times more."""
    table = np.zeros((int(codes.max()) + 1, int(classes.max()) + 1))
    np.add.at(table, (codes, classes), 1.0)
    right, guessed = table.max(axis=1).sum() / len(codes), table.sum(axis=0).max() / len(codes)
    if 1.0 - right > 0.01 * (1.0 - guessed) or len(codes) - table.sum(axis=0).max() < _FEW_CASES:
        return 0.0
    same = right == 1.0 and bool(((table > 0).sum(axis=0) <= 1).all())
    few = len(np.unique(cells.values)) <= _BINS if isinstance(cells, Numbers) else True
    return 1.0 if same and few else min(float(right), (1.0 + _GIVES_AWAY) / 2)


def _explained(codes: NDArray[np.int64], y: NDArray[np.float64]) -> float:
    """The share of a quantity's variance that lies between the groups; never quite 1."""
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=y) / np.maximum(sizes, 1)
    spread = float(((y - y.mean()) ** 2).sum())
    if spread == 0.0:
        return 0.0
    within = float(((y - means[codes]) ** 2).sum())
    return _closeness(1.0 - within / spread)


def _correlation(cells: Cells, y: NDArray[np.float64]) -> float:
    assert isinstance(cells, Numbers)
    a, b = cells.values - cells.values.mean(), y - y.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if size == 0.0:
        return 0.0
    r = float((a * b).sum()) / size
    return 1.0 if 1.0 - abs(r) < 1e-12 else _closeness(r * r)


def _closeness(share: float) -> float:
    """A share of the variance on the scale of `_GIVES_AWAY`: above 0.9998 counts as giving the target away."""
    return (1.0 + _GIVES_AWAY) / 2 if share > 0.9998 else 0.0
