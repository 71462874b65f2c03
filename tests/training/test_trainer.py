from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.engine.native import NativeSession
from backlight.engine.reference import ReferenceSession
from backlight.network import Draws, Network
from backlight.network.objective import mean_weights
from backlight.randomness import Purpose, permutation
from backlight.scoring.metrics import HIGHER_IS_BETTER
from backlight.training import EndRecord, EpochRecord, Evaluation, StepsRecord, Trainer, loop
from tests import cases
from tests.training.made import VALIDATION, X, Y, blocks, classifier, epochs, finished

PLAIN = settings(deadline=None, max_examples=30)


def plain_loop(network: Network, trainer: Trainer, case: cases.OptimizerCase, weight: np.ndarray) -> list[float]:
    """Training as every textbook writes it: the mean objective of each epoch."""
    size = trainer.batch_size if isinstance(trainer.batch_size, int) else len(X)
    gradients: list[cases.Float64s] = []
    means = []
    weights = np.zeros(network.params.size, bool)
    for _, layer, place in network.dense_layers():
        weights[place.start : place.start + layer.W.size] = True
    for epoch in range(trainer.epochs):
        order = permutation(trainer.seed, Purpose.SHUFFLING, len(X), place=(epoch, 0))
        order = np.arange(len(X)) if size >= len(X) else order
        total = 0.0
        for start in range(0, len(X), size):
            rows = order[start : start + size]
            trace = network.forward(X[rows], Draws(trainer.seed, epoch, rows))
            backward = network.backward(trace, Y[rows])
            total += float(mean_weights(len(rows), network.dtype, weight[rows]) @ backward.losses) * len(rows)
            gradients.append(np.asarray(backward.gradient(weight[rows])))
            decay = case.lr * case.optimizer.weight_decay * network.params * weights
            network.params += case.update(gradients, case.lr) - decay
        means.append(total / len(X))
    return means


@pytest.mark.parametrize("engine", cases.ENGINES)
@PLAIN
@given(
    st.sampled_from(sorted(cases.OPTIMIZERS)),
    st.sampled_from(["full", 1, 7, 30, 29, 1000]),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0.0, 0.4]),
    st.booleans(),
)
def test_training_is_the_plain_loop(engine, name, batch_size, seed, dropout, weighted):
    case = cases.OPTIMIZERS[name]
    network, plain = (classifier(dropout=dropout, dtype="float64") for _ in range(2))
    conduct: dict[str, Any] = {"batch_size": batch_size, "epochs": 3, "seed": seed, "engine": engine}
    trainer = Trainer(network, optimizer=case.optimizer, lr=case.lr, **conduct)
    weight = np.arange(30) / 3.0 if weighted else None
    records = list(trainer.run(X, Y, sample_weight=weight))
    scaled = np.ones(30) if weight is None else weight / weight.mean()
    means = plain_loop(plain, trainer, case, scaled)
    np.testing.assert_allclose(network.params, plain.params, rtol=1e-8, atol=1e-10)  # 90 steps amplify roundings
    np.testing.assert_allclose([r["train"]["loss"] for r in epochs(records)], means, rtol=1e-9)


# the stream of records ------------------------------------------------------------------------------------------------


