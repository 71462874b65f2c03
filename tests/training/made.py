"""Small data to train on, and what a training says."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from backlight.network import Network
from backlight.training import EndRecord, EpochRecord, Record, StepsRecord, Training
from backlight.training.records import to_dict
from tests import cases

X = cases.some((30, 4), 5).astype(np.float32)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int) + (X[:, 2] > 0)
VALIDATION = (cases.some((20, 4), 6).astype(np.float32), np.arange(20) % 3)


def classifier(*, seed: int = 0, norm: str | None = None, dropout: float = 0.0, dtype: Any = "float32") -> Network:
    """A network for three classes."""
    return Network.mlp(4, 6, 3, hidden="tanh", norm=norm, dropout=dropout, seed=seed, dtype=dtype)


def regressor(*, hidden: str = "relu") -> Network:
    """A network for two numbers."""
    return Network.mlp(4, 8, 8, 2, hidden=hidden, output="identity", seed=1)


def epochs(records: Iterable[Record]) -> list[dict[str, Any]]:
    """What the records of the epochs say, without times."""
    return [to_dict(record) for record in records if isinstance(record, EpochRecord)]


def blocks(records: Iterable[Record]) -> list[StepsRecord]:
    """The records of blocks of steps."""
    return [record for record in records if isinstance(record, StepsRecord)]


def finished(training: Training) -> tuple[list[Record], EndRecord]:
    """All records of a training up to its end."""
    records = list(training.records())
    end = records[-1]
    assert isinstance(end, EndRecord)
    return records, end


def stop_within(session: Any, method: str) -> None:
    """Have a session's objective be stopped as soon as a method of it is called."""
    evaluate = getattr(session.objective, method)

    def stopping(rows: Any) -> Any:
        session.stop()
        return evaluate(rows)

    setattr(session.objective, method, stopping)


def same_state(one: Any, other: Any) -> bool:
    """Whether two states are equal bit by bit."""

    def bits(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.dtype, value.tobytes()
        return {k: bits(v) for k, v in value.items()} if isinstance(value, dict) else value

    return bool(bits(dict(vars(one))) == bits(dict(vars(other))))
