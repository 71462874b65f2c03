import dataclasses

import pytest

from backlight.training import EndRecord, EpochRecord, StepsRecord, Trainer
from backlight.training.records import to_dict
from tests.training.made import VALIDATION, X, Y, classifier, finished

STEPS = StepsRecord(2, 7, 35, 0.5, 1.0, 1000.0)
EPOCH = EpochRecord(2, 10, {"loss": 0.5}, {"loss": 0.25, "accuracy": 0.5}, 1, 2.0)
END = EndRecord("2 epochs were asked for", 2, 10, 1, failed=False, seconds=3.0)


def test_records_as_plain_data_leave_out_what_differs_between_equal_runs():
    assert to_dict(STEPS) == {"record": "steps", "epoch": 2, "step": 7, "examples": 35, "objective": 0.5}
    assert to_dict(EPOCH) == {
        "record": "epoch",
        "epoch": 2,
        "step": 10,
        "best_epoch": 1,
        "train": {"loss": 0.5},
        "validation": {"loss": 0.25, "accuracy": 0.5},
    }
    assert to_dict(END) == {
        "record": "end",
        "reason": "2 epochs were asked for",
        "epoch": 2,
        "step": 10,
        "best_epoch": 1,
        "failed": False,
    }


@pytest.mark.parametrize("record", [STEPS, EPOCH, END])
def test_a_listener_cannot_change_a_record(record):
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.step = 0


def test_rules_look_at_validation_where_there_is_one():
    assert EPOCH.watched() == {"loss": 0.25, "accuracy": 0.5}
    assert dataclasses.replace(EPOCH, validation=None).watched() == {"loss": 0.5}


def test_equal_runs_say_the_same():
    said = []
    for _ in range(2):
        training = Trainer(classifier(), epochs=2, batch_size=7, evaluate_untrained=True).start(
            X, Y, validation=VALIDATION
        )
        said.append([to_dict(r) for r in finished(training)[0] if not isinstance(r, StepsRecord)])
    assert said[0] == said[1]
