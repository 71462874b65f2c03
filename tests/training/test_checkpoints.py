"""A training that is stopped anywhere and resumed, or replayed, goes through the same bits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.engine import Advance, Stretch
from backlight.errors import InputError
from backlight.storage import read_tensors, write_tensors
from backlight.training import EpochRecord, StepsRecord, Trainer, Training, TrainingState, loop, replay
from backlight.training.checkpoints import read_checkpoint, write_checkpoint
from tests import cases
from tests.training.made import VALIDATION, X, Y, classifier, epochs, finished, same_state

STEPS = 20  # 4 epochs of 5 steps
quick = settings(deadline=None, max_examples=25)
optimizers = st.sampled_from(sorted(cases.OPTIMIZERS))
every_engine = pytest.mark.parametrize("engine", cases.ENGINES)


def start(
    name: str = "adam",
    *,
    norm: str | None = None,
    state: TrainingState | None = None,
    validated: bool = True,
    **settings_: Any,
) -> Training:
    case = cases.OPTIMIZERS[name]
    given_ = {"batch_size": 7, "epochs": 4, "lr": 5 * case.lr} | settings_
    trainer = Trainer(classifier(norm=norm, dropout=0.2), optimizer=case.optimizer, **given_)
    return trainer.start(X, Y, validation=VALIDATION if validated else None, state=state)


def round_trip(path: Path, state: TrainingState) -> TrainingState:
    write_checkpoint(path, state)
    read = read_checkpoint(path)
    assert same_state(read, state)
    return read


@every_engine
@quick
@given(optimizers, st.sampled_from([None, "batch", "layer"]), st.integers(0, STEPS))
def test_stopped_anywhere_and_resumed_from_a_file(tmp_path_factory, engine, name, norm, step):
    path = tmp_path_factory.mktemp("run") / "checkpoint"
    whole = start(name, norm=norm, engine=engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_BLOCK_SECONDS", 0.0)  # every block is one step
        expected, end = finished(whole)
        before = []
        first = start(name, norm=norm, engine=engine)
        if step == 0:
            first.stop("killed")
        for record in first.records():
            before.append(record)
            if isinstance(record, StepsRecord) and record.step == step:
                first.stop("killed")
    assert first.state().step == step
    second = start(name, norm=norm, engine=engine, state=round_trip(path, first.state()))
    after, second_end = finished(second)
    assert same_state(second.state(), whole.state())
    assert second.network.params.tobytes() == whole.network.params.tobytes()
    assert epochs(before) + epochs(after) == epochs(expected)
    assert (second_end.reason, second_end.step, second_end.best_epoch) == (end.reason, end.step, end.best_epoch)


@every_engine
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_killed_after_any_record_and_resumed(monkeypatch, engine, name):
    """The state between any two records leads on to the same bits, the one before an epoch is measured included."""
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", 0.0)
    whole = start(name, engine=engine)
    states = [(record, whole.state()) for record in whole.records()]
    for record, state in states:
        again = start(name, engine=engine, state=state)
        records, end = finished(again)
        assert same_state(again.state(), whole.state()), record
        assert again.network.params.tobytes() == whole.network.params.tobytes()
        if isinstance(record, EpochRecord):
            assert epochs(records) == epochs(r for r, _ in states)[record.epoch :]
        assert end.best_epoch == states[-1][0].best_epoch  # type: ignore[union-attr]


@every_engine
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("schedule", cases.SCHEDULES)
def test_schedules_go_through_the_same_rates_killed_or_replayed(monkeypatch, tmp_path, engine, schedule, validated):
    """What reduce on plateau has seen, and when, is the same wherever a training goes on."""
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", 0.0)
    given_ = {"schedule": schedule, "engine": engine, "validated": validated, "lr": 0.3}
    whole = start("adam", **given_)
    states = [(record, whole.state()) for record in whole.records()]
    if schedule.startswith("plateau"):
        assert whole.rates.watched is not None
        assert whole.rates.watched.cuts > 0
    for record, state in states[::5]:  # six records to an epoch
        again = start("adam", state=round_trip(tmp_path / "a", state), **given_)
        records, _ = finished(again)
        assert same_state(again.state(), whole.state()), record
        if isinstance(record, EpochRecord):
            assert epochs(records) == epochs(r for r, _ in states)[record.epoch :]
        for checkpoint in (None, states[3][1]):
            replayed = replay(start("adam", **given_), record.step, checkpoint)
            assert replayed.params.tobytes() == state.params.tobytes()


def test_a_training_that_had_ended_by_patience_ends_again_at_once():
    whole = start(epochs=200, patience=3)
    _, end = finished(whole)
    assert end.epoch < 200
    again = start(epochs=200, patience=3, state=whole.state())
    records, again_end = finished(again)
    assert len(records) == 1
    assert (again_end.reason, again_end.step, again_end.best_epoch) == (end.reason, end.step, end.best_epoch)
    assert again.network.params.tobytes() == whole.network.params.tobytes()


def test_a_training_that_had_ended_by_epochs_can_be_given_more():
    short, longer = start(), start(epochs=8)
    finished(short)
    finished(longer)
    more = start(epochs=8, state=short.state())
    finished(more)
    assert same_state(more.state(), longer.state())


def test_a_state_is_a_copy():
    training = start()
    training.advance_to(3)
    state = training.state()
    kept = (state.params.tobytes(), state.optimizer["m"].tobytes())
    training.advance_to(9)
    assert (state.params.tobytes(), state.optimizer["m"].tobytes()) == kept
    training.restore(state)
    training.advance_to(9)
    assert (state.params.tobytes(), state.optimizer["m"].tobytes()) == kept


# replay ---------------------------------------------------------------------------------------------------------------


@every_engine
@quick
@given(optimizers, st.integers(0, STEPS), st.integers(0, STEPS))
def test_replay_from_the_seed_and_from_a_checkpoint(engine, name, step, saved):
    passed: dict[int, TrainingState] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_BLOCK_SECONDS", 0.0)
        training = start(name, engine=engine)
        passed[0] = training.state()
        for _ in training.records():
            passed[training.step] = training.state()
    for checkpoint in (None, passed[saved]):
        state = replay(start(name, engine=engine), step, checkpoint)
        assert state.step == step
        assert state.params.tobytes() == passed[step].params.tobytes()
        assert state.objective_sum == passed[step].objective_sum
        assert {k: v.tobytes() for k, v in state.optimizer.items()} == {
            k: v.tobytes() for k, v in passed[step].optimizer.items()
        }


def test_replay_from_a_checkpoint_takes_only_the_steps_after_it(monkeypatch):
    source = start()
    source.advance_to(13)
    training = start()
    counts, advance = [], training.session.advance

    def counting(stretch: Stretch) -> Advance:
        counts.append(stretch.count)
        return advance(stretch)

    monkeypatch.setattr(training.session, "advance", counting)
    replay(training, 17, source.state())
    assert sum(counts) == 4


def test_replay_cannot_go_back():
    training = start()
    training.advance_to(7)
    with pytest.raises(InputError, match="step 6 was asked for, and the training stands at step 7 already"):
        replay(training, 6)
    assert replay(training, 7).step == 7


def test_replay_cannot_go_beyond_a_step_that_failed():
    training = Trainer(classifier(), optimizer="sgd", batch_size=7).start(X, Y)
    training.advance_to(2)
    training.network.params[3] = np.nan
    with pytest.raises(InputError, match="step 9 was asked for, and the loss is no longer finite after step 2"):
        replay(training, 9)


# files ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path):
    training = start()
    finished(training)
    write_checkpoint(tmp_path / "checkpoint", training.state())
    return tmp_path / "checkpoint"


def test_equal_states_give_equal_files(tmp_path, checkpoint):
    write_checkpoint(tmp_path / "other", read_checkpoint(checkpoint))
    assert (tmp_path / "other").read_bytes() == checkpoint.read_bytes()


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*gone"):
        read_checkpoint(tmp_path / "gone")


@pytest.mark.parametrize("length", [0, 7, 8, 100, 500, -1])
def test_a_checkpoint_that_was_cut_short_is_refused(checkpoint, length):
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    with pytest.raises(InputError, match=r"checkpoint is not a safetensors file .*cut short"):
        read_checkpoint(checkpoint)


def test_a_tensor_file_that_is_no_checkpoint_is_refused(tmp_path):
    write_tensors(tmp_path / "a", {"x": np.zeros(3)}, {})
    with pytest.raises(InputError, match="is not a checkpoint of Backlight: 'checkpoint' is missing"):
        read_checkpoint(tmp_path / "a")


def altered(path: Path, **changes: Any) -> None:
    """Rewrite a checkpoint with other metadata; None takes an entry away."""
    tensors, metadata = read_tensors(path)
    position = json.loads(metadata["checkpoint"]) | changes
    position = {name: value for name, value in position.items() if value is not None}
    write_tensors(path, tensors, {"checkpoint": json.dumps(position)})


def test_a_checkpoint_of_a_newer_format_is_refused(checkpoint):
    altered(checkpoint, format=2)
    with pytest.raises(InputError, match="has format 2; this Backlight reads format 1"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("entry", ["format", "step", "objective_sum"])
def test_a_checkpoint_that_lacks_an_entry_is_refused(checkpoint, entry):
    altered(checkpoint, **{entry: None})
    with pytest.raises(InputError, match=f"is not a checkpoint of Backlight: '{entry}' is missing"):
        read_checkpoint(checkpoint)


def test_a_checkpoint_without_parameters_is_refused(checkpoint):
    tensors, metadata = read_tensors(checkpoint)
    del tensors["params"]
    write_tensors(checkpoint, tensors, metadata)
    with pytest.raises(InputError, match="is not a checkpoint of Backlight: 'params' is missing"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_what_a_checkpoint_holds(tmp_path, name):
    training = start(name)
    training.advance_to(3)
    state = round_trip(tmp_path / "a", training.state())
    assert state.step == 3
    assert set(state.optimizer) == set(training.session.state)
    assert (state.best_params, state.best_score, state.best_epoch) == (None, None, None)
    finished(training)
    state = round_trip(tmp_path / "a", training.state())
    assert state.step == STEPS
    assert state.best_epoch is not None
