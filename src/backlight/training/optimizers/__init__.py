"""Optimizers: from gradients to updates, the signed amounts that a step adds to the parameters.

An optimizer never touches parameters. With g the gradient, t = 1, 2, … the step and θ the parameters, each adds

| name | update | state |
|---|---|---|
| `sgd` | −lr g | – |
| `momentum` | −lr u with u ← momentum · u + g | `velocity` u |
| `nesterov` | −lr (g + momentum · u) with the same u | `velocity` u |
| `adagrad` | −lr g / (√v + eps) with v ← v + g² | `v` |
| `rmsprop` | −lr g / (√v + eps) with v ← b2 v + (1 − b2) g² | `v` |
| `adam`, `adamw` | −lr m̂ / (√v̂ + eps) | `m` ← b1 m + (1 − b1) g, `v` ← b2 v + (1 − b2) g² |

with m̂ = m / (1 − b1ᵗ) and v̂ = v / (1 − b2ᵗ),

and decoupled weight decay, −lr · weight_decay · W, to the weights but not to the biases (Loshchilov and Hutter,
arXiv:1711.05101; PyTorch's AdamW decays biases as well). `lbfgs` is another kind: its steps are iterations over all
examples, each with a line search, and it has neither a learning rate nor decay. The searches of `backlight.search`,
which ask for no gradient, go by their names as well.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final, TypeAlias

from backlight.engine import WholeBatch
from backlight.errors import InputError, nearest
from backlight.search import SEARCHES, parse_search
from backlight.training.optimizers.adam import Adam, AdamW
from backlight.training.optimizers.descent import SGD, Momentum, Nesterov
from backlight.training.optimizers.lbfgs import LBFGS
from backlight.training.optimizers.scaled import Adagrad, RMSProp
from backlight.training.optimizers.split import Split

Known: TypeAlias = SGD | Momentum | Adagrad | RMSProp | Adam

OPTIMIZERS: Final[dict[str, Callable[..., Known]]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}
"""Those that turn a batch's gradient into updates, in order of complexity."""

_ALL: Final[dict[str, Callable[..., Known | LBFGS]]] = {**OPTIMIZERS, LBFGS.name: LBFGS}

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Known",
    "Momentum",
    "Nesterov",
    "RMSProp",
    "Split",
    "make_optimizer",
]


def make_optimizer(name: str, **settings: float) -> Known | WholeBatch:
    """The optimizer of that name.

    Args:
        name: one of `OPTIMIZERS`, "lbfgs", or a search as it is typed.
        **settings: its hyperparameters, by the names in its class.

    Raises:
        InputError: the name is unknown, a setting is not one of that optimizer, or its value is out of range.

    Example:
        >>> make_optimizer("momentum", momentum=0.8)
        Momentum(momentum=0.8, weight_decay=0.0)
    """
    if name.partition("=")[0] in SEARCHES:
        if settings:
            raise InputError(f"the optimizer {name} has no setting {next(iter(settings))!r}")
        return parse_search(name)
    if name not in _ALL:
        raise InputError(f"there is no optimizer {name!r}; {nearest(name, [*_ALL, *SEARCHES])}")
    kind = _ALL[name]
    known = list(asdict(kind()))
    for setting in settings:
        if setting not in known:
            raise InputError(f"the optimizer {name} has no setting {setting!r}; it has {', '.join(known)}")
    return kind(**settings)
