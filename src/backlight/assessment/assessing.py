"""Assessing a run: how good it is, beside a baseline and a linear model, and how far that can be trusted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backlight.assessment.learning_curve import learning_curve as curve_of
from backlight.assessment.pictures import picture_blocks
from backlight.assessment.report import Assessment
from backlight.assessment.sections import Errors
from backlight.assessment.standing import compared_with
from backlight.assessment.verdict import verdict
from backlight.data import Dataset, ImageOptions, Quantities, Reconstruction, TableOptions, read_rows
from backlight.data.wanted import AUTOENCODE
from backlight.errors import InputError
from backlight.explanation.importance import Importance, importance
from backlight.files import Model, Run, evaluation, part_evaluation, quality
from backlight.plots import Block
from backlight.training import Evaluation, Outcomes, outcomes

_POINTS = 1_000


def assess(
    run: Run | str | Path,
    part: str = "test",
    *,
    file: str | Path | None = None,
    options: TableOptions | ImageOptions | None = None,
    learning_curve: bool = False,
    columns: bool = False,
    say: Callable[[str], None] | None = None,
) -> Assessment:
    """Measure the model of a run, beside a baseline that ignores the inputs and a linear model on the same rows.

    Args:
        run: the run or its folder.
        part: train, validation or test, of the run's own data.
        file: labelled data to measure instead.
        options: how the file is read, as the run's own data were; and who is told how far the reading of images is.
        learning_curve: whether to find out what twice the data would give, in nearly twice the time of the training.
        columns: whether to find out, by shuffling, which columns (or squares of an image) the model needs.
        say: told what takes long.

    Raises:
        InputError: the run has no model, its data are gone, the part is empty, the file does not fit, or a learning
            curve is asked for on the train part.

    Example:
        >>> import tempfile
        >>> from backlight.files import Settings, begin, load_for
        >>> settings = Settings("moons", epochs=5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     conduct = begin(settings, load_for(settings), folder=Path(folder) / "run")
        ...     reason = conduct.complete().reason
        ...     told = assess(conduct.run)
        >>> told.examples, told.baseline.metrics["accuracy"], told.metrics["accuracy"] > 0.8
        (150, 0.5, True)
    """
    if learning_curve and file is None and part == "train":
        raise InputError(
            "a learning curve is measured on rows that no training has seen, and it learns from the train part; "
            "choose the test part, or leave the learning curve out"
        )
    opened = run if isinstance(run, Run) else Run.open(run)
    model = opened.model()
    dataset, note = _dataset(opened, options, needed=file is None or learning_curve)
    read: tuple[str, ...] = ()
    if file is None:
        assert dataset is not None
        name, examples = part, part_evaluation(dataset, part)
        if examples.count == 0:
            raise InputError(f"the run's data have no {part} part; choose another with --part, or give a labelled file")
    else:
        rows = read_rows(Path(file), model.inputs, model.target, labelled=True, options=options)
        assert rows.y is not None
        name, examples, read = str(file), evaluation(model.target, rows.x, rows.y), rows.notes
    if learning_curve and isinstance(model.target, Reconstruction):
        raise InputError("--learning-curve asks what more labels would give, and an autoencoder learns without any")
    metrics, errors, found = _measured(model, examples, opened.settings.engine)
    compared = None if dataset is None else compared_with(opened.settings, dataset, examples)
    curve = None
    if learning_curve:
        assert dataset is not None
        assert found is not None
        curve = curve_of(opened.settings, dataset, metrics["score"], found, examples, say)
    told = Assessment(
        run=str(opened.folder),
        data=name,
        examples=examples.count,
        metrics=metrics,
        baseline=compared and compared[0],
        linear=compared and compared[1],
        learning_curve=curve,
        warnings=(),
        sections=_sections(opened, examples, name if file is None else None) if columns else (),
        target=model.target,
        errors=errors,
        pictures=_pictures(model, examples, dataset if file is None else None, page=columns),
    )
    warnings = verdict(metrics, examples.count, told.baseline, told.linear, learnt=file is None and part == "train")
    return replace(told, warnings=(*note, *read, *warnings))


def _measured(
    model: Model, examples: Evaluation, engine: str
) -> tuple[Mapping[str, Any], tuple[Errors, ...], Outcomes | None]:
    """The metrics, how far answers about quantities are off, and the answers; of reconstructions, the metrics alone."""
    if isinstance(model.target, Reconstruction):
        return model.measure(examples.x, examples.y, rows=examples.rows, engine=engine), (), None
    found = outcomes(model.network, examples, model.loss, engine=engine)
    return quality(model.target, examples, found), _errors(model, found.outputs, found.y), found


def _sections(run: Run, examples: Evaluation, part: str | None) -> tuple[Importance, ...]:
    """What the model loses without each column, on a part of the run's data or on other examples."""
    if run.settings.task == AUTOENCODE:
        return ()
    return (importance(run, part=part) if part is not None else importance(run, examples.x, examples.y),)


def _pictures(model: Model, examples: Evaluation, dataset: Dataset | None, *, page: bool) -> tuple[Block, ...]:
    """What an autoencoder makes of the first examples, where they are images: more of them, and larger, on a page."""
    if not isinstance(model.target, Reconstruction):
        return ()
    rows = (np.arange(examples.count) if examples.rows is None else examples.rows)[: 10 if page else 3].tolist()
    names = [str(row) if dataset is None else dataset.called(dataset.example_of(row)) for row in rows]
    return tuple(picture_blocks(model, examples.x[rows], names, least=64 if page else 1))


def _dataset(
    run: Run, options: TableOptions | ImageOptions | None, *, needed: bool
) -> tuple[Dataset | None, tuple[str, ...]]:
    """The run's data; where only a file is measured, it may do without them."""
    try:
        return run.dataset(options.progress if isinstance(options, ImageOptions) else None), ()
    except InputError as error:
        if needed:
            raise
        return None, (f"Nothing to compare with, for the run's own data cannot be read: {error}",)


def _errors(model: Model, outputs: Any, y: Any) -> tuple[Errors, ...]:
    """How far answers are off, with at most 1,000 evenly spaced examples, in the quantities' own units."""
    if not isinstance(model.target, Quantities) or not np.isfinite(outputs).all():
        return ()
    truth, answers = (model.target.decode(array.reshape(len(array), -1)) for array in (y, outputs))
    half, most = np.quantile(np.abs(answers - truth), [0.5, 0.9], axis=0)
    shown = np.unique(np.linspace(0, len(y) - 1, min(len(y), _POINTS)).astype(np.int64))
    return tuple(
        Errors(name, float(half[k]), float(most[k]), tuple(truth[shown, k].tolist()), tuple(answers[shown, k].tolist()))
        for k, name in enumerate(model.target.names)
    )
