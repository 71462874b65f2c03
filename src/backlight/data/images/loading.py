"""Images with their labels, as a `Dataset`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.dataset import PARTS, Dataset, Source
from backlight.data.images.arrays import fitted, is_idx, read_idx_images, read_idx_pair, read_npy_images
from backlight.data.images.cache import cached_images
from backlight.data.images.files import ImageFiles, image_files, readable
from backlight.data.images.label_tables import Labelled, Row, labels_of
from backlight.data.images.labels import divided_by_folder, find_labels, find_target, quantities
from backlight.data.images.negatives import are_bright, negatives
from backlight.data.images.notes import listed
from backlight.data.images.options import ImageOptions, format_size
from backlight.data.images.pixels import picked
from backlight.data.images.sets import ImageSet
from backlight.data.inputs import ImageInputs, Inputs
from backlight.data.npz import encode_target, quantity_names
from backlight.data.refitting import image_inputs, image_options, refit_pixels
from backlight.data.splits import split
from backlight.data.targets import Classes, Reconstruction, SeveralClasses, Target
from backlight.data.wanted import Wanted
from backlight.errors import InputError
from backlight.storage import sha256_of_file


def is_images(path: Path) -> bool:
    """Whether a source is read as images: a folder, a zip, one of a pair of IDX files, or a `.npy`."""
    return path.is_dir() or path.suffix.lower() in {".zip", ".npy"} or is_idx(path)


def load_images(path: Path, wanted: Wanted, options: ImageOptions) -> Dataset:
    """Load images and split them.

    Args:
        path: a folder or a zip with one folder per class, a `.npy`, or one of a pair of IDX files.
        wanted: what is to be made of them; the parts are drawn where there are no folders for them.
        options: size, colour and labels.

    Raises:
        InputError: the images or their labels cannot be used.
    """
    if wanted.unlabelled and (options.labels is not None or options.label_from is not None):
        raise InputError("an autoencoder needs no labels; leave out --labels and --label-from")
    if wanted.inputs is not None:
        options = image_options(wanted.inputs, options, str(path))
    if path.is_dir() or path.suffix.lower() == ".zip":
        return _load_files(path, wanted, options)
    raw, found, sources = _read_arrays(path, wanted, options)
    if options.label_from is not None or options.skip_broken:
        raise InputError(f"{path} is no folder of image files; leave out --label-from and --skip-broken")
    images = fitted(raw, options.size, gray=options.gray)
    there = np.flatnonzero([row is not None for row in found.rows])
    raw_pixels = picked(images, there).reshape(len(there), -1)
    kept = [row for row in found.rows if row is not None]
    notes = list(found.notes)
    if len(kept) < len(images):
        notes.append(f"{len(images) - len(kept):,} images have no label and were left out")
    what = str(options.labels or path)
    known = _known(found, kept, wanted, what)
    rows = _split(None, known, kept, wanted)
    pixels, inputs = _inputs(raw_pixels, tuple(images.shape[1:]), rows["train"], notes, wanted.inputs)
    fit, y = _encoded(known, found.columns, kept, rows["train"], wanted, pixels, what)
    source = Source(str(path), "idx" if is_idx(path) else "npy", tuple(sources))
    return Dataset(path.stem, pixels, y, rows, inputs, fit, source, notes=tuple(notes))


def _read_arrays(
    path: Path, wanted: Wanted, options: ImageOptions
) -> tuple[NDArray[np.uint8], Labelled, list[tuple[str, str]]]:
    """Images that are arrays already, their labels, and (path, SHA-256) of the files."""
    if is_idx(path):
        if options.labels is not None or wanted.targets:
            raise InputError(f"{path} has its labels in a file of its own; leave out --labels and the target")
        if wanted.unlabelled:
            raw, sources = read_idx_images(path)
            return raw, _without_labels(len(raw)), sources
        raw, labels, sources = read_idx_pair(path)
        return raw, Labelled((None,), tuple((label,) for label in labels)), sources
    if wanted.unlabelled:
        raw = read_npy_images(path)
        return raw, _without_labels(len(raw)), [_file(path)]
    if options.labels is None:
        raise InputError(f"{path} holds images without labels; give them with --labels FILE.npy or FILE.csv")
    raw = read_npy_images(path)
    found = labels_of(Path(options.labels), [str(number) for number in range(len(raw))], wanted.targets)
    if not any(found.rows):
        raise InputError(f"{options.labels} has labels for none of the {len(raw):,} images, 0 to {len(raw) - 1}")
    return raw, found, [_file(path), _file(Path(options.labels))]


def _without_labels(count: int) -> Labelled:
    """What stands for the labels of images that need none."""
    return Labelled((None,), ((),) * count)


def _known(found: Labelled, labels: Sequence[Row], wanted: Wanted, what: str) -> Classes | SeveralClasses | None:
    """The classes that labels stand for; None for quantities, and where no labels are needed."""
    if wanted.unlabelled:
        return None
    return find_target(found.columns, labels, wanted.task, what, measured=found.measured)


def _file(path: Path) -> tuple[str, str]:
    return str(path.resolve()), sha256_of_file(path)


def _load_files(path: Path, wanted: Wanted, options: ImageOptions) -> Dataset:
    with image_files(path) as every:
        if not every.names:
            raise InputError(_no_images(every))
        divided = divided_by_folder(every)
        files, parts, within = divided.files, divided.parts, divided.within
        found = (
            _without_labels(len(within)) if wanted.unlabelled else find_labels(files, within, options, wanted.targets)
        )
        labelled = [i for i, row in enumerate(found.rows) if row is not None]
        images, failures = cached_images(files, [files.names[i] for i in labelled], options)
    chosen = [labelled[i] for i in images.kept.tolist()]
    labels = [row for row in (found.rows[i] for i in chosen) if row is not None]
    what = readable(str(path))
    known = _known(found, labels, wanted, what)
    rows = _split(parts and [parts[i] for i in chosen], known, labels, wanted)
    files_of = [(str(path.resolve()), images.sha256)]
    if options.labels is not None:
        files_of.append(_file(Path(options.labels)))
    negative: list[str] = []
    pixels, inputs = _inputs(images.pixels, images.shape, rows["train"], negative, wanted.inputs)
    fit, y = _encoded(known, found.columns, labels, rows["train"], wanted, pixels, what)
    return Dataset(
        readable(path.resolve().stem if path.is_file() else path.resolve().name) or "images",
        pixels,
        y,
        rows,
        inputs,
        fit,
        Source(str(path), "images", tuple(files_of)),
        names=tuple(readable(files.names[i]) for i in chosen),
        notes=(
            *divided.notes,
            *found.notes,
            *negative,
            *_notes_on_files(files, options, by_folder=_by_folder(found, wanted)),
            *_notes_on_images(files, labelled, images, options),
            *_notes_on_parts(fit, y, rows, images),
            *failures,
        ),
    )


def _by_folder(found: Labelled, wanted: Wanted) -> bool:
    """Whether the first folder of an image is its label."""
    return found.columns == (None,) and not found.measured and not wanted.unlabelled


def _inputs(
    pixels: NDArray[np.uint8],
    shape: tuple[int, ...],
    train: NDArray[np.int64],
    notes: list[str],
    wanted: Inputs | None,
) -> tuple[Array, Inputs]:
    """The network's inputs: the pixels, or their negatives where images are mostly bright, which is noted."""
    if wanted is not None:
        inputs = image_inputs(wanted, "the data")
        return refit_pixels(pixels, shape, inputs), inputs
    bright = are_bright(pixels, train)
    if bright:
        notes.append("the images are mostly bright, so the network sees their negatives")
    return negatives(pixels) if bright else pixels, ImageInputs(shape, "uint8", bright)


