"""The run folder: what is written of a training, and how it is found again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from backlight import __version__
from backlight.data import Dataset, Source, load
from backlight.engine import engine_build
from backlight.errors import BacklightError, InputError
from backlight.files.model import Model
from backlight.files.settings import Settings, standardises
from backlight.storage import read_json, write_bytes, write_json
from backlight.training import TrainingState, read_checkpoint

FORMAT: Final = 1
RUN, MODEL, HISTORY = "run.json", "model.safetensors", "history.jsonl"
CHECKPOINT, TIMING = "checkpoint.safetensors", "timing.jsonl"
_FILES: Final = (RUN, MODEL, HISTORY, CHECKPOINT, TIMING)


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: where it is.
        settings: how the run was made, every choice resolved.
        source: the data's files and checksums, as written in `run.json`.
        engine: the engine, its build and instruction set, as written in `run.json`.
    """

    folder: Path
    settings: Settings
    source: dict[str, Any]
    engine: dict[str, str]

    @classmethod
    def create(cls, folder: Path, settings: Settings, source: Source, *, force: bool = False) -> "Run":
        """Make a run folder and write `run.json`, the first file of every run.

        Args:
            folder: where; it must not exist yet.
            settings: resolved settings.
            source: the data's files and checksums.
            force: replace the files of a run that is there already.

        Raises:
            InputError: the folder exists and `force` is not given, or it is not a run's.
            BacklightError: the folder cannot be made.
        """
        check_free(folder, force=force)
        run = cls(folder, settings, source.to_dict(), engine_build(settings.engine))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in _FILES:
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise BacklightError(f"cannot make the folder {folder}: {error.strerror or error}") from error
        content = {
            "format": FORMAT,
            "backlight": __version__,
            "engine": run.engine,
            "settings": settings.to_dict(),
            "source": run.source,
        }
        write_json(folder / RUN, content)
        return run

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Find a run again.

        Raises:
            InputError: the folder is missing, is not a run's, or was written by another version.
        """
        if not folder.is_dir():
            raise InputError(f"there is no run folder {folder}")
        if not (folder / RUN).is_file():
            raise InputError(f"{folder} is not a run folder: it has no {RUN}")
        content = read_json(folder / RUN)
        try:
            if content["format"] != FORMAT:
                raise InputError(f"{folder / RUN} has format {content['format']}; this Backlight reads {FORMAT}")
            settings = Settings.from_dict(content["settings"])
            return cls(folder, settings, dict(content["source"]), dict(content["engine"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{folder / RUN} is damaged: it has no usable {error}") from error

    def dataset(self) -> Dataset:
        """The data that the run was made with.

        Raises:
            InputError: the data are gone or have changed; the message names the file.
        """
        dataset = load_for(self.settings, path=self._data_path())
        for before, now in zip(self.source["files"], dataset.source.to_dict()["files"], strict=True):
            if before["sha256"] != now["sha256"]:
                raise InputError(
                    f"{before['path'] or self.settings.data} has changed since {self.folder} was made "
                    f"(SHA-256 {now['sha256'][:12]}…, then {before['sha256'][:12]}…); put the old data back"
                )
        return dataset

    def _data_path(self) -> str:
        """Where the data are: the absolute path of a single file, whatever the working folder is now."""
        files = self.source["files"]
        if len(files) == 1 and files[0]["path"] is not None:
            return str(files[0]["path"])
        return self.settings.data

    def model(self) -> Model:
        """The trained model.

        Raises:
            InputError: the run has no model yet.
        """
        path = self.folder / MODEL
        if not path.exists():
            raise InputError(
                f"{self.folder} has no model yet: its training has not ended; go on with "
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
                records.append(json.loads(line))
            except ValueError:
                break
        return records

    def write_history(self, records: Iterable[dict[str, Any]]) -> None:
        """Replace the history."""
        write_bytes(self.folder / HISTORY, b"".join(history_line(record) for record in records))

    @property
    def ended(self) -> dict[str, Any] | None:
        """The record of the end, None while there is none."""
        records = self.history()
        return records[-1] if records and records[-1]["record"] == "end" else None


def history_line(record: dict[str, Any]) -> bytes:
    """One line of a `.jsonl` file."""
    return (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load_for(settings: Settings, path: str | None = None) -> Dataset:
    """The data that settings name, split by their seed.

    Args:
        settings: resolved or not.
        path: where the data are, if not where the settings say.

    Raises:
        InputError: the data cannot be used.
    """
    return load(
        path or settings.data,
        target=settings.target,
        task=settings.task,
        validation=settings.validation,
        test=settings.test,
        seed=settings.seed,
        standardise=standardises(settings.output, settings.loss),
    )


def check_free(folder: Path, *, force: bool) -> None:
    """Refuse a folder that a new run must not be written to.

    Raises:
        InputError: it exists and `force` is not given, or it holds something else than a run.
    """
    if folder.is_dir() and force and ((folder / RUN).exists() or not any(folder.iterdir())):
        return
    if folder.exists() and force:
        raise InputError(f"{folder} exists and is not a run folder, so --force does not touch it; choose another --out")
    if folder.exists():
        raise InputError(f"{folder} exists already; choose another --out, or replace it with --force")


def next_folder(parent: Path, name: str) -> Path:
    """The first of `parent/name-1`, `parent/name-2`, … that is free."""
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"