def test_the_stream_of_records():
    network = classifier()
    records, end = finished(Trainer(network, batch_size=7, epochs=3).start(X, Y))
    assert end == EndRecord("3 epochs were asked for", 3, 15, None, failed=False, seconds=end.seconds)
    assert [type(r) for r in records].count(EndRecord) == 1
    step, seconds = 0, 0.0
    for record, following in pairwise(records):
        assert seconds <= record.seconds <= following.seconds
        seconds = record.seconds
        if isinstance(record, StepsRecord):
            assert step < record.step <= (step // 5 + 1) * 5  # a block never crosses the end of an epoch
            step = record.step
            assert record.epoch == (step - 1) // 5 + 1
            assert record.examples == min(((step - 1) % 5 + 1) * 7, 30)
            assert record.examples_per_second > 0
            assert isinstance(following, EpochRecord) == (step % 5 == 0)
        elif isinstance(record, EpochRecord):
            assert (record.epoch, record.step) == (step // 5, step)
            assert list(record.train) == ["loss"]
            assert record.validation is None
            assert record.best_epoch is None
    assert [r["epoch"] for r in epochs(records)] == [1, 2, 3]


@pytest.mark.parametrize(("batch_size", "steps"), [("full", 1), (30, 1), (1000, 1), (29, 2), (15, 2), (7, 5), (1, 30)])
def test_batch_sizes(batch_size, steps):
    records, end = finished(Trainer(classifier(), batch_size=batch_size, epochs=2).start(X, Y))
    assert end.step == 2 * steps
    assert [r["step"] for r in epochs(records)] == [steps, 2 * steps]


def test_the_objective_of_a_block_is_the_mean_over_its_epoch_so_far(monkeypatch):
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", 0.0)  # every block is one step
    records, _ = finished(Trainer(classifier(dtype="float64"), batch_size=7, epochs=2).start(X, Y))
    assert [r.step for r in blocks(records)] == list(range(1, 11))
    network, total, visited = classifier(dtype="float64"), 0.0, 0
    training = Trainer(network, batch_size=7, epochs=2).start(X, Y)
    for record in blocks(records):
        rows = training.stretch(record.step - 1, 1).rows()
        total = 0.0 if record.step % 5 == 1 else total
        visited = 0 if record.step % 5 == 1 else visited
        total += float(network.losses(network.forward(X[rows]), Y[rows]).sum())
        visited += len(rows)
        assert record.examples == visited
        assert record.objective == pytest.approx(total / visited, rel=1e-12)
        training.advance_to(record.step)
    assert [r["train"]["loss"] for r in epochs(records)] == [blocks(records)[k].objective for k in (4, 9)]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were evaluated, evaluation by evaluation."""
    calls: list[int] = []

    def count(session: type) -> None:
        true = session.losses  # type: ignore[attr-defined]

        def losses(self, examples, rows=None):
            calls.append(examples.source.count if rows is None else len(rows))
            return true(self, examples, rows)

        monkeypatch.setattr(session, "losses", losses)

    count(NativeSession)
    count(ReferenceSession)
    return calls


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize(
    ("settings_", "validation", "expected"),
    [
        ({}, None, []),
        ({"until": ["loss<1e-9"]}, None, []),
        ({}, VALIDATION, [20] * 3),
        ({"until": ["accuracy>=2"]}, VALIDATION, [20] * 3),
        ({"until": ["accuracy>=2"]}, None, [30] * 3),
        ({"evaluate_untrained": True}, None, [30]),
        ({"evaluate_untrained": True}, VALIDATION, [20, 30, 20, 20, 20]),
    ],
)
def test_nothing_is_evaluated_that_was_not_asked_for(monkeypatch, settings_, validation, expected, engine):
    calls = counted(monkeypatch)
    finished(
        Trainer(classifier(), epochs=3, batch_size=8, engine=engine, **settings_).start(X, Y, validation=validation)
    )
    assert calls == expected


def test_the_untrained_network_comes_first_when_asked_for():
    network = classifier()
    expected = network.losses(network.forward(X), Y).mean()
    records = list(Trainer(network, epochs=1, evaluate_untrained=True).run(X, Y, validation=VALIDATION))
    first = records[0]
    assert isinstance(first, EpochRecord)
    assert (first.epoch, first.step, first.best_epoch) == (0, 0, None)
    assert first.train["loss"] == pytest.approx(float(expected), rel=1e-5)
    assert set(first.train) == set(first.validation or {}) == {"loss", "accuracy", "macro_f1"}


def test_validation_is_measured_on_the_weights_after_the_epoch():
    network, seen = classifier(), []
    training = Trainer(network, epochs=3, batch_size=7).start(X, Y, validation=Evaluation(*VALIDATION))
    for record in training.records():
        if isinstance(record, EpochRecord):
            seen.append(record.step)
            assert record.validation is not None
            losses = network.losses(network.forward(VALIDATION[0]), VALIDATION[1])
            assert record.validation["loss"] == pytest.approx(float(losses.mean()), rel=1e-5)
            predicted = network.predict(VALIDATION[0]).argmax(axis=1)
            assert record.validation["accuracy"] == pytest.approx((predicted == VALIDATION[1]).mean())
    assert seen == [5, 10, 15]


def test_regression_is_reported_in_its_own_units():
    y = X[:, :2] * [1, 2]
    network = Network.mlp(4, 2, output="identity", seed=1)
    trainer = Trainer(network, epochs=1)
    records = list(trainer.run(X, y, validation=Evaluation(X, y, unit=np.array([10.0, 100.0]))))
    validation = epochs(records)[0]["validation"]
    errors = np.sqrt(((network.predict(X) - y) ** 2).mean(axis=0))
    assert validation["rmse"] == pytest.approx((errors * [10, 100]).mean(), rel=1e-5)


@pytest.mark.parametrize(("output", "y"), [("identity", [-3, 7, 0, 12]), ("exponential", [3, 7, 0, 12])])
def test_whole_numbers_may_be_values(output, y):
    """Counts and other whole numbers for one output are values, not classes."""
    targets = np.resize(y, 30)
    records = list(Trainer(Network.mlp(4, 1, output=output), epochs=1).run(X, targets, validation=(X, targets)))
    assert set(epochs(records)[0]["validation"]) == {"loss", "rmse", "mae", "r2"}


def test_one_logistic_output_learns_yes_and_no():
    y = (X[:, 0] > 0).astype(int)
    network = Network.mlp(4, 8, 1, hidden="tanh", output="logistic", seed=1)
    records = list(Trainer(network, lr=0.1, epochs=60).run(X, y, validation=(X, y)))
    assert epochs(records)[-1]["validation"]["accuracy"] == 1
    assert set(epochs(records)[-1]["validation"]) == {"loss", "accuracy", "macro_f1"}


def test_several_labels_at_once():
    y = (X[:, :2] > 0).astype(np.float32)
    network = Network.mlp(4, 8, 2, hidden="tanh", output="logistic", seed=1)
    records = list(Trainer(network, lr=0.1, epochs=60).run(X, y, validation=Evaluation(X, y, labels=True)))
    assert epochs(records)[-1]["validation"]["exact"] == 1


# when it ends ---------------------------------------------------------------------------------------------------------


def test_until_ends_the_training():
    records, end = finished(Trainer(classifier(), lr=0.1, epochs=500, until=["loss<0.5"]).start(X, Y))
    assert end.reason.endswith("on training: loss<0.5 was asked for")
    losses = [r["train"]["loss"] for r in epochs(records)]
    assert losses[-1] < 0.5 <= min(losses[:-1])
    assert end.epoch == len(losses) < 500


def test_until_looks_at_validation_where_there_is_one():
    trainer = Trainer(classifier(), lr=0.1, epochs=500, until=["loss<1e-9", "accuracy>=0.5"])
    records, end = finished(trainer.start(X, Y, validation=(X, Y)))
    assert end.reason.endswith("on validation: accuracy>=0.5 was asked for")
    assert epochs(records)[-1]["validation"]["accuracy"] >= 0.5


@pytest.mark.parametrize("watch", ["loss", "accuracy"])
def test_patience_ends_the_training_and_the_best_weights_are_kept(watch):
    """Labels of the validation are noise, so that it soon becomes worse."""
    network, kept, scores = classifier(), [], []
    trainer = Trainer(network, lr=0.1, epochs=500, patience=4, watch=watch)
    end = None
    for record in trainer.run(X, Y, validation=VALIDATION):
        if isinstance(record, EpochRecord):
            assert record.validation is not None
            kept.append(network.params.copy())
            scores.append(record.validation[watch] * (1 if HIGHER_IS_BETTER[watch] else -1))
            assert record.best_epoch == 1 + int(np.argmax(scores))  # the first of equals
        end = record
    assert isinstance(end, EndRecord)
    assert end.best_epoch == 1 + int(np.argmax(scores))
    assert end.epoch == len(scores) == end.best_epoch + 4
    assert end.reason == f"no better on validation since epoch {end.best_epoch}: a patience of 4 epochs was asked for"
    assert np.array_equal(network.params, kept[end.best_epoch - 1])
    assert not np.array_equal(network.params, kept[-1])


def test_of_equally_good_epochs_the_first_is_kept():
    network, kept = classifier(), []
    for record in Trainer(network, lr=1e-6, epochs=4, watch="accuracy").run(X, Y, validation=VALIDATION):
        if isinstance(record, EpochRecord):
            assert record.best_epoch == 1
            kept.append(network.params.copy())
    assert np.array_equal(network.params, kept[0])
    assert not np.array_equal(network.params, kept[3])


def test_stop_ends_the_training_after_the_block():
    network = classifier()
    training = Trainer(network, batch_size=1, epochs=100).start(X, Y)
    records = []
    for record in training.records():
        records.append(record)
        if isinstance(record, StepsRecord) and record.step >= 20:
            training.stop("the user asked for it")
    end = records[-1]
    assert isinstance(end, EndRecord)
    assert end.reason == "the user asked for it"
    assert not end.failed
    assert end.step == max(r.step for r in blocks(records)) < 3000
    assert [r.step >= 20 for r in blocks(records)].count(True) == 1
    assert training.state().step == end.step


def test_stop_before_the_first_step():
    network = classifier()
    before = network.params.copy()
    training = Trainer(network).start(X, Y)
    training.stop("never mind")
    records, end = finished(training)
    assert (len(records), end.reason, end.step) == (1, "never mind", 0)
    assert np.array_equal(network.params, before)


def test_the_state_after_the_end_is_that_of_the_last_step():
    network = classifier()
    training = Trainer(network, lr=0.1, epochs=30).start(X, Y, validation=VALIDATION)
    *_, last = (network.params.copy() for record in training.records() if isinstance(record, EpochRecord))
    state = training.state()
    assert np.array_equal(state.params, last)
    assert state.best_params is not None
    assert np.array_equal(network.params, state.best_params)
    assert not np.array_equal(network.params, last)


# same seed, same bits -------------------------------------------------------------------------------------------------


def trained(*, seed: int = 0, network_seed: int = 0, rows: np.ndarray | None = None, **settings_) -> bytes:
    network = classifier(seed=network_seed, dropout=0.3)
    list(Trainer(network, batch_size=7, epochs=3, seed=seed, **settings_).run(X, Y, rows=rows))
    return network.params.tobytes()


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert trained() == trained()
    assert len({trained(), trained(seed=1), trained(seed=2**63), trained(network_seed=1)}) == 4


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 1e-4, 1e9])
def test_bits_and_records_do_not_depend_on_the_size_of_blocks(monkeypatch, seconds):
    expected = trained()
    records = list(Trainer(classifier(), batch_size=1, epochs=3).run(X, Y))
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", seconds)
    assert trained() == expected
    again = list(Trainer(classifier(), batch_size=1, epochs=3).run(X, Y))
    assert epochs(again) == epochs(records)
    if seconds in (0, 1e9):  # never longer than one step, and twice as long each time
        assert len(blocks(again)) == (90 if seconds == 0 else 5 + 1 + 1)


def test_evaluation_does_not_change_what_is_learnt():
    network, other = classifier(dropout=0.3), classifier(dropout=0.3)
    training = Trainer(network, batch_size=7, epochs=3).start(X, Y)
    finished(training)
    watched = Trainer(other, batch_size=7, epochs=3, evaluate_untrained=True).start(X, Y, validation=VALIDATION)
    finished(watched)
    assert np.array_equal(training.state().params, watched.state().params)


# rows and weights -----------------------------------------------------------------------------------------------------


def test_training_on_some_rows_never_looks_at_the_others():
    rows = np.array([3, 4, 20, 21, 29, 0, 7, 8])
    poisoned = Y.copy()
    poisoned[np.setdiff1d(np.arange(30), rows)] = 99  # no class: refused if looked at
    network, other = classifier(), classifier()
    for each, y in ((network, Y), (other, poisoned)):
        _, end = finished(Trainer(each, batch_size=3, epochs=2).start(X, y, rows=rows))
        assert end.step == 6
    assert np.array_equal(network.params, other.params)


def test_an_example_of_weight_zero_teaches_nothing():
    weight = np.ones(30)
    weight[5] = 0
    y = Y.copy()
    y[5] = (y[5] + 1) % 3
    networks = classifier(), classifier()
    for network, labels in zip(networks, (Y, y), strict=True):
        list(Trainer(network, batch_size=7, epochs=3).run(X, labels, sample_weight=weight))
    assert np.array_equal(networks[0].params, networks[1].params)


def test_only_the_proportions_of_weights_matter():
    networks = classifier(dtype="float64"), classifier(dtype="float64")
    weight = 1 + np.arange(30) / 10
    for network, factor in zip(networks, (1, 1000), strict=True):
        list(Trainer(network, batch_size=7, epochs=3).run(X, Y, sample_weight=factor * weight))
    np.testing.assert_allclose(networks[0].params, networks[1].params, rtol=1e-10)


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_every_layer_learns(layers):
    network = cases.network_of(layers, "softmax", dtype="float32")
    x = cases.some((60, cases.INPUTS), 2).astype(np.float32)
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    records = list(Trainer(network, lr=0.02, batch_size=10, epochs=60, evaluate_untrained=True).run(x, y))
    losses = [r["train"]["loss"] for r in epochs(records)]
    assert losses[-1] < 0.7 * losses[0]
