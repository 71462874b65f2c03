"""Searching as any other training: what is refused, how it is typed, and runs that can be stopped and resumed."""

from typing import Any

import pytest

from backlight.data.augment import Augmentation
from backlight.errors import InputError
from backlight.files import Conduct, Run, load_for
from backlight.search import SEARCHES, Combinations, OneWeight, RandomCombinations, parse_search
from backlight.training import EpochRecord, Trainer, make_optimizer
from tests.files.made import begun, settings
from tests.training.made import classifier

every_search = pytest.mark.parametrize("name", SEARCHES)


def test_how_it_is_typed():
    assert parse_search("one-weight") == OneWeight("cyclic")
    assert parse_search("combinations=0:2.5") == make_optimizer("combinations=0:2.5") == Combinations((0.0, 2.5))
    assert parse_search("random") == RandomCombinations(1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "one-weight=up": "the order of one-weight is 'up'; it must be cyclic or random",
        "one-weight=": "the order of one-weight is ''; it must be",
        "combinations=1": "the values of combinations are 1; give two or more different finite numbers",
        "combinations=1:1": "the values of combinations are 1:1; give two or more",
        "combinations=1:inf": "the values of combinations are 1:inf; give two or more",
        "combinations=1:1e39": r"the values of combinations are 1:1e\+39; give .* numbers, up to 3.4e\+38",
        "combinations=1:x": "'combinations=1:x' cannot be read: 'x' is no number; write combinations=-1:0:1",
        "combinations=": "'combinations=' cannot be read: '' is no number",
        "random=0": "the reach of random is 0; it must be a finite number above 0",
        "random=nan": "the reach of random is nan; it must be",
        "random=1e39": r"the reach of random is 1e\+39; it must be a finite number above 0, up to 3.4e\+38",
        "random=far": "'random=far' cannot be read",
        "anneal": "there is no search 'anneal'; there are one-weight, combinations, random",
    }.items(),
)
def test_what_cannot_be_read_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_search(text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 10}, "NAME takes all examples at each step, and batch_size is 10; leave it out"),
        ({"lr": 0.1}, "NAME finds the length of every step by itself; leave out lr"),
        ({"schedule": "cosine"}, "NAME has no learning rate that a schedule could change; leave it out"),
        ({"record_examples": True}, "NAME visits examples several times a step"),
        ({"clip": 1.0}, "clip is for optimizers that take batches, and NAME takes none; leave it out"),
        ({"average": 0.9}, "average is for optimizers that take batches"),
        ({"augment": Augmentation(noise=0.1)}, "NAME needs the same objective at every step, and augment"),
        ({"freeze": 1}, "NAME moves any parameter, so that freeze does not go with it; leave it out"),
        ({"network": classifier(dropout=0.5)}, "NAME needs the same objective at every step, and dropout draws"),
        ({"network": classifier(norm="batch")}, "NAME does not move running statistics; take layer normalisation"),
    ],
)
@every_search
def test_what_a_search_cannot_use_is_refused(name, given, message):
    with pytest.raises(InputError, match=message.replace("NAME", name)):
        Trainer(**{"network": classifier(), "optimizer": name, **given})


def test_settings_of_other_optimizers_are_refused():
    with pytest.raises(InputError, match="the optimizer random has no setting 'momentum'"):
        make_optimizer("random", momentum=0.9)
    with pytest.raises(InputError, match="there is no optimizer 'randum'; did you mean 'random'"):
        make_optimizer("randum")


@every_search
def test_a_run_that_was_stopped_is_valid_and_goes_on_to_the_same_end(name, tmp_path):
    wanted = settings(optimizer=name, batch_size=None, epochs=2, dropout=0.0)

    def cut(folder: Any, after: int) -> Any:
        conduct, _ = begun(folder, wanted)
        for count, _ in enumerate(conduct.records()):
            if count == after:
                conduct.stop()
        return conduct

    whole, stopped = cut(tmp_path / "whole", -1), cut(tmp_path / "cut", 4)
    run = Run.open(tmp_path / "cut")
    assert 0 < stopped.training.step < whole.training.step
    assert run.model().metrics["train"]["loss"] > 0
    resumed = Conduct(run, run.dataset(), resume=True)
    end = resumed.complete()
    assert (end.reason, end.step) == ("2 epochs were asked for", whole.training.step)
    assert resumed.network.params.tobytes() == whole.network.params.tobytes()


def test_combinations_do_not_wait_for_a_better_validation():
    dataset = load_for(settings())
    resolved = settings(optimizer="combinations", batch_size=None, dropout=0.0).resolved(dataset)
    assert (resolved.patience, resolved.batch_size, resolved.lr) == (None, "full", None)
    assert settings(optimizer="one-weight", batch_size=None, dropout=0.0).resolved(dataset).patience == 20


def test_an_epoch_says_what_validation_thinks(tmp_path):
    conduct, _ = begun(tmp_path / "run", settings(optimizer="one-weight", batch_size=None, epochs=2, dropout=0.0))
    told = [record for record in conduct.records() if isinstance(record, EpochRecord)]
    assert [record.epoch for record in told] == [0, 1, 2]
    assert all(record.validation is not None for record in told)