def _no_images(files: ImageFiles) -> str:
    lead = f"{files.path} holds no images"
    if files.others:
        lead += f", only {len(files.others):,} other files such as {readable(files.others[0])!r}"
    return f"{lead}; give a folder (or a zip) with a folder of PNG, JPEG, GIF, WebP, TIFF or BMP files for each class"


def _split(
    parts: Sequence[str] | None,
    known: Classes | SeveralClasses | None,
    labels: Sequence[Row],
    wanted: Wanted,
) -> dict[str, NDArray[np.int64]]:
    """Rows of every part: as the folders say, and of the training folder what there is no folder for."""
    codes = known.encode([row[0] for row in labels]) if isinstance(known, Classes) else None
    fractions, seed = wanted.fractions, wanted.seed
    if parts is None:
        return split(len(labels), validation=fractions[0], test=fractions[1], seed=seed, classes=codes)
    by_folder = {part: np.flatnonzero([own == part for own in parts]) for part in PARTS}
    if not len(by_folder["train"]):
        raise InputError("the folder for training holds no image with a label, so there is nothing to learn from")
    lacking = {part: 0.0 if part in parts else fraction for part, fraction in zip(PARTS[1:], fractions, strict=True)}
    inside = split(
        len(by_folder["train"]),
        validation=lacking["validation"],
        test=lacking["test"],
        seed=seed,
        classes=None if codes is None else codes[by_folder["train"]],
    )
    drawn = {part: by_folder["train"][places] for part, places in inside.items()}
    return {part: drawn[part] if part == "train" or part not in parts else by_folder[part] for part in PARTS}


