"""Train neural networks at full speed on a CPU, and see why every weight moved."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backlight.assessment.assessing import assess as assess
    from backlight.data import ImageOptions as ImageOptions
    from backlight.data import load as load
    from backlight.data.augment import Augmentation as Augmentation
    from backlight.engine.inference import Predictor as Predictor
    from backlight.errors import BacklightError as BacklightError
    from backlight.errors import InputError as InputError
    from backlight.explanation import check as check
    from backlight.explanation import compare as compare
    from backlight.explanation import contributions as contributions
    from backlight.explanation import explain as explain
    from backlight.explanation.health import health as health
    from backlight.explanation.importance import importance as importance
    from backlight.explanation.landscapes.measuring import landscape as landscape
    from backlight.explanation.moves import moves as moves
    from backlight.explanation.sensitivity import sensitivity as sensitivity
    from backlight.files import Model as Model
    from backlight.files import Run as Run
    from backlight.files.starting import start_from as start_from
    from backlight.network import Activation as Activation
    from backlight.network import BatchNorm as BatchNorm
    from backlight.network import Dense as Dense
    from backlight.network import Dropout as Dropout
    from backlight.network import LayerNorm as LayerNorm
    from backlight.network import Network as Network
    from backlight.network import gradcheck as gradcheck
    from backlight.training import Evaluation as Evaluation
    from backlight.training import Trainer as Trainer
    from backlight.training import evaluate as evaluate

__version__ = "0.1.0"

_HOMES = {
    "Activation": "network",
    "Augmentation": "data.augment",
    "BacklightError": "errors",
    "BatchNorm": "network",
    "Dense": "network",
    "Dropout": "network",
    "Evaluation": "training",
    "ImageOptions": "data",
    "InputError": "errors",
    "LayerNorm": "network",
    "Model": "files",
    "Network": "network",
    "Predictor": "engine.inference",
    "Run": "files",
    "Trainer": "training",
    "assess": "assessment.assessing",
    "check": "explanation",
    "compare": "explanation",
    "contributions": "explanation",
    "evaluate": "training",
    "explain": "explanation",
    "gradcheck": "network",
    "health": "explanation",
    "importance": "explanation",
    "landscape": "explanation",
    "load": "data",
    "moves": "explanation",
    "sensitivity": "explanation",
    "start_from": "files.starting",
}

__all__ = sorted([*_HOMES, "__version__"])  # noqa: PLE0605 - one table of names, not two


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import backlight` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backlight' has no attribute {name!r}")
    value = getattr(import_module(f"backlight.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
