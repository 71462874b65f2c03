"""What a network is: layers, activations, losses, the forward and the backward pass, the gradient check."""

from backlight.network.gradcheck import GradientCheck, gradcheck
from backlight.network.layers import Activation, Dense, Draws, Dropout
from backlight.network.network import Network
from backlight.network.normalisation import BatchNorm, LayerNorm
from backlight.network.objective import Objective
from backlight.network.trace import Backward, Trace

__all__ = [
    "Activation",
    "Backward",
    "BatchNorm",
    "Dense",
    "Draws",
    "Dropout",
    "GradientCheck",
    "LayerNorm",
    "Network",
    "Objective",
    "Trace",
    "gradcheck",
]
