"""Nothing public lacks a case."""

import inspect
from typing import get_args

import numpy as np
import pytest

from backlight.data.augment.options import KINDS
from backlight.engine import ENGINES
from backlight.network import activations, initializers, losses
from backlight.network.layers import Layer
from backlight.training import optimizers, schedules, stopping
from tests import cases


def test_every_activation_and_output_has_a_case():
    assert set(cases.ACTIVATIONS) == set(activations.ACTIVATIONS)
    assert set(cases.ALL_OUTPUTS) == set(activations.OUTPUTS)


def test_every_loss_has_a_case():
    assert set(cases.LOSSES) == set(losses.LOSS_NAMES)
    assert set(losses.LOSSES) <= set(losses.LOSS_NAMES)
    assert set(losses.FUSED) <= set(cases.PAIRS)


def test_every_kind_of_layer_has_a_case():
    used = {type(layer) for make in cases.LAYERS.values() for layer in make()}
    assert used == set(get_args(Layer))


def test_every_initializer_has_a_case():
    assert set(cases.INITIALIZERS) == set(initializers.INITIALIZERS)


def test_every_optimizer_has_a_case():
    used = {type(case.optimizer) for case in cases.OPTIMIZERS.values()}
    assert used == set(optimizers.OPTIMIZERS.values())
    assert {kind.name for kind in used} == set(optimizers.OPTIMIZERS)


def test_every_schedule_has_a_case():
    assert {schedules.parse_schedule(text).name for text in cases.SCHEDULES} == set(schedules.SCHEDULES)


def test_every_stopping_rule_has_a_case():
    rules = {
        kind
        for _, kind in inspect.getmembers(stopping, inspect.isclass)
        if kind.__module__ == stopping.__name__ and kind is not stopping.StoppingRule
    }
    assert rules == {type(rule) for rule, *_ in cases.STOPPING_RULES.values()}


def test_every_kind_of_augmentation_has_a_case_of_its_own():
    every = (*cases.IMAGE_AUGMENTATIONS.values(), *cases.TABLE_AUGMENTATIONS.values())
    assert {kind for given in every if len(given) == 1 for kind in given} == set(KINDS)


def test_every_engine_has_a_case():
    assert set(cases.ENGINES) == set(ENGINES) - {"auto"}


@pytest.mark.parametrize("loss", cases.LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_the_targets_of_the_cases_are_no_trivial_ones(loss, seed):
    case = cases.LOSSES[loss]
    y = case.targets(case.outputs[0], 20, 3, seed)
    assert y.shape == (20, 3)
    assert y.std() > 0.05
    assert not np.array_equal(y, case.targets(case.outputs[0], 20, 3, seed + 1))
