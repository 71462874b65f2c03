"""Metrics of several questions at once, each with its own classes: right one by one, and right altogether."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.errors import InputError
from backlight.network.softmax import groups


def name_questions(sizes: Sequence[int], names: Sequence[str] = ()) -> dict[str, int]:
    """Question → how many classes it has; the questions are numbered where they have no names.

    Raises:
        InputError: there are not as many names as questions.

    Example:
        >>> name_questions((3, 2), ("species", "sex")), name_questions((3, 2))
        ({'species': 3, 'sex': 2}, {'target 0': 3, 'target 1': 2})
    """
    if names and len(names) != len(sizes):
        raise InputError(f"the network answers {len(sizes)} questions, and {len(names)} are named; name each of them")
    return dict(zip(names or [f"target {k}" for k in range(len(sizes))], sizes, strict=True))


def right_answers(outputs: Floats, y: Ints, sizes: Sequence[int]) -> Array:
    """Whether each question of each example is answered rightly (n, k).

    Args:
        outputs: (n, j), those of the first question, then those of the second, and so on.
        y: class indices (n, k).
        sizes: how many classes each question has.

    Example:
        >>> right_answers(np.array([[0.9, 0.1, 0.2, 0.3, 0.5]]), np.array([[0, 1]]), (2, 3)).tolist()
        [[True, False]]
    """
    parts = groups(sizes, outputs.shape[1])
    return np.stack([outputs[:, part].argmax(axis=1) == y[:, k] for k, part in enumerate(parts)], axis=1)


def several_metrics(losses: Floats, outputs: Floats, y: Ints, questions: Mapping[str, int]) -> dict[str, Any]:
    """`loss`, `accuracy` over all questions, `exact`, the share of wholly right rows, and `accuracies` by question.

    Args:
        losses: one loss per example (n,), the sum over its questions.
        outputs: (n, j), those of the first question, then those of the second, and so on.
        y: class indices (n, k).
        questions: k of them → how many classes each has.

    Example:
        >>> outputs = np.array([[0.9, 0.1, 0.2, 0.8], [0.3, 0.7, 0.6, 0.4]])
        >>> found = several_metrics(np.ones(2), outputs, np.array([[0, 1], [1, 1]]), {"left": 2, "right": 2})
        >>> found["accuracy"], found["exact"], found["accuracies"]
        (0.75, 0.5, {'left': 1.0, 'right': 0.5})
    """
    right = right_answers(outputs, y, tuple(questions.values()))
    return {
        "loss": float(np.mean(losses, dtype=np.float64)),
        "accuracy": float(right.mean()),
        "exact": float(right.all(axis=1).mean()),
        "accuracies": dict(zip(questions, right.mean(axis=0).tolist(), strict=True)),
    }