def _encoded(
    known: Classes | SeveralClasses | None,
    columns: Sequence[str | None],
    labels: Sequence[Row],
    train: NDArray[np.int64],
    wanted: Wanted,
    x: Array,
    what: str,
) -> tuple[Target, Array]:
    """What the labels mean, and the network's targets; without labels, its inputs `x` (n, d)."""
    if wanted.unlabelled:
        return Reconstruction(x.shape[1]), x
    if isinstance(known, SeveralClasses):
        return known, known.encode(labels)
    if isinstance(known, Classes):
        return known, known.encode([row[0] for row in labels])
    names = tuple(name or unnamed for name, unnamed in zip(columns, quantity_names(len(columns)), strict=True))
    return encode_target(None, quantities(columns, labels, what), train, names, standardised=wanted.standardise)


def _notes_on_files(files: ImageFiles, options: ImageOptions, *, by_folder: bool) -> list[str]:
    notes = []
    own = None if options.labels is None else Path(options.labels).resolve()
    others = [name for name in files.others if files.path.resolve() / name != own]
    if others:
        what = "1 file is no image and was" if len(others) == 1 else f"{len(others):,} files are no images and were"
        notes.append(f"{what} left out, such as {readable(others[0])}")
    if by_folder and options.label_from is None:
        filled = {folder for own in {name.rpartition("/")[0] for name in files.names} for folder in _upwards(own)}
        empty = set(files.folders) - filled
        outermost = sorted(folder for folder in empty if folder.rpartition("/")[0] not in empty)
        if outermost:
            verb = "1 folder holds" if len(outermost) == 1 else f"{len(outermost):,} folders hold"
            notes.append(f"{verb} no images: {listed(outermost)}")
    return notes


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _notes_on_images(files: ImageFiles, wanted: Sequence[int], images: ImageSet, options: ImageOptions) -> list[str]:
    notes = []
    size = (images.shape[1], images.shape[0])
    if options.size is None and size != images.typical:
        notes.append(
            f"images are reduced to {format_size(size)} pixels from {format_size(images.typical)}, their median; "
            "--size decides otherwise"
        )
    if images.broken:
        lines = [f"{files.names[wanted[i]]} {reason.partition(';')[0]}" for i, reason in images.broken]
        what = "1 broken image was" if len(lines) == 1 else f"{len(lines):,} broken images were"
        notes.append(f"{what} left out: {listed(lines, '; ')}")
    return notes


def _lacking(target: Classes, codes: Array, words: str) -> list[str]:
    lacking = [target.names[k] for k in np.flatnonzero(np.bincount(codes, minlength=target.width) == 0)]
    if not len(codes) or not lacking:
        return []
    what = f"class {listed(lacking)} has" if len(lacking) == 1 else f"classes {listed(lacking)} have"
    return [f"{what} no images {words}"]


def _notes_on_parts(
    target: Target,
    y: Array,
    rows: dict[str, NDArray[np.int64]],
    images: ImageSet,
) -> list[str]:
    """Classes that a part lacks, and images that lie in two parts."""
    notes = []
    if isinstance(target, Classes):
        for part, words in (("train", "to learn from"), ("validation", "for validation"), ("test", "for the test")):
            notes += _lacking(target, y[rows[part]], words)
    elif isinstance(target, SeveralClasses):
        for k, question in enumerate(target.targets):
            notes += _lacking(question, y[rows["train"], k], f"to learn from, as {question.column}")
    first = np.arange(len(images.kept) + len(images.broken))
    for file, same in images.twins:
        first[file] = same
    content = first[images.kept]
    held = np.concatenate([rows["validation"], rows["test"]])
    copies = int(np.isin(content[held], content[rows["train"]]).sum())
    if copies:
        verb = "image for validation or test lies" if copies == 1 else "images for validation or test lie"
        notes.append(
            f"{copies:,} {verb} in the training part too, byte for byte the same, which flatters the score; "
            "remove the copies"
        )
    return notes
