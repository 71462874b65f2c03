"""Augmentation: how training examples are varied by chance while they are gathered; the definition for every engine."""

from backlight.data.augment.augmentation import Augmentation
from backlight.data.augment.options import augmentation_for, check_kinds

__all__ = ["Augmentation", "augmentation_for", "check_kinds"]
