"""What a network's outputs mean: one of several classes, quantities with units, or labels that may co-occur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backlight.data.standardising import fit_scale, standardise
from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class Classes:
    """Exactly one of several classes.

    Attributes:
        names: one per class, in the order of the network's outputs.
        column: of the table that they come from, None where there is no table.

    Example:
        >>> Classes(("Adelie", "Gentoo")).encode(["Gentoo", "Adelie"])
        array([1, 0])
    """

    names: tuple[str, ...]
    column: str | None = None
    kind: ClassVar[str] = "classes"

    @property
    def width(self) -> int:
        """How many classes there are."""
        return len(self.names)

    def find(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """Class indices (n,), with −1 for every label that is no class."""
        index = {name: i for i, name in enumerate(self.names)}
        return np.array([index.get(label, -1) for label in labels], np.int64)

    def encode(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """Class indices (n,) of labels.

        Raises:
            InputError: a label is no class.
        """
        indices = self.find(labels)
        for i in np.flatnonzero(indices < 0)[:1]:
            raise InputError(f"{labels[i]!r} is no class of this model; {nearest(labels[i], list(self.names))}")
        return indices

    def decode(self, indices: ArrayLike) -> list[str]:
        """The labels of class indices (n,)."""
        return [self.names[i] for i in np.asarray(indices, np.int64)]

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON values."""
        return {"kind": self.kind, "names": list(self.names), "column": self.column}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        column = content["column"]
        return cls(tuple(map(str, content["names"])), None if column is None else str(column))


