"""What an autoencoder is compared with.

| rival | what it gives back |
|---|---|
| baseline | the mean example of the training part |
| linear model | the examples' shares in the first principal components: the best of linear codes of that size |

Source of the second: Baldi and Hornik, "Neural networks and principal component analysis: learning from examples
without local minima", 1989.
"""

from typing import Final

import numpy as np

from backlight.arrays import Floats
from backlight.assessment.linear import spread
from backlight.assessment.rival import Rival
from backlight.data import Dataset
from backlight.engine import Examples, row_source
from backlight.files import finite
from backlight.scoring.reconstruction import Reconstructions, reconstruction_quality
from backlight.training import Evaluation
from backlight.training.reconstruction import mean_of, parts

MOST_INPUTS: Final = 2_000
_ROWS: Final = 20_000
_KEPT: Final = ("rmse", "r2", "interval")


def reconstruction_rivals(dataset: Dataset, evaluation: Evaluation, code: int | None) -> tuple[Rival, Rival | None]:
    """The mean example, and the best linear code, both learnt from the training part.

    The linear code is left out above 2,000 inputs; it is learnt from 20,000 evenly spaced rows where there are more.

    Args:
        dataset: what was learnt from.
        evaluation: what is measured.
        code: how many numbers the code has; None for no linear code.

    Example:
        >>> from backlight.data import load
        >>> from backlight.files import part_evaluation
        >>> data = load("digits", task="autoencode")
        >>> plain, linear = reconstruction_rivals(data, part_evaluation(data, "test"), 64)
        >>> round(linear.metrics["r2"], 6), abs(plain.metrics["r2"]) < 0.01
        (1.0, True)
    """
    learnt = Examples(row_source(dataset.x), None)
    rows = spread(dataset.rows["train"], _ROWS)
    middle = mean_of(learnt, rows)
    nothing = np.zeros((0, learnt.source.width))
    plain = Rival("baseline", "always the mean example", _measured(evaluation, middle, nothing))
    if code is None or learnt.source.width > MOST_INPUTS:
        return plain, None
    squares = np.zeros((learnt.source.width, learnt.source.width))
    for _, some in parts(learnt, rows):
        around = learnt.targets(some) - middle
        squares += around.T @ around
    components = np.linalg.eigh(squares)[1].T[::-1][:code]
    what = f"the best linear code of {len(components)} numbers (principal components), {len(rows):,} rows"
    return plain, Rival("linear model", what, _measured(evaluation, middle, components))


def _measured(evaluation: Evaluation, middle: Floats, components: Floats) -> dict[str, object]:
    """The metrics of mean + components' share (k, i)."""
    examples = Examples(row_source(evaluation.x), None)
    rows = np.arange(examples.source.count) if evaluation.rows is None else evaluation.rows
    own, squares, spreads = mean_of(examples, rows), np.empty(len(rows)), np.empty(len(rows))
    for place, some in parts(examples, rows):
        around = examples.targets(some) - middle
        missed = around - (around @ components.T) @ components
        squares[place] = (missed**2).mean(axis=1)
        spreads[place] = ((around + middle - own) ** 2).mean(axis=1)
        examples.source.release()
    found = reconstruction_quality(Reconstructions(squares, squares, spreads))
    return {name: value for name, value in finite(found).items() if name in _KEPT}
