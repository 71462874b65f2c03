"""Replay: any moment of a training, computed again from its seed or from a checkpoint, to the same bits."""

from backlight.errors import InputError
from backlight.training.loop import Training
from backlight.training.state import TrainingState


def replay(training: Training, step: int, checkpoint: TrainingState | None = None) -> TrainingState:
    """The state after a number of steps.

    Args:
        training: a fresh training, started with the settings and data of the one that is replayed.
        step: how many steps had been taken at the moment asked for; 0 is the untrained network.
        checkpoint: a state to begin from where it lies before that moment; else the beginning is the seed.

    Raises:
        InputError: the step lies before the training's own state, or beyond a step that did not succeed.
    """
    if step < training.step:
        raise InputError(f"step {step} was asked for, and the training stands at step {training.step} already")
    if checkpoint is not None and training.step < checkpoint.step <= step:
        training.restore(checkpoint)
    training.advance_to(step)
    if training.step < step:
        raise InputError(f"step {step} was asked for, and the loss is no longer finite after step {training.step}")
    return training.state()
