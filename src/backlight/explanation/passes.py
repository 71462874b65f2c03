"""All examples at once, passed in chunks: their losses, the gradient, and the precision that these are computed in."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, FloatName, Floats, Ints
from backlight.engine import Examples, Session, Task, compile_program, open_session
from backlight.errors import InputError
from backlight.explanation.moment import Moment
from backlight.network import Network
from backlight.training import SGD
from backlight.training.examples import examples_for

CHUNK: Final = 1024
"""How many examples are passed at once, unless a caller says otherwise."""

EXACT_WORK: Final = 2e10
"""Up to this many examples times parameters, all examples are computed in float64; beyond, in float32."""


def check_examples(moment: Moment, x: Any, y: Any) -> Examples:
    """Examples that fit a moment's network and loss; uint8 stays uint8 until a chunk of it is passed.

    Raises:
        InputError: x or y does not fit; the message names the row.
    """
    return examples_for(moment.network, moment.loss, x, y)


def example_names(count: int, names: Sequence[str] | None) -> Sequence[str]:
    """The names of examples; `example 0`, `example 1`, … unless given.

    Raises:
        InputError: there are not as many names as examples.

    Example:
        >>> example_names(2, None)
        ['example 0', 'example 1']
    """
    if names is None:
        return [f"example {n}" for n in range(count)]
    if len(names) != count:
        raise InputError(f"there are {len(names)} names for {count} examples; give one name per example")
    return names


def precision_for(moment: Moment, count: int) -> FloatName:
    """float64 where examples × parameters ≤ `EXACT_WORK`, float32 beyond, where float64 would take twice as long.

    Args:
        moment: the network.
        count: how many examples.

    Example:
        >>> from backlight.explanation.moment import open_moment
        >>> precision_for(open_moment(Network.mlp(784, 128, 64, 10)), 60_000)
        'float64'
    """
    return "float64" if count * moment.network.params.size <= EXACT_WORK else "float32"


def in_precision(moment: Moment, precision: FloatName) -> Network:
    """The moment's network: itself in float64, a copy in float32."""
    return moment.network if precision == "float64" else moment.network.copy("float32")


def chunks(examples: Examples, size: int = CHUNK) -> Iterator[tuple[slice, Array, Array]]:
    """Neighbouring examples: where they stand, their inputs, their targets."""
    for start in range(0, examples.source.count, size):
        place = slice(start, min(start + size, examples.source.count))
        yield place, examples.source.array[place], examples.targets(np.arange(place.start, place.stop))


def gradient_session(network: Network, loss: str, examples: Examples) -> Session:
    """An engine's session that computes gradients of these examples, on all processors; it is never advanced."""
    program = compile_program(network, loss)
    size = min(4 * CHUNK, examples.source.count)
    return open_session("auto", Task(program, network.params, examples, SGD(), batch_size=size, seed=0))


def full_gradient(network: Network, loss: str, examples: Examples) -> tuple[Floats, Floats]:
    """Every example's loss (n,) and the gradient of their mean (size,), in float64 whatever the network's dtype."""
    rows: Ints = np.arange(examples.source.count)
    losses, gradient = gradient_session(network, loss, examples).gradients(rows)
    return losses.astype(np.float64), gradient.astype(np.float64)


def all_losses(network: Network, loss: str, examples: Examples) -> Floats:
    """Every example's loss (n,)."""
    losses = np.empty(examples.source.count, network.dtype)
    for place, x, y in chunks(examples, CHUNK):
        losses[place] = network.losses(network.forward(x), y, loss)
    return losses
