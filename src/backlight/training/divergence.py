"""When numbers blow up: which layer's did so first."""

import numpy as np

from backlight.engine import Session, Stretch
from backlight.network import Activation, Dropout, Network


def first_to_blow_up(network: Network, session: Session, good: Stretch | None, bad: Stretch) -> str:
    """Which numbers were the first that were not finite.

    The network stands at the last good weights. Their backward pass is looked at first, from the last layer to the
    first; if all of it is finite the step is taken, and the forward pass of the next batch is looked at.

    Args:
        network: whose parameters the session trains.
        session: the engine's session; it is left one step further.
        good: the one step that was taken from here, None if no step could be taken from the initial weights.
        bad: the one step whose objective was not finite.
    """
    if good is not None:
        found = _in_backward(network, session, good)
        if found is not None:
            return found
        session.advance(good)
    return _in_forward(network, session, bad)


def _in_backward(network: Network, session: Session, stretch: Stretch) -> str | None:
    deltas = session.deltas(stretch.rows(), stretch.epoch).deltas
    grads = session.gradients(stretch.rows(), stretch.epoch, frozen=stretch.frozen)[1]
    for index, _, place in reversed(list(network.dense_layers())):
        if not np.isfinite(deltas[index]).all():
            return f"the errors of layer {index} blew up first"
        if not np.isfinite(grads[place]).all():
            return f"the gradients of layer {index} blew up first"
    return None


def _in_forward(network: Network, session: Session, stretch: Stretch) -> str:
    for index, _, place in network.dense_layers():
        if not np.isfinite(network.params[place]).all():
            return f"the weights of layer {index} blew up first"
    with np.errstate(all="ignore"):
        trace = network.forward(session.examples.source.array[stretch.rows()])
    for index, out in enumerate(trace.outs):
        if not np.isfinite(out).all():
            what = "activations" if isinstance(network.layers[index], Activation | Dropout) else "pre-activations"
            return f"the {what} of layer {index} blew up first"
    return f"the outputs of layer {len(network.layers) - 1} grew so large that the loss overflowed"
