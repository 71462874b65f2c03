"""L-BFGS: the recursion by its definition, SciPy's minimum, and the life of a run: records, resuming, Ctrl-C."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.data.augment import Augmentation
from backlight.engine import Stretch, whole
from backlight.errors import InputError
from backlight.network import Network
from backlight.training import LBFGS, EpochRecord, Trainer, Training, TrainingState, make_optimizer, replay
from backlight.training.checkpoints import read_checkpoint, write_checkpoint
from backlight.training.optimizers.line_search import Point, line_search
from tests import cases
from tests.training.made import VALIDATION, X, Y, classifier, epochs, finished, same_state, stop_within

GOLDEN = Path(__file__).parents[1] / "golden" / "lbfgs.npz"
every_engine = pytest.mark.parametrize("engine", cases.ENGINES)


# the direction: by BFGS's matrices, written out -----------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [0, 1, 3, 4])
def test_the_direction_is_that_of_the_inverse_hessian_written_out(pairs):
    size, optimizer = 5, LBFGS(4)
    matrix = cases.some((size, size), 1)
    curvature, g = matrix @ matrix.T + np.eye(size), cases.some((size,), 2)
    state = optimizer.initial_state(size, np.dtype("float64"))
    inverse = np.eye(size)
    for k in range(pairs):
        s = cases.some((size,), 3 + k)
        state["moves"][4 - pairs + k], state["changes"][4 - pairs + k] = s, curvature @ s
    if pairs:
        s, y = state["moves"][-1], state["changes"][-1]
        inverse *= (s @ y) / (y @ y)
    for s, y in zip(state["moves"][4 - pairs :], state["changes"][4 - pairs :], strict=True):
        rest = np.eye(size) - np.outer(s, y) / (s @ y)
        inverse = rest @ inverse @ rest.T + np.outer(s, s) / (s @ y)
    np.testing.assert_allclose(optimizer.direction(g, state), -inverse @ g, rtol=1e-9, atol=1e-12)


# the line search ------------------------------------------------------------------------------------------------------

LINES: dict[str, tuple[Any, Any]] = {
    "square": (lambda a: (a - 3) ** 2, lambda a: 2 * (a - 3)),
    "quartic": (lambda a: (a - 2) ** 4 - a, lambda a: 4 * (a - 2) ** 3 - 1),
    "wave": (lambda a: a - np.sin(5 * a), lambda a: 1 - 5 * np.cos(5 * a)),
    "wall": (lambda a: -a if a < 0.01 else np.inf, lambda a: -1.0),
    "log": (lambda a: -np.log1p(a) + a / 50, lambda a: -1 / (1 + a) + 0.02),
}


@pytest.mark.parametrize("first", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("name", LINES)
def test_what_a_line_search_finds_is_lower_and_flatter(name, first):
    value, slope = LINES[name]
    tried: list[float] = []

    def evaluate(at: float) -> Point:
        tried.append(at)
        return Point(at, float(value(at)), float(slope(at)), np.zeros(0))

    start = evaluate(0.0)
    found = line_search(evaluate, start, first)
    assert found is not None
    assert found.value <= start.value + 1e-4 * found.at * start.slope
    assert name == "wall" or abs(found.slope) <= 0.9 * abs(start.slope)
    assert len(tried) <= 21


def test_where_nothing_is_lower_nothing_is_found():
    up = Point(0.0, 0.0, -1.0, np.zeros(0))
    assert line_search(lambda at: Point(at, at, 1.0, np.zeros(0)), up, 1.0) is None
    assert line_search(lambda at: Point(at, np.nan, np.nan, np.zeros(0)), up, 1.0) is None


# beside SciPy ---------------------------------------------------------------------------------------------------------


def golden_training(name: str, engine: str, epochs_: int, number: int = 0) -> tuple[Training, Any]:
    with np.load(GOLDEN, allow_pickle=False) as golden:
        given = dict(golden)
    hidden = (5,) if name == "hidden" else ()
    network = Network.mlp(4, *hidden, 3, hidden="tanh", dtype="float64")
    network.params[...] = given[f"{name}/starts"][number]
    trainer = Trainer(network, optimizer="lbfgs", epochs=epochs_, engine=engine)
    return trainer.start(given["x"], given["y"]), given


@every_engine
def test_the_minimum_of_a_logistic_regression_is_scipys(engine):
    training, golden = golden_training("logistic", engine, 200)
    _, end = finished(training)
    assert end.reason == "a minimum was reached: no step makes the loss lower any more"
    assert end.step < 60
    losses, gradient = training.session.gradients(np.arange(120))
    assert losses.mean() == pytest.approx(golden["logistic/values"][0], rel=1e-12)
    assert abs(gradient).max() < 1e-7
    np.testing.assert_allclose(training.network.params, golden["logistic/params"][0], atol=1e-6)


def test_with_hidden_units_it_gets_as_low_in_as_many_evaluations():
    """On average: from one start the two may be in different valleys, 0.05 apart; the means of 60 starts are equal."""
    values, counted = [], []
    for number in range(8):
        training, golden = golden_training("hidden", "auto", 100, number)
        finished(training)
        session: Any = training.session
        counted.append(session.evaluations)
        values.append(training.session.gradients(np.arange(120))[0].mean())
    assert np.mean(values) <= golden["hidden/values"].mean() + 0.03
    assert sum(counted) <= 1.1 * golden["hidden/evaluations"].sum()


@every_engine
def test_penalties_are_part_of_the_objective(engine):
    network = Network.mlp(4, 3, seed=1, dtype="float64")
    training = Trainer(network, optimizer="lbfgs", l2=0.1, l1=0.001, epochs=200, engine=engine).start(X, Y)
    records, _ = finished(training)
    W = network.params[:12]
    losses, gradient = training.session.gradients(np.arange(30))
    gradient[:12] += 0.1 * W + 0.001 * np.sign(W)
    assert abs(gradient).max() < 1e-4  # l1 has a kink where a weight is 0
    expected = losses.mean() + 0.05 * (W**2).sum() + 0.001 * abs(W).sum()
    assert epochs(records)[-1]["train"]["loss"] == pytest.approx(expected, rel=1e-6)


# the life of a run ----------------------------------------------------------------------------------------------------


def start(*, state: TrainingState | None = None, weights: Any = None, **given: Any) -> Training:
    trainer = Trainer(classifier(), optimizer="lbfgs", **{"epochs": 15, **given})
    return trainer.start(X, Y, validation=VALIDATION, state=state, sample_weight=weights)


@every_engine
def test_killed_after_any_record_and_resumed_or_replayed(engine, tmp_path):
    whole = start(engine=engine)
    states = [(record, whole.state()) for record in whole.records()]
    for record, state in states:
        write_checkpoint(tmp_path / "a", state)
        again = start(engine=engine, state=read_checkpoint(tmp_path / "a"))
        records, end = finished(again)
        assert same_state(again.state(), whole.state()), record
        assert end.reason == states[-1][0].reason  # type: ignore[union-attr]
        if isinstance(record, EpochRecord):
            assert epochs(records) == epochs(r for r, _ in states)[record.epoch :]
        replayed = replay(start(engine=engine), state.step, states[4][1])
        assert replayed.params.tobytes() == state.params.tobytes()


def test_an_iteration_is_an_epoch_and_the_loss_never_rises():
    records, end = finished(start())
    losses = [record["train"]["loss"] for record in epochs(records)]
    assert [record["step"] for record in epochs(records)] == list(range(1, end.step + 1))
    assert losses == sorted(losses, reverse=True)


def test_a_training_at_its_minimum_ends_again_at_once():
    whole = start(epochs=500)
    _, end = finished(whole)
    assert end.step < 500
    records, again = finished(start(epochs=500, state=whole.state()))
    assert len(records) == 1
    assert (again.reason, again.step) == (end.reason, end.step)
    with pytest.raises(InputError, match=f"step {end.step + 5} was asked for"):
        replay(start(epochs=500), end.step + 5)


def test_more_rows_than_a_chunk_and_their_weights_mean_the_same(monkeypatch):
    weights, found = np.linspace(0.5, 2.0, len(X)), []
    for chunk in (8192, 7):
        monkeypatch.setattr(whole, "_CHUNK", chunk)
        training = start(weights=weights, epochs=3)
        finished(training)
        found.append(training.state().params)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)
    assert not np.allclose(found[0], start_state(3), atol=1e-3)


def start_state(epochs_: int) -> Any:
    """The parameters after some epochs without weights."""
    training = start(epochs=epochs_)
    finished(training)
    return training.state().params


def test_one_iteration_from_a_fresh_start_goes_along_the_gradient():
    training = start()
    before, (losses, gradient) = training.network.params.copy(), training.session.gradients(np.arange(len(X)))
    training.advance_to(1)
    moved = (training.network.params - before).astype(np.float64)
    cosine = moved @ -gradient / np.linalg.norm(moved) / np.linalg.norm(gradient)
    assert cosine == pytest.approx(1.0, abs=1e-4)
    assert training.session.gradients(np.arange(len(X)))[0].mean() < losses.mean()


def test_a_stopped_iteration_is_dropped():
    training = start()
    training.advance_to(2)
    kept, session = training.network.params.copy(), training.session
    stop_within(session, "value_and_gradient")
    advance = session.advance(Stretch(np.arange(len(X)), len(X), 0, 1, 2, 2, 1.0))
    assert len(advance.objectives) == 0
    assert advance.ended is None
    assert np.array_equal(training.network.params, kept)


def test_a_loss_that_is_not_finite_ends_with_no_word_of_a_learning_rate():
    x = X.copy()
    x[3] = 1e30
    network = Network.mlp(4, 2, output="identity", seed=1)
    _, end = finished(Trainer(network, optimizer="lbfgs").start(x, cases.some((30, 2))))
    assert end.failed
    assert end.reason.endswith("the weights of step 0 were kept")


# what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 10}, "lbfgs takes all examples at each step, and batch_size is 10; leave it out"),
        ({"lr": 0.1}, "lbfgs finds the length of every step by itself; leave out lr"),
        ({"schedule": "cosine"}, "lbfgs has no learning rate that a schedule could change; leave it out"),
        ({"record_examples": True}, "lbfgs visits examples several times a step"),
        ({"clip": 1.0}, "clip is for optimizers that take batches, and lbfgs takes none; leave it out"),
        ({"clip_examples": 1.0}, "clip_examples is for optimizers that take batches"),
        ({"average": 0.9}, "average is for optimizers that take batches"),
        ({"accumulate": 2}, "lbfgs takes all examples at each step, so that accumulate has nothing to add up"),
        ({"augment": Augmentation(noise=0.1)}, "lbfgs needs the same objective at every step, and augment"),
        ({"freeze": 1}, "lbfgs moves any parameter, so that freeze does not go with it; leave it out"),
        ({"network": classifier(dropout=0.5)}, "lbfgs needs the same objective at every step, and dropout draws"),
    ],
)
def test_what_lbfgs_cannot_use_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Trainer(**{"network": classifier(), "optimizer": "lbfgs", **given})


def test_settings_of_others_are_refused():
    with pytest.raises(InputError, match="the optimizer lbfgs has no setting 'momentum'; it has history"):
        make_optimizer("lbfgs", momentum=0.9)
    with pytest.raises(InputError, match="history is 0; it must be a whole number of at least 1"):
        make_optimizer("lbfgs", history=0)
    assert make_optimizer("lbfgs", history=3) == LBFGS(3)
