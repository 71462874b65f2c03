"""The run folder: what is written of a training, and how it is found again."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from backlight import __version__
from backlight.data import BUILTIN, Dataset, ImageOptions, Source, TableOptions, with_class_weights
from backlight.data.images.arrays import is_idx
from backlight.data.images.options import Progress
from backlight.data.loading import load_as
from backlight.data.subsets import few_per_class, only_classes
from backlight.data.wanted import Wanted
from backlight.engine import engine_build
from backlight.errors import InputError
from backlight.files.model import MODEL, Model
from backlight.files.settings import Settings
from backlight.files.starting import in_old_units, start_file
from backlight.files.suiting import standardises
from backlight.storage import read_json, sha256_of_file, write_bytes, write_json
from backlight.training import TrainingState, read_checkpoint

FORMAT: Final = 1
RUN, HISTORY, TIMING = "run.json", "history.jsonl", "timing.jsonl"
CHECKPOINT, START = "checkpoint.safetensors", "start.safetensors"
LR_CURVE, LR_PAGE = "lr_range.json", "lr_range.html"
_LEFTOVERS: Final = ".*.part"


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: where it is.
        settings: how the run was made, every choice resolved.
        source: the data's files and checksums, as written in `run.json`.
        engine: the engine, its build and instruction set, as written in `run.json`.
        started_from: the run that its first layers come from, as it was given; None for a run of its own.
    """

    folder: Path
    settings: Settings
    source: dict[str, Any]
    engine: dict[str, str]
    started_from: str | None = None

    @classmethod
    def planned(cls, folder: Path, settings: Settings, source: Source) -> "Run":
        """A run of which nothing has been written yet.

        Args:
            folder: where it will be.
            settings: resolved settings.
            source: the data's files and checksums.
        """
        return cls(folder, settings, source.to_dict(), engine_build(settings.engine), settings.start_from)

    def begin(self, *, force: bool = False) -> None:
        """Make the folder and write `run.json`, the first file of every run.

        The model that is started from is copied into the folder before, so that the run can be resumed and replayed
        whatever becomes of the other.

        Args:
            force: replace the files of a run that is there already.

        Raises:
            InputError: the folder exists and `force` is not given, or it is not a run's, or it cannot be made.
        """
        folder = self.folder
        check_free(folder, force=force)
        start = None if self.started_from is None else start_file(self.started_from).read_bytes()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (MODEL, HISTORY, CHECKPOINT, TIMING, START, LR_CURVE, LR_PAGE):
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(folder, str(error.strerror)) from error
        content: dict[str, Any] = {
            "format": FORMAT,
            "backlight": __version__,
            "engine": self.engine,
            "settings": self.settings.to_dict(),
            "source": self.source,
        }
        if start is not None and self.started_from is not None:
            write_bytes(folder / START, start)
            content["start"] = {
                "path": str(Path(self.started_from).resolve()),
                "sha256": sha256_of_file(folder / START),
            }
        write_json(folder / RUN, content)

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """Find a run again.

        Raises:
            InputError: the folder is missing, is not a run's, or was written by another version.
        """
        folder = Path(folder)
        if not folder.exists():
            raise InputError(f"there is no run folder {folder}")
        if not (folder / RUN).is_file():
            raise InputError(f"{folder} is not a run folder: it has no {RUN}")
        content = read_json(folder / RUN)
        try:
            found = content["format"]
            if found == FORMAT:
                settings = Settings.from_dict(content["settings"])
                settings.check()
                origin = settings.start_from
                if origin is not None:
                    settings = replace(settings, start_from=_own_start(folder, content["start"]["sha256"]))
                files = [{key: file[key] for key in ("path", "sha256")} for file in content["source"]["files"]]
                source = {**content["source"], "files": files}
                return cls(folder, settings, source, dict(content["engine"]), origin)
        except KeyError as error:
            raise InputError(f"{folder / RUN} is damaged: it lacks {error}") from error
        except (InputError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{folder / RUN} is damaged: {error}") from error
        raise InputError(f"{folder / RUN} has format {found!r}; this Backlight reads {FORMAT}")

    def dataset(self, progress: Progress | None = None) -> Dataset:
        """The data that the run was made with.

        Args:
            progress: told how far the reading of images is.

        Raises:
            InputError: the data are gone or have changed; the message names the file.
        """
        dataset = load_for(self._settings_to_load(), progress)
        files = dataset.source.to_dict()["files"]
        if len(files) != len(self.source["files"]):
            raise InputError(f"{self.folder / RUN} is damaged: it names {len(self.source['files'])} data files")
        for before, now in zip(self.source["files"], files, strict=True):
            if before["sha256"] != now["sha256"]:
                raise InputError(
                    f"{before['path'] or self.settings.data} has changed since {self.folder} was made "
                    f"(SHA-256 {now['sha256'][:12]}…, then {before['sha256'][:12]}…); put the old data back"
                )
        return dataset

    def options_for(self, file: str | Path, progress: Progress | None = None) -> TableOptions | ImageOptions:
        """How new data are read: as the run's own were.

        Labels by row number are those of the run's own array, and of no other data.

        Args:
            file: the new data.
            progress: told how far the reading of images is.
        """
        options = self._settings_to_load().options(progress)
        path = Path(file)
        arrays = self.source["kind"] == "npy" or path.suffix.lower() == ".npy" or is_idx(path)
        if isinstance(options, ImageOptions) and arrays and not self.is_of(file):
            return replace(options, labels=None)
        return options

    def is_of(self, file: str | Path) -> bool:
        """Whether a file or folder is what the run was made with."""
        paths = [source["path"] for source in self.source["files"]]
        return bool(paths) and paths[0] == str(Path(file).resolve())

    def _settings_to_load(self) -> Settings:
        """The settings with absolute paths, so that the data are found whatever the working folder is now."""
        settings, paths = self.settings, [file["path"] for file in self.source["files"]]
        if settings.data in BUILTIN or not paths or paths[0] is None:
            return settings
        labels = settings.labels if len(paths) == 1 or settings.labels is None else str(paths[1])
        return replace(settings, data=str(paths[0]), labels=labels)

    def model(self) -> Model:
        """The trained model.

        Raises:
            InputError: the run has no model yet.
        """
        path = self.folder / MODEL
        if not path.exists():
            raise InputError(
                f"{self.folder} has no model: its training has not ended; go on with "
                f"'backlight train --resume {self.folder}'"
            )
        return Model.load(path)

    def checkpoint(self) -> TrainingState | None:
        """The newest checkpoint, None if there is none yet."""
        path = self.folder / CHECKPOINT
        return read_checkpoint(path) if path.exists() else None

    def history(self) -> list[dict[str, Any]]:
        """The records of epochs and of the end; a last line that was cut short is left out."""
        path = self.folder / HISTORY
        records: list[dict[str, Any]] = []
        if not path.exists():
            return records
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
                records.append({**record, "record": record["record"], "step": record["step"]})
            except (ValueError, TypeError, KeyError):
                break
        return records

    def lr_at(self, step: int | None) -> float | None:
        """The learning rate with which the epoch of a step ended, as the history tells; the last one if step is None.

        None where the optimizer has none.
        """
        rates = [(record["step"], record["lr"]) for record in self.history() if "lr" in record]
        later = [lr for end, lr in rates if step is not None and end > step]
        return later[0] if later else rates[-1][1] if rates else self.settings.lr

    def write_history(self, records: Iterable[dict[str, Any]]) -> None:
        """Replace the history."""
        write_bytes(self.folder / HISTORY, b"".join(history_line(record) for record in records))

    def clear_leftovers(self) -> None:
        """Remove what a process that was killed while it wrote has left behind."""
        for path in self.folder.glob(_LEFTOVERS):
            path.unlink(missing_ok=True)

    @property
    def taken(self) -> int:
        """How many steps have been taken, as far as history and checkpoint tell."""
        checkpoint = self.checkpoint()
        return max([int(r["step"]) for r in self.history()] + [0 if checkpoint is None else checkpoint.step])

    @property
    def ended(self) -> dict[str, Any] | None:
        """The record of the end, None while there is none, or where the model is missing."""
        records = self.history()
        ended = bool(records) and records[-1]["record"] == "end" and (self.folder / MODEL).exists()
        return records[-1] if ended else None


def history_line(record: dict[str, Any]) -> bytes:
    """One line of a `.jsonl` file."""
    return (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load_for(settings: Settings, progress: Progress | None = None) -> Dataset:
    """The data that settings name, split by their seed.

    Args:
        settings: resolved or not.
        progress: told how far the reading of images is.

    Raises:
        InputError: the data cannot be used.
    """
    start, options = settings.start(), settings.options(progress)
    wanted = Wanted(
        settings.target,
        settings.task,
        (settings.validation, settings.test),
        settings.seed,
        standardises(settings.output, settings.loss),
        replace(settings.table_options(), class_weights=None),
        None if start is None else start.inputs,
    )
    dataset = load_as(settings.data, wanted, options if isinstance(options, ImageOptions) else None)
    if settings.classes:
        dataset = only_classes(dataset, settings.classes)
    if settings.per_class is not None:
        dataset = few_per_class(dataset, settings.per_class, settings.seed)
    if settings.class_weights is not None:
        dataset = with_class_weights(dataset, settings.class_weights)
    return dataset if start is None else in_old_units(start, dataset, settings.chosen_output(dataset))


def _own_start(folder: Path, sha256: str) -> str:
    """The run's copy of the model that it was started from.

    Raises:
        InputError: it is missing, or has changed.
    """
    path = folder / START
    if not path.is_file():
        raise InputError(f"it was started from another run, and {START}, which holds that one's model, is missing")
    if sha256_of_file(path) != sha256:
        raise InputError(f"{START}, the model that it was started from, has changed")
    return str(path)


def check_free(folder: Path, *, force: bool) -> None:
    """Refuse a folder that a new run must not be written to.

    An empty folder is free, and so is one where a process was killed before it had written `run.json`.

    Raises:
        InputError: it exists and `force` is not given, or it holds something else than a run, or cannot be made.
    """
    if not folder.exists():
        above = next(path for path in folder.absolute().parents if path.exists())
        if not above.is_dir():
            raise _unwritable(folder, f"{above} is no folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise _unwritable(folder, f"{above} is not yours to write to")
        return
    if folder.is_dir() and all(path.match(_LEFTOVERS) for path in folder.iterdir()):
        return
    if not (folder / RUN).is_file():
        raise InputError(f"{folder} exists and is not a run folder, so nothing is written to it; choose another --out")
    if not force:
        raise InputError(f"{folder} exists already; choose another --out, or replace it with --force")


def claim_folder(parent: Path, name: str) -> Path:
    """Make the first of `parent/name-1`, `parent/name-2`, … that does not exist, so that no other run takes it.

    Raises:
        InputError: it cannot be made.
    """
    number = 1
    while True:
        folder = parent / f"{name}-{number}"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            return folder
        except FileExistsError as error:
            if not parent.is_dir():
                raise _unwritable(folder, f"{parent} is no folder") from error
            number += 1
        except OSError as error:
            raise _unwritable(folder, str(error.strerror)) from error


def _unwritable(folder: Path, reason: str) -> InputError:
    return InputError(f"cannot make the folder {folder}: {reason}; choose another with --out")
