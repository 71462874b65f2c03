"""Schedules: the factors by definition and as PyTorch has them, and the rates that a training really uses."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.training import EndRecord, EpochRecord, Trainer, Training
from backlight.training.rates import Rates
from backlight.training.schedules import Constant, OneCycle, Place, Plateau, Warmup, parse_schedule
from tests import cases
from tests.training.made import VALIDATION, X, Y, classifier, epochs, finished

GOLDEN = Path(__file__).parents[1] / "golden"
OF_PYTORCH = [name for name in np.load(GOLDEN / "schedules.npz").files if name.startswith("rates/")]
LR, EPOCHS, PER_EPOCH = 0.05, 8, 5


@pytest.mark.parametrize("text", cases.SCHEDULES)
@pytest.mark.parametrize(("per_epoch", "epochs_"), [(1, 20), (7, 9)])
def test_factors_are_those_of_the_definition(text, per_epoch, epochs_):
    schedule, total = parse_schedule(text), per_epoch * epochs_
    for step in range(total):
        expected = cases.SCHEDULES[text](step, per_epoch, total)
        assert schedule.factor(Place(step, per_epoch, total)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", [name.removeprefix("rates/") for name in OF_PYTORCH])
def test_the_rates_of_fifty_steps_are_pytorchs(name):
    with np.load(GOLDEN / "schedules.npz", allow_pickle=False) as golden:
        rates, found = Rates(1.0, parse_schedule(name), 5, 10), []
        for epoch, loss in enumerate(golden["losses"].tolist(), 1):
            found += np.broadcast_to(rates.of(5 * (epoch - 1), 5), (5, 1)).ravel().tolist()
            assert rates.looks_at(epoch) == name.startswith("plateau")
            rates.look(epoch, loss)
            assert not rates.looks_at(epoch)
        np.testing.assert_allclose(found, golden[f"rates/{name}"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("name", [name.removeprefix("rates/") for name in OF_PYTORCH])
def test_fifty_steps_end_where_pytorch_ends(name, engine):
    with np.load(GOLDEN / "training.npz") as given, np.load(GOLDEN / "schedules.npz") as golden:
        network = Network.mlp(4, 5, 3, hidden="tanh", dtype="float64")
        network.params[...] = given["start"]
        lr = 6.0 if name.startswith("plateau") else 0.5
        trainer = Trainer(network, optimizer="sgd", lr=lr, schedule=name, batch_size="full", epochs=50, engine=engine)
        records, _ = finished(trainer.start(given["x"], given["y"]))
        if name.startswith("plateau"):
            assert any(1 < r["lr"] < 6 for r in epochs(records))  # else nothing is compared
        # fifty steps amplify roundings of 1e-16; the promise is 1e-6
        np.testing.assert_allclose(network.params, golden[f"params/{name}"], rtol=1e-9, atol=1e-10)


# trainings ------------------------------------------------------------------------------------------------------------


def start(text: str, *, validated: bool = True, lr: float = LR, engine: str = "auto") -> Training:
    trainer = Trainer(classifier(), optimizer="adam", lr=lr, schedule=text, batch_size=7, epochs=EPOCHS, engine=engine)
    return trainer.start(X, Y, validation=VALIDATION if validated else None)


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("text", [text for text in cases.SCHEDULES if "plateau" not in text])
def test_a_training_takes_its_steps_at_the_rates_of_the_schedule(text, engine):
    training, by_hand = start(text, engine=engine), start("constant", engine=engine)
    records, _ = finished(training)
    total = EPOCHS * PER_EPOCH
    for step in range(total):
        by_hand.rates.lr = LR * cases.SCHEDULES[text](step, PER_EPOCH, total)
        by_hand.advance_to(step + 1)
    np.testing.assert_allclose(training.state().params, by_hand.state().params, rtol=1e-5, atol=1e-6)
    for record in epochs(records):
        expected = LR * cases.SCHEDULES[text](record["step"] - 1, PER_EPOCH, total)
        assert ("lr" in record) == (text != "constant")
        assert record.get("lr", LR) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("text", ["plateau=1:0.5", "warmup=2,plateau=1:0.5"])
def test_reduce_on_plateau_looks_at_validation_else_at_training(text, validated):
    records = [r for r in start(text, validated=validated, lr=0.5).records() if isinstance(r, EpochRecord)]
    factor, best, since = 1.0, np.inf, 0
    for record, following in pairwise(records):
        loss = record.watched()["loss"]
        if record.epoch > (2 if text.startswith("warmup") else 0):
            if loss < best:
                best, since = loss, record.epoch
            elif record.epoch - since >= 1:
                factor, since = factor / 2, record.epoch
        if following.epoch > 2:
            assert following.lr == pytest.approx(0.5 * factor)
    assert factor < 1  # else nothing was cut


def test_a_training_without_a_schedule_says_nothing_of_rates():
    records, _ = finished(start("constant"))
    assert all("lr" not in record for record in epochs(records))
    assert start("constant").rates.of(3, 4) == LR


def test_the_rate_of_an_epoch_is_its_last_steps():
    record = next(r for r in start("cosine").records() if isinstance(r, EpochRecord))
    assert record.lr == pytest.approx(LR * (1 + np.cos(np.pi * 4 / 40)) / 2)


def test_very_short_trainings_have_rates():
    for total in (1, 2, 3):
        factors = [OneCycle().factor(Place(step, 1, total)) for step in range(total)]
        assert max(factors) == pytest.approx(1.0)
        assert min(factors) > 0


def test_a_plateau_that_was_cut_waits_again():
    rule, watched = Plateau(2, 0.1), None
    cuts = []
    for epoch, loss in enumerate([1.0, *[2.0] * 6], 1):
        watched = rule.look(watched, epoch, loss)
        cuts.append(watched.cuts)
    assert cuts == [0, 0, 1, 1, 2, 2, 3]


# what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", r"there is no schedule 'cosin'; did you mean 'cosine'\?"),
        ("", "there is no schedule ''; there are 'constant', 'step'"),
        ("cosine=3", "the schedule cosine takes no numbers, and 'cosine=3' was given"),
        ("step", "the schedule 'step' cannot be read; write step=10:0.1: times 0.1 every 10 epochs"),
        ("step=", "the schedule 'step=' cannot be read; write step=10:0.1"),
        ("step=a:b", "the schedule 'step=a:b' cannot be read"),
        ("step=1:0.1:2", "the schedule 'step=1:0.1:2' cannot be read"),
        ("step=0", "the epochs of the schedule step is 0; it must be a whole number of at least 1"),
        ("step=2.5", "the epochs of the schedule step is 2.5; it must be a whole number"),
        ("step=2:0", "the factor of the schedule step is 0; it must be above 0 and below 1"),
        ("step=2:1", "the factor of the schedule step is 1; it must be a finite number of at least 0 and below 1"),
        ("step=2:nan", "the factor of the schedule step is nan"),
        ("1/t=0", "the epochs of the schedule 1/t are 0; give a number above 0"),
        ("1/t=inf", "the epochs of the schedule 1/t is inf"),
        ("plateau=0", "the epochs of the schedule plateau is 0"),
        ("warmup", "the schedule 'warmup' cannot be read; write warmup=5"),
        ("warmup=2:0.5", "after a warm-up comes another schedule, not 0.5; write warmup=5,cosine"),
        ("cosine,warmup=2", "only a warm-up goes before another: warmup=3,warmup"),
        ("warmup=2,warmup=2", "only a warm-up goes before another"),
        ("warmup=2,one-cycle", "one-cycle begins with a warm-up of its own; leave out the other"),
        ("warmup=2,cosine,step=3", "the schedule cosine takes no numbers|there is no schedule 'cosine,step'"),
    ],
)
def test_schedules_that_cannot_be_read(text, message):
    with pytest.raises(InputError, match=message):
        Trainer(classifier(), schedule=text)


def test_a_warm_up_as_long_as_the_training_is_refused():
    with pytest.raises(InputError, match="the warm-up takes 20 epochs, and there are 20; give fewer to the warm-up"):
        Trainer(classifier(), schedule=Warmup(20), epochs=20)
    with pytest.raises(InputError, match="after a warm-up comes another schedule, not 'cosine'"):
        Warmup(2, "cosine")  # type: ignore[arg-type]


def test_schedules_may_be_objects():
    trainer = Trainer(classifier(), schedule=Warmup(2, Constant()), epochs=3)
    *_, end = trainer.run(X, Y)
    assert isinstance(end, EndRecord)
