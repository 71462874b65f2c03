import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.explanation.along import cost_along
from backlight.explanation.batches import batch_agreement
from backlight.explanation.comparing import compare
from backlight.explanation.desires import combined, input_wishes, open_example, three_ways, wishes
from backlight.explanation.examples import wishes_for_weight
from backlight.explanation.moment import open_moment
from backlight.explanation.one_example import explain
from backlight.explanation.overfitting import overfitting_step
from backlight.explanation.paths import chain
from backlight.explanation.places import Unit, Weight
from backlight.explanation.sensitivity import sensitivity
from backlight.explanation.together import together
from backlight.files import Run, state_at
from backlight.network import Network
from tests.files.made import abandoned_or_none, begun, settings, trained  # noqa: F401


def test_placeholder():
    pass
