"""The systems by name, and what each needs."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from backlight.bench.systems.learner import Job, Learner


@dataclass(frozen=True)
class System:
    """A system that is measured.

    Attributes:
        key: in JSON and in commands.
        title: in words.
        short: in tables.
        module: where its learner is made, in this package.
        maker: the function that makes it.
        package: what has to be importable.
        compiler: whether a C++ compiler has to be there when it runs.
    """

    key: str
    title: str
    short: str
    module: str
    maker: str
    package: str
    compiler: bool = False

    def obstacle(self) -> str | None:
        """Why it cannot be measured here; None if it can."""
        if find_spec(self.package) is None:
            return f"{self.package} is not installed; 'make bench' makes an environment that has it"
        if self.compiler and not any(shutil.which(name) for name in ("g++", "clang++")):
            return "it needs a C++ compiler at run time, and neither g++ nor clang++ is found"
        return None


BACKLIGHT: Final = System("backlight", "Backlight", "Backlight", "with_backlight", "learner", "backlight")
PEAK: Final = System("numpy_product", "NumPy's largest product", "peak", "with_product", "learner", "numpy")
PEERS: Final = (
    System("pytorch", "PyTorch eager", "PyTorch", "with_pytorch", "eager", "torch"),
    System("pytorch_compiled", "PyTorch compiled", "compiled", "with_pytorch", "compiled", "torch", compiler=True),
    System("jax", "JAX jit per step", "JAX", "with_jax", "stepwise", "jax"),
    System("jax_loop", "JAX loop in one jit", "JAX loop", "with_jax", "looped", "jax"),
    System("scikit_learn", "scikit-learn", "sklearn", "with_sklearn", "learner", "sklearn"),
)


def open_learner(key: str, job: Job) -> Learner:
    """A system at work on a job; its package is imported here and nowhere else."""
    system = next(system for system in (BACKLIGHT, PEAK, *PEERS) if system.key == key)
    make: Callable[[Job], Learner] = getattr(import_module(f"{__package__}.{system.module}"), system.maker)
    return make(job)
