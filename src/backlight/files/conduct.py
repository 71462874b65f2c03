"""Conducting a run: training, while history and checkpoints are written, so that a kill loses little."""

import os
import time
from collections.abc import Iterator
from typing import Any, Final

from backlight.data import PARTS, Dataset
from backlight.files.model import Model, evaluation
from backlight.files.run import CHECKPOINT, HISTORY, MODEL, TIMING, Run, history_line
from backlight.training import EndRecord, EpochRecord, Record, evaluate, write_checkpoint
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
        self.network = run.settings.network(dataset)
        trainer = run.settings.trainer(self.network)
        validation = None
        if len(dataset.rows["validation"]):
            validation = evaluation(dataset.target, *dataset.part("validation"))
        state = run.checkpoint() if resume else None
        self.training = trainer.start(
            dataset.x, dataset.y, rows=dataset.rows["train"], validation=validation, state=state
        )
        self.start_step = self.training.step
        self.model: Model | None = None
        self._history = [r for r in run.history() if r["record"] == "epoch" and state and r["step"] <= state.step]
        self._checkpointed = time.perf_counter()

    def stop(self) -> None:
        """End after the steps that are being taken, with a checkpoint from which the run can be resumed."""
        self.training.stop(INTERRUPTED)

    def records(self) -> Iterator[Record]:
        """Train to the end; every record that is yielded has been written where it belongs."""
        self.run.write_history(self._history)
        with (self.run.folder / HISTORY).open("ab") as history, (self.run.folder / TIMING).open("ab") as timing:
            for record in self.training.records():
                if isinstance(record, EpochRecord):
                    _append(history, to_dict(record))
                    _append(timing, {"epoch": record.epoch, "step": record.step, "seconds": round(record.seconds, 6)})
                if isinstance(record, EndRecord):
                    self._finish(record)
                    if record.reason != INTERRUPTED:
                        _append(history, to_dict(record))
                elif time.perf_counter() - self._checkpointed > _CHECKPOINT_SECONDS:
                    self._write_checkpoint()
                yield record

    def _write_checkpoint(self) -> None:
        write_checkpoint(self.run.folder / CHECKPOINT, self.training.state())
        self._checkpointed = time.perf_counter()

    def _finish(self, record: EndRecord) -> None:
        self._write_checkpoint()
        metrics = {part: self._evaluate(part) for part in PARTS if len(self.dataset.rows[part])}
        settings, dataset = self.run.settings, self.dataset
        assert settings.loss is not None
        self.model = Model(self.network, settings.loss, dataset.name, dataset.inputs, dataset.target, metrics)
        self.model.save(self.run.folder / MODEL)

    def _evaluate(self, part: str) -> dict[str, Any]:
        settings = self.run.settings
        examples = evaluation(self.dataset.target, *self.dataset.part(part))
        return evaluate(self.network, examples, settings.loss, engine=settings.engine)


def _append(file: Any, content: dict[str, Any]) -> None:
    file.write(history_line(content))
    file.flush()
    os.fsync(file.fileno())
