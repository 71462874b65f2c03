"""Conducting a run: training, while history and checkpoints are written, so that a kill loses little."""

import os
import time
from collections.abc import Collection, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from backlight.data import PARTS, Dataset
from backlight.errors import InputError
from backlight.files.model import MODEL, Model, finite
from backlight.files.run import CHECKPOINT, HISTORY, TIMING, Run, claim_folder, history_line
from backlight.files.scouting import prepared
from backlight.files.settings import Settings
from backlight.training import (
    EndRecord,
    EpochRecord,
    Record,
    TrainingState,
    replay,
    write_checkpoint,
)
from backlight.training.records import to_dict

_CHECKPOINT_SECONDS: Final = 2.0
INTERRUPTED: Final = "interrupted"


class Conduct:
    """A run that is being trained.

    Args:
        run: its folder.
        dataset: its data.
        resume: whether to go on from the newest checkpoint, or from the beginning where there is none.

    Attributes:
        network: the network that is trained.
        model: the trained model with its metrics, once the records have ended.
    """

    def __init__(self, run: Run, dataset: Dataset, *, resume: bool = False) -> None:
        self.run, self.dataset = run, dataset
        state = run.checkpoint() if resume else None
        self.training = run.settings.training(dataset, dataset.rows["train"], dataset.rows["validation"])
        self.network = self.training.network
        if state is not None:
            try:
                self.training.restore(state)
            except InputError as error:
                raise InputError(f"{run.folder / CHECKPOINT}: {error}; remove it to begin anew") from error
        self.start_step = self.training.step
        self.model: Model | None = None
        last = state.step if state is not None else 0  # from step 0 on, everything is said again
        self._history = [r for r in run.history() if r["record"] == "epoch" and r["step"] <= last > 0]
        self._checkpointed = time.perf_counter()

    def stop(self) -> None:
        """End after the steps that are being taken, with a checkpoint from which the run can be resumed."""
        self.training.stop(INTERRUPTED)

    def records(self) -> Generator[Record, None, None]:
        """Train to the end; every record that is yielded has been written where it belongs."""
        self.run.clear_leftovers()
        self.run.write_history(self._history)
        with (self.run.folder / HISTORY).open("ab") as history, (self.run.folder / TIMING).open("ab") as timing:
            for record in self.training.records():
                if isinstance(record, EpochRecord):
                    _append(history, finite(to_dict(record)))
                    _append(timing, {"epoch": record.epoch, "step": record.step, "seconds": round(record.seconds, 6)})
                if isinstance(record, EndRecord):
                    self._finish(record)
                    if record.reason != INTERRUPTED:
                        _append(history, finite(to_dict(record)))
                elif self._told(record) and time.perf_counter() - self._checkpointed >= _CHECKPOINT_SECONDS:
                    self._write_checkpoint()
                yield record

    def complete(self) -> EndRecord:
        """Train to the end where nobody listens; why it ended."""
        *_, end = self.records()
        assert isinstance(end, EndRecord)
        return end

    def _told(self, record: Record) -> bool:
        """Whether the history says all about the steps that were taken: at an epoch's end, not before its record."""
        return record.step > 0 and (isinstance(record, EpochRecord) or record.step % self.training.steps_per_epoch > 0)

    def _write_checkpoint(self) -> None:
        write_checkpoint(self.run.folder / CHECKPOINT, self.training.state())
        self._checkpointed = time.perf_counter()

    def _finish(self, record: EndRecord) -> None:
        self._write_checkpoint()
        settings, dataset = self.run.settings, self.dataset
        assert settings.loss is not None
        model = Model(self.network, settings.loss, dataset.name, dataset.inputs, dataset.target)
        measured = [part for part in PARTS if len(dataset.rows[part])]
        metrics = {
            part: model.measure(dataset.x, dataset.y, rows=dataset.rows[part], engine=settings.engine)
            for part in measured
        }
        self.model = replace(model, metrics=metrics)
        self.model.save(self.run.folder / MODEL)


def begin(
    settings: Settings,
    dataset: Dataset,
    given: Collection[str] | None = None,
    *,
    folder: Path | None = None,
    force: bool = False,
) -> Conduct:
    """Begin a run, as `backlight train` does: everything is chosen and checked before its folder is made.

    Args:
        settings: as the user gave them.
        dataset: their data, as `load_for` gives them.
        given: the names of the settings that the user gave; those that differ from the defaults unless told.
        folder: of the run; the next free one below `runs` unless given.
        force: whether it may replace a run.

    Returns:
        The run, of which no step has been taken; its `records` train it, or `complete` where nobody listens.

    Raises:
        InputError: two settings, or a setting and the data, do not go together, or the folder is not free.

    Example:
        >>> import tempfile
        >>> from backlight.files import load_for
        >>> settings = Settings("moons", layers=(8,), epochs=2)
        >>> with tempfile.TemporaryDirectory() as name:
        ...     conduct = begin(settings, load_for(settings), folder=Path(name) / "run")
        ...     conduct.complete().reason, sorted(path.name for path in conduct.run.folder.iterdir())[1:4]
        ('2 epochs were asked for', ['history.jsonl', 'model.safetensors', 'run.json'])
    """
    settings, dataset = prepared(settings, dataset, given)
    place = folder or claim_folder(Path("runs"), dataset.name)
    try:
        conduct = Conduct(Run.planned(place, settings, dataset.source), dataset)
    except BaseException:  # not enough memory, or Ctrl-C
        if folder is None:
            place.rmdir()
            with suppress(OSError):
                place.parent.rmdir()  # if there is no other run
        raise
    conduct.run.begin(force=force)
    return conduct


def _append(file: Any, content: dict[str, Any]) -> None:
    file.write(history_line(content))
    file.flush()
    os.fsync(file.fileno())


def state_at(run: Run, step: int) -> TrainingState:
    """The whole state of a run after a number of steps, computed again to the same bits.

    Args:
        run: the run, ended or not.
        step: how many steps had been taken; 0 is the untrained network.

    Raises:
        InputError: the run has no such step, or its data have changed.
    """
    if not 0 <= step <= run.taken:
        raise InputError(
            f"step {step} was asked for; {run.folder} has taken {run.taken} steps, so give 0 to {run.taken}"
        )
    conduct = Conduct(run, run.dataset())
    return replay(conduct.training, step, run.checkpoint())
