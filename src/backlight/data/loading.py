"""Data by name or by file, as a `Dataset` that is ready to be learnt from."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from backlight.data.catalog import BUILTIN
from backlight.data.dataset import Dataset, Source
from backlight.data.generated import generate
from backlight.data.idx import find_files, read_pair
from backlight.data.image_loading import is_images, load_images
from backlight.data.image_options import ImageOptions
from backlight.data.inputs import ArrayInputs, ImageInputs
from backlight.data.npz import (
    check_inputs,
    check_lengths,
    encode_target,
    quantity_names,
    read_arrays,
    read_target,
)
from backlight.data.splits import check_fractions, split
from backlight.data.table_loading import load_table
from backlight.data.targets import Classes
from backlight.errors import InputError, nearest
from backlight.storage import sha256_of_arrays, sha256_of_file

TABLES: Final = (".csv", ".tsv", ".txt")
"""The endings of files that are read as tables."""

TASKS: Final = ("classification", "regression")

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
    source: str | Path,
    *,
    target: str | None = None,
    task: str | None = None,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    standardise: bool = True,
    images: ImageOptions | None = None,
) -> Dataset:
    """Load a built-in data set, a table (`.csv`, `.tsv`, `.txt`), images or arrays (`.npz`), and split it.

    The split is seeded, and stratified by class; whatever is fitted (standardisation, categories) is fitted on
    the training part. `mnist` and `fashion-mnist` keep their own test set: `test` does not matter to them, and
    the validation part is taken from their training file.

    Args:
        source: a name of `BUILTIN`, which comes before a file of that name, or the path of a file; for images a
            folder or zip with a folder per class, one of a pair of IDX files, or a `.npy` with a file of labels.
        target: the column to predict; needed for a table of one's own, refused where there are no columns.
        task: `classification` or `regression`; by default classification where the target is text, or whole
            numbers of at most 20 different values, each twice or more on average.
        validation: fraction of the rows, from 0 to 0.9.
        test: fraction of the rows, from 0 to 0.9.
        seed: the run's seed.
        standardise: whether quantities to predict are standardised; not for outputs with a scale of their own.
        images: how images are read and labelled.

    Raises:
        InputError: no such data, data that cannot be used, or impossible options.

    Example:
        >>> data = load("digits")
        >>> data.x.shape, data.x.dtype.name, len(data.rows["train"])
        ((1797, 64), 'float32', 1257)
    """
    check_fractions(validation, test)
    if task is not None and task not in TASKS:
        raise InputError(f"there is no task {task!r}; {nearest(task, list(TASKS))}")
    fractions = (validation, test)
    name, path = str(source), Path(source)
    if name not in BUILTIN and is_images(path):
        options = images or ImageOptions()
        return load_images(path, target, task, fractions, seed, options, standardise=standardise)
    if images is not None and images != ImageOptions():
        raise InputError(f"{name} is read without --size, --gray, --labels, --label-from and --skip-broken")
    if name in BUILTIN:
        if name == "penguins":
            table = load_table(
                _EMBEDDED / "penguins.csv", target or "species", task, fractions, seed, standardise=standardise
            )
            return replace(table, source=Source(name, "builtin", ((None, table.source.files[0][1]),)))
        _refuse_options(name, target, task)
        return _load_builtin(name, fractions, seed)
    if path.suffix.lower() in TABLES:
        return load_table(path, target, task, fractions, seed, standardise=standardise)
    if path.suffix.lower() == ".npz":
        if target is not None:
            raise InputError(f"{path} has no columns with names: its target is y; leave out the target {target!r}")
        return _load_npz(path, task, fractions, seed, standardise=standardise)
    raise _unknown(path)


def _refuse_options(name: str, target: str | None, task: str | None) -> None:
    if target is not None:
        raise InputError(f"{name} has no columns to choose from; leave out the target {target!r}")
    if task == "regression":
        raise InputError(f"{name} has classes, so its task is classification; leave out the task")


def _unknown(path: Path) -> InputError:
    endings = f"{', '.join(TABLES)} or .npz, or a folder or zip of images"
    if path.exists():
        return InputError(f"{path} is of a kind that Backlight does not read; give a file that ends with {endings}")
    if path.suffix:
        return InputError(f"there is no file {path}")
    return InputError(f"there is no file and no built-in data set {str(path)!r}; {nearest(str(path), list(BUILTIN))}")


def _load_builtin(name: str, fractions: tuple[float, float], seed: int) -> Dataset:
    if name == "digits":
        return _load_digits(fractions, seed)
    if name in {"mnist", "fashion-mnist"}:
        return _load_mnist(name, fractions[0], seed)
    x, y = generate(name)
    classes = Classes(tuple(str(i) for i in range(int(y.max()) + 1)))
    rows = split(len(x), validation=fractions[0], test=fractions[1], seed=seed, classes=y)
    inputs = ArrayInputs((2,), "float32", (0.0, 0.0), (1.0, 1.0))
    return Dataset(name, x, y, rows, inputs, classes, Source(name, "generated", ((None, sha256_of_arrays(x, y)),)))


def _load_digits(fractions: tuple[float, float], seed: int) -> Dataset:
    arrays = read_arrays(_EMBEDDED / "digits.npz", ("x", "y"))
    x, y = arrays["x"].astype(np.float32) / np.float32(16), arrays["y"].astype(np.int64)
    rows = split(len(x), validation=fractions[0], test=fractions[1], seed=seed, classes=y)
    source = Source("digits", "builtin", ((None, sha256_of_arrays(arrays["x"], arrays["y"])),))
    return Dataset("digits", x, y, rows, ImageInputs((8, 8), "float32"), Classes(_DIGITS), source)


def _load_mnist(name: str, validation: float, seed: int) -> Dataset:
    files = find_files(name)
    train_x, train_y, train_files = read_pair(files[0], files[1])
    test_x, test_y, test_files = read_pair(files[2], files[3])
    x = np.concatenate([train_x, test_x]).reshape(-1, 28 * 28)
    y = np.concatenate([train_y, test_y]).astype(np.int64)
    rows = split(len(train_y), validation=validation, test=0.0, seed=seed, classes=y[: len(train_y)])
    rows["test"] = np.arange(len(train_y), len(y))
    classes = Classes(_CLOTHES if name == "fashion-mnist" else _DIGITS)
    source = Source(name, "idx", (*train_files, *test_files))
    return Dataset(name, x, y, rows, ImageInputs((28, 28), "uint8"), classes, source)


def _load_npz(path: Path, task: str | None, fractions: tuple[float, float], seed: int, *, standardise: bool) -> Dataset:
    arrays = read_arrays(path, ("x", "y"))
    raw_x, shape = check_inputs(path, arrays["x"])
    check_lengths(path, raw_x, arrays["y"])
    target, raw_y = read_target(path, arrays["y"], task)
    codes = target.encode([str(label) for label in raw_y]) if isinstance(target, Classes) else None
    rows = split(len(raw_x), validation=fractions[0], test=fractions[1], seed=seed, classes=codes)
    inputs = ArrayInputs.fit(raw_x[rows["train"]], shape)
    width = 1 if codes is not None else np.asarray(raw_y).shape[1]
    names = quantity_names(width)
    fitted, y = encode_target(target, raw_y, rows["train"], names, standardised=standardise)
    source = Source(str(path), "npz", ((str(path.resolve()), sha256_of_file(path)),))
    return Dataset(path.stem, inputs.encode(raw_x), y, rows, inputs, fitted, source)
