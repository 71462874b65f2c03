"""How a table is to be read and split, where its user knows better than its values tell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class TableOptions:
    """What a user can say of a table's columns.

    Attributes:
        drop: columns that are not learnt from.
        keep: columns that are learnt from even if they look like identifiers, names, or leaks of the target.
        types: `COLUMN=number`, `COLUMN=text` or `COLUMN=date`, where the values tell something else.
        separator: between the cells of delimited text: one character, `tab` or `space`.
        group: a column by which rows belong together; all rows of a group are in one part.
        time: a column of dates or numbers; the latest rows are the test part, those before them validation.
        split: a column that holds train, validation or test.
        weight: a column of numbers from 0 up: how much each row counts in training.
        class_weights: `balanced`, so that every class counts alike, or `CLASS=WEIGHT` with commas between.

    Example:
        >>> TableOptions(drop=("name",), group="patient").set_apart
        ('patient',)
    """

    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    separator: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    weight: str | None = None
    class_weights: str | None = None

    def check(self) -> None:
        """Refuse what cannot be, whatever the table is.

        Raises:
            InputError: two ways to split are given.
        """
        ways = [f"--{way}" for way, column in self._ways().items() if column is not None]
        if len(ways) > 1:
            raise InputError(f"{' and '.join(ways)} are two ways to split the rows; give one of them")

    def _ways(self) -> dict[str, str | None]:
        return {"group": self.group, "time": self.time, "split": self.split}

    @property
    def set_apart(self) -> tuple[str, ...]:
        """Columns that say something of the rows, and so are not learnt from unless they are kept."""
        return tuple(column for column in (self.group, self.split, self.weight) if column is not None)

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that the table must have, apart from those of lists."""
        return (*self.set_apart, *((self.time,) if self.time is not None else ()))


def column_list(given: Sequence[str], names: Collection[str], option: str) -> tuple[str, ...]:
    """Columns that a user listed, each on its own or several with commas between.

    Raises:
        InputError: there is no such column.

    Example:
        >>> column_list(["a,b", "c,d"], ["a", "b", "c,d"], "--drop")
        ('a', 'b', 'c,d')
    """
    columns: list[str] = []
    for text in given:
        for name in [text] if text in names else [part.strip() for part in text.split(",")]:
            if name not in names:
                raise InputError(f"{option} names the column {name!r}; {nearest(name, list(names))}")
            columns.append(name)
    return tuple(columns)


def parse_class_weights(given: str, classes: Sequence[str]) -> dict[str, float]:
    """`CLASS=WEIGHT` with commas between; classes that are not named weigh 1.

    Raises:
        InputError: it is written otherwise, or there is no such class.

    Example:
        >>> parse_class_weights("rare=5", ["common", "rare"])
        {'common': 1.0, 'rare': 5.0}
    """
    weights = dict.fromkeys(classes, 1.0)
    for pair in given.split(","):
        name, _, text = pair.rpartition("=")
        try:
            weight = float(text)
        except ValueError:
            weight = -1.0
        if not name or not 0 <= weight < float("inf"):
            raise InputError(f"the class weights are {given!r}; write balanced, or CLASS=WEIGHT with commas between")
        if name.strip() not in weights:
            raise InputError(f"the class weights name {name.strip()!r}; {nearest(name.strip(), list(classes))}")
        weights[name.strip()] = weight
    return weights