@dataclass(frozen=True)
class Quantities:
    """Numbers with units of their own, which the network sees standardised.

        y = (value − mean) / std

    Attributes:
        names: one per quantity.
        mean: of the training part, in the quantity's own units.
        std: of the training part, with n in the denominator.

    Example:
        >>> price = Quantities(("price",), (100.0,), (20.0,))
        >>> price.encode([[120.0], [80.0]]).tolist()
        [[1.0], [-1.0]]
        >>> price.decode([[1.0], [-1.0]]).tolist()
        [[120.0], [80.0]]
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    kind: ClassVar[str] = "quantities"

    @classmethod
    def fit(cls, names: Sequence[str], values: NDArray[np.float64], *, standardised: bool = True) -> Self:
        """Quantities with the mean and standard deviation of `values` (n, k), the training part.

        Args:
            names: one per quantity.
            values: of the training part.
            standardised: False to leave the numbers as they are, for outputs with a scale of their own.

        Raises:
            InputError: a quantity has the same value in every row, so that there is nothing to learn.
        """
        for name, column in zip(names, values.T, strict=True):
            if column.min() == column.max():
                raise InputError(
                    f"the target {name!r} is {float(column[0]):g} in every training row, so there is nothing to "
                    "learn; choose another target or give more data"
                )
        if not standardised:
            return cls(tuple(names), (0.0,) * len(names), (1.0,) * len(names))
        mean, std = fit_scale(values)
        return cls(tuple(names), tuple(mean.tolist()), tuple(std.tolist()))

    @property
    def width(self) -> int:
        """How many quantities there are."""
        return len(self.names)

    def encode(self, values: ArrayLike) -> NDArray[np.float32]:
        """Standardised targets (n, k) float32 of values (n, k) in their own units."""
        return standardise(np.asarray(values, np.float64), self.mean, self.std)

    def decode(self, standardised: ArrayLike) -> NDArray[np.float64]:
        """Values (n, k) in their own units of standardised ones (n, k)."""
        return np.asarray(standardised, np.float64) * self.std + self.mean

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON values."""
        return {"kind": self.kind, "names": list(self.names), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        names, mean, std = (tuple(content[key]) for key in ("names", "mean", "std"))
        if not len(names) == len(mean) == len(std):
            raise ValueError("as many means and deviations as names are needed")
        return cls(tuple(map(str, names)), tuple(map(float, mean)), tuple(map(float, std)))


@dataclass(frozen=True)
class Labels:
    """Any number of labels at once, each there (1) or not (0).

    Attributes:
        names: one per label.

    Example:
        >>> Labels(("sunny", "windy")).encode([[1, 0], [1, 1]]).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """

    names: tuple[str, ...]
    kind: ClassVar[str] = "labels"

    @property
    def width(self) -> int:
        """How many labels there are."""
        return len(self.names)

    def encode(self, values: ArrayLike) -> NDArray[np.float32]:
        """Targets (n, k) float32 of zeros and ones (n, k).

        Raises:
            InputError: a value is neither 0 nor 1.
        """
        array = np.asarray(values)
        for i, j in np.argwhere((array != 0) & (array != 1))[:1]:
            raise InputError(f"label {self.names[j]!r} of row {i} is {array[i, j]}; it must be 0 or 1")
        return array.astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON values."""
        return {"kind": self.kind, "names": list(self.names)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(tuple(map(str, content["names"])))


@dataclass(frozen=True)
class SeveralClasses:
    """Several questions at once, each answered by exactly one of its own classes, as the characters of a word.

    The outputs of the network are those of the first question, then those of the second, and so on.

    Attributes:
        targets: one per question, each with the column or place that it is called by.

    Example:
        >>> word = SeveralClasses((Classes(("a", "b"), "first"), Classes(("x", "y", "z"), "second")))
        >>> word.width, word.sizes, word.names
        (5, (2, 3), ('first=a', 'first=b', 'second=x', 'second=y', 'second=z'))
        >>> word.encode([["b", "x"], ["a", "z"]]).tolist()
        [[1, 0], [0, 2]]
    """

    targets: tuple[Classes, ...]
    kind: ClassVar[str] = "several_classes"

    @property
    def width(self) -> int:
        """How many outputs there are, over all questions."""
        return sum(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many classes each question has."""
        return tuple(target.width for target in self.targets)

    @property
    def columns(self) -> tuple[str, ...]:
        """What each question is called."""
        return tuple(target.column or f"target {k}" for k, target in enumerate(self.targets))

    @property
    def names(self) -> tuple[str, ...]:
        """One name per output."""
        pairs = zip(self.columns, self.targets, strict=True)
        return tuple(f"{column}={name}" for column, target in pairs for name in target.names)

    def encode(self, labels: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Class indices (n, k) of labels, k per example.

        Raises:
            InputError: a label is no class of its question.
        """
        columns = zip(self.targets, zip(*labels, strict=True), strict=True)
        return np.stack([target.encode(column) for target, column in columns], axis=1)

    def decode(self, indices: ArrayLike) -> list[tuple[str, ...]]:
        """The labels of class indices (n, k)."""
        columns = zip(self.targets, np.asarray(indices, np.int64).T, strict=True)
        return list(zip(*(target.decode(column) for target, column in columns), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON values."""
        return {"kind": self.kind, "targets": [target.to_dict() for target in self.targets]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(tuple(Classes.from_dict(target) for target in content["targets"]))


@dataclass(frozen=True)
class Reconstruction:
    """The inputs themselves, as an autoencoder gives them back.

    Attributes:
        width: how many inputs there are, and so outputs.

    Example:
        >>> Reconstruction(2).names
        ('x0', 'x1')
    """

    width: int
    kind: ClassVar[str] = "reconstruction"

    @property
    def names(self) -> tuple[str, ...]:
        """One name per output."""
        return tuple(f"x{i}" for i in range(self.width))

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON values."""
        return {"kind": self.kind, "width": self.width}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(int(content["width"]))


Target: TypeAlias = Classes | Quantities | Labels | SeveralClasses | Reconstruction

_KINDS: dict[str, Any] = {kind.kind: kind for kind in (Classes, Quantities, Labels, SeveralClasses, Reconstruction)}


def target_from_dict(content: Mapping[str, Any]) -> Target:
    """The target that `to_dict` wrote.

    Raises:
        InputError: the content describes no target.

    Example:
        >>> target_from_dict(Classes(("no", "yes")).to_dict())
        Classes(names=('no', 'yes'), column=None)
    """
    try:
        target: Target = _KINDS[content["kind"]].from_dict(content)
        return target
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the model's target is not described as expected ({error!r}); is it damaged?") from error
