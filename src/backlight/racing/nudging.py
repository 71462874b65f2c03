"""A gradient without backpropagation: every weight is nudged, and the objective measured again."""

import math

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Session, WholeObjective


def nudged_gradient(session: Session, params: Floats, rows: Ints, nudge: float | None = None) -> Floats:
    """The slope of the objective in every parameter, by one-sided differences.

        grads_k ≈ (C(θ + h e_k) − C(θ)) / h

    N + 1 forward passes for N parameters. The two-sided difference is more exact and takes 2 N; backpropagation takes
    the time of two to three, whatever N is.

    Args:
        session: an engine's session on the examples.
        params: the parameters that the session reads (N,); nudged one by one, and in the end as they were.
        rows: the examples whose objective it is (n,).
        nudge: h; the square root of the precision of the parameters unless given, where the error of the difference
            and that of rounding are about equal (Press and others, "Numerical Recipes", 3rd edition, section 5.7).

    Example:
        >>> from backlight import Network, Trainer
        >>> network = Network.mlp(2, 3, 2, hidden="tanh", seed=0, dtype="float64")
        >>> session = Trainer(network).start(np.array([[0.5, -1.0], [1.0, 0.25]]), np.array([0, 1])).session
        >>> measured = nudged_gradient(session, network.params, np.arange(2))
        >>> bool(np.allclose(measured, session.gradients(np.arange(2))[1], atol=1e-7))
        True
    """
    objective = WholeObjective(session, params)
    return nudged_slopes(objective, params, rows, objective.value(rows), range(params.size), nudge)


def nudged_slopes(
    objective: WholeObjective, params: Floats, rows: Ints, start: float, which: range, nudge: float | None = None
) -> Floats:
    """The slopes of the objective in some parameters, one forward pass each.

    Args:
        objective: of the parameters.
        params: the parameters (N,), nudged one by one.
        rows: the examples (n,).
        start: the objective as the parameters are.
        which: of the parameters.
        nudge: h, as for `nudged_gradient`.
    """
    h = math.sqrt(float(np.finfo(params.dtype).eps)) if nudge is None else nudge
    slopes = np.empty(len(which))
    for place, k in enumerate(which):
        before = params[k]
        params[k] = before + h
        taken = float(params[k]) - float(before)
        slopes[place] = (objective.value(rows) - start) / taken
        params[k] = before
    return slopes
