"""Data by name or by file, as a `Dataset` that is ready to be learnt from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from backlight.data.catalog import BUILTIN
from backlight.data.dataset import Dataset, Source
from backlight.data.generated import generate
from backlight.data.idx import find_files, read_pair
from backlight.data.images.loading import is_images, load_images
from backlight.data.images.options import ImageOptions
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs
from backlight.data.npz import (
    check_inputs,
    check_lengths,
    encode_target,
    quantity_names,
    read_arrays,
    read_target,
)
from backlight.data.refitting import refit_images, refit_rows
from backlight.data.splits import check_fractions, split
from backlight.data.tables.loading import load_table
from backlight.data.tables.options import TableOptions
from backlight.data.tables.sources import PARQUET, TEXTS, is_frame
from backlight.data.targets import Classes, Reconstruction
from backlight.data.wanted import AUTOENCODE, Wanted
from backlight.errors import InputError, nearest
from backlight.storage import sha256_of_arrays, sha256_of_file

TABLES: Final = (*TEXTS, *PARQUET)
"""The endings of files that are read as tables."""

TASKS: Final = ("classification", "regression", AUTOENCODE)

_EMBEDDED: Final = Path(__file__).parent / "embedded"

_CLOTHES: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_DIGITS: Final = tuple(str(digit) for digit in range(10))


def load(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    standardise: bool = True,
    options: TableOptions | ImageOptions | None = None,
) -> Dataset:
    """Load a built-in data set, a table (a file, a folder of Parquet, a data frame), images or arrays, and split it.

    The split is seeded, and stratified by class; whatever is fitted (standardisation, categories) is fitted on
    the training part. `mnist` and `fashion-mnist` keep their own test set: `test` does not matter to them, and
    the validation part is taken from their training file.

    Args:
        source: a name of `BUILTIN`, which comes before a file of that name; the path of a table or of a folder of
            Parquet files; a data frame of pandas, Polars or Arrow; a `.npz`; for images a folder or zip with a folder
            per class, one of a pair of IDX files, or a `.npy` with a file of labels.
        target: the column to predict, or several; needed for a table of one's own, refused where there are no columns.
        task: `classification`, `regression`, or `autoencode`, which reads no target; by default classification where
            the target is text, or whole numbers of at most 20 different values, each twice or more on average.
        validation: fraction of the rows, from 0 to 0.9.
        test: fraction of the rows, from 0 to 0.9.
        seed: the run's seed.
        standardise: whether quantities to predict are standardised; not for outputs with a scale of their own.
        options: what is known of a table's columns, which to drop, how to split the rows and more; or how images are
            read and labelled.

    Raises:
        InputError: no such data, data that cannot be used, or impossible options.

    Example:
        >>> data = load("digits")
        >>> data.x.shape, data.x.dtype.name, len(data.rows["train"])
        ((1797, 64), 'float32', 1257)
    """
    targets = (str(target),) if isinstance(target, str | int) else tuple(map(str, target or ()))
    wanted = Wanted(targets, task, (validation, test), seed, standardise)
    if isinstance(options, TableOptions):
        wanted = replace(wanted, options=options)
    return load_as(source, wanted, options if isinstance(options, ImageOptions) else None)


def load_as(source: Any, wanted: Wanted, images: ImageOptions | None = None) -> Dataset:
    """Load data as `load` does, also for a network that has learnt from others already.

    Args:
        source: as for `load`.
        wanted: what is to be made of it.
        images: how images are read and labelled.

    Raises:
        InputError: no such data, data that cannot be used or do not fit, or impossible options.
    """
    check_fractions(*wanted.fractions)
    task, targets = wanted.task, wanted.targets
    if task is not None and task not in TASKS:
        raise InputError(f"there is no task {task!r}; {nearest(task, list(TASKS))}")
    if len(set(targets)) < len(targets):
        raise InputError(f"the targets {', '.join(map(repr, targets))} name a column twice; name each once")
    if targets and wanted.unlabelled:
        raise InputError(f"an autoencoder has no target but its inputs; leave out the target {targets[0]!r}")
    options = images if images is not None else wanted.options
    name, path = str(source), Path(str(source))
    frame = not isinstance(source, str | Path)
    if frame and not is_frame(source):
        raise InputError(
            f"a {type(source).__name__} was given; give a path, the name of a built-in data set, or a data frame of "
            "pandas, Polars or Arrow"
        )
    if frame or name == "penguins" or (name not in BUILTIN and is_table(path)):
        refuse_options("the frame" if frame else name, options, TableOptions)
        return _load_table(source, name, wanted)
    if name not in BUILTIN and is_images(path):
        refuse_options(name, options, ImageOptions)
        return load_images(path, wanted, images or ImageOptions())
    refuse_options(name, options)
    if targets:
        what = "with names: its target is y" if path.suffix.lower() == ".npz" else "to choose from"
        raise InputError(f"{name} has no columns {what}; leave out the target {targets[0]!r}")
    return _load_other(name, path, wanted)


def refuse_options(name: str, options: TableOptions | ImageOptions | None, *fitting: type) -> None:
    """Refuse options, other than the defaults, of a kind that the data are not.

    Raises:
        InputError: something is said of how a table, or images, are read, and the data are something else.
    """
    if options is None or isinstance(options, fitting) or options == type(options)():
        return
    if isinstance(options, TableOptions):
        raise InputError(f"{name} is no table, so nothing can be said of its columns; leave those options out")
    raise InputError(f"{name} is read without --size, --gray, --labels, --label-from and --skip-broken")


def _load_table(source: Any, name: str, wanted: Wanted) -> Dataset:
    if name != "penguins":
        return load_table(source, wanted)
    targets = wanted.targets or (() if wanted.unlabelled else ("species",))
    table = load_table(_EMBEDDED / "penguins.csv", replace(wanted, targets=targets))
    return replace(table, source=Source(name, "builtin", ((None, table.source.files[0][1]),)))


def _load_other(name: str, path: Path, wanted: Wanted) -> Dataset:
    """What has neither columns nor files of its own: built-in sets and arrays."""
    if name in BUILTIN:
        if wanted.task == "regression":
            raise InputError(f"{name} has classes, so its task is classification; leave out the task")
        dataset = _load_builtin(name, wanted)
        return as_autoencoding(dataset) if wanted.unlabelled else dataset
    if path.suffix.lower() == ".npz":
        return _load_npz(path, wanted)
    raise _unknown(path)


def is_table(path: str | Path) -> bool:
    """Whether a path is read as a table: by its ending, or because it is a folder that holds Parquet files."""
    path = Path(path)
    if path.is_dir():
        return any(file.suffix.lower() in PARQUET for file in path.rglob("*"))
    return path.suffix.lower() in TABLES


def _unknown(path: Path) -> InputError:
    endings = f"{', '.join(TABLES)} or .npz, or a folder or zip of images"
    if path.exists():
        return InputError(f"{path} is of a kind that Backlight does not read; give a file that ends with {endings}")
    if path.suffix:
        return InputError(f"there is no file {path}")
    return InputError(f"there is no file and no built-in data set {str(path)!r}; {nearest(str(path), list(BUILTIN))}")


def as_autoencoding(dataset: Dataset) -> Dataset:
    """The same data with the inputs for targets, which are no copy of them."""
    return replace(dataset, y=dataset.x, target=Reconstruction(dataset.inputs.width))


def _load_builtin(name: str, wanted: Wanted) -> Dataset:
    if name == "digits":
        return _load_digits(wanted)
    if name in {"mnist", "fashion-mnist"}:
        return _load_mnist(name, wanted)
    x, y = generate(name)
    classes = Classes(tuple(str(i) for i in range(int(y.max()) + 1)))
    rows = split(len(x), validation=wanted.fractions[0], test=wanted.fractions[1], seed=wanted.seed, classes=y)
    source = Source(name, "generated", ((None, sha256_of_arrays(x, y)),))
    inputs: Inputs = ArrayInputs((2,), "float32", (0.0, 0.0), (1.0, 1.0))
    if wanted.inputs is not None:
        x, inputs = refit_rows(x, (2,), wanted.inputs, name)
    return Dataset(name, x, y, rows, inputs, classes, source)


def _load_digits(wanted: Wanted) -> Dataset:
    arrays = read_arrays(_EMBEDDED / "digits.npz", ("x", "y"))
    x, y = arrays["x"].astype(np.float32) / np.float32(16), arrays["y"].astype(np.int64)
    rows = split(len(x), validation=wanted.fractions[0], test=wanted.fractions[1], seed=wanted.seed, classes=y)
    source = Source("digits", "builtin", ((None, sha256_of_arrays(arrays["x"], arrays["y"])),))
    inputs: Inputs = ImageInputs((8, 8), "float32")
    if wanted.inputs is not None and wanted.inputs != inputs:
        x, inputs = refit_images(np.rint(x * 255).astype(np.uint8).reshape(-1, 8, 8), wanted.inputs, "digits")
    return Dataset("digits", x, y, rows, inputs, Classes(_DIGITS), source)


def _load_mnist(name: str, wanted: Wanted) -> Dataset:
    files = find_files(name)
    train_x, train_y, train_files = read_pair(files[0], files[1])
    test_x, test_y, test_files = read_pair(files[2], files[3])
    images, y = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y]).astype(np.int64)
    learnt = y[: len(train_y)]
    rows = split(len(learnt), validation=wanted.fractions[0], test=0.0, seed=wanted.seed, classes=learnt)
    rows["test"] = np.arange(len(train_y), len(y))
    classes = Classes(_CLOTHES if name == "fashion-mnist" else _DIGITS)
    source = Source(name, "idx", (*train_files, *test_files))
    x, inputs = refit_images(images, wanted.inputs or ImageInputs((28, 28), "uint8"), name)
    return Dataset(name, x, y, rows, inputs, classes, source)


def _load_npz(path: Path, wanted: Wanted) -> Dataset:
    arrays = read_arrays(path, ("x",) if wanted.unlabelled else ("x", "y"))
    raw_x, shape = check_inputs(path, arrays["x"])
    codes = None
    if not wanted.unlabelled:
        check_lengths(path, raw_x, arrays["y"])
        target, raw_y = read_target(path, arrays["y"], wanted.task)
        codes = target.encode([str(label) for label in raw_y]) if isinstance(target, Classes) else None
    rows = split(len(raw_x), validation=wanted.fractions[0], test=wanted.fractions[1], seed=wanted.seed, classes=codes)
    x, inputs = refit_rows(raw_x, shape, wanted.inputs or ArrayInputs.fit(raw_x[rows["train"]], shape), str(path))
    source = Source(str(path), "npz", ((str(path.resolve()), sha256_of_file(path)),))
    if wanted.unlabelled:
        return Dataset(path.stem, x, x, rows, inputs, Reconstruction(inputs.width), source)
    names = quantity_names(1 if codes is not None else np.asarray(raw_y).shape[1])
    fitted, y = encode_target(target, raw_y, rows["train"], names, standardised=wanted.standardise)
    return Dataset(path.stem, x, y, rows, inputs, fitted, source)
