"""PyTorch, eager and compiled."""

from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.bench.systems.learner import Batches, Job, Learner, fastest
from backlight.bench.workloads import Workload

OPTIMIZERS = ({"foreach": False}, {"foreach": True}, {"fused": True})
MODES = ("default", "reduce-overhead")


class PyTorchLearner:
    """`torch.nn` modules, `torch.optim.SGD`, and the loop of PyTorch's tutorials.

    Args:
        job: what to learn.
        optimizer: which implementation of `torch.optim.SGD`.
        mode: of `torch.compile`, which is given everything from the batch to its loss; None for eager execution.
    """

    def __init__(self, job: Job, optimizer: dict[str, bool], mode: str | None = None) -> None:
        torch: Any = import_module("torch")
        torch.set_num_threads(job.threads)
        self._torch, self._workload = torch, job.workload
        self._x, self._y = torch.from_numpy(job.x), torch.from_numpy(job.targets)
        self._batches = Batches(torch.from_numpy(job.order).split(job.workload.batch_size))
        self._module = sequential(torch, job.workload)
        loss, lr = loss_and_lr(torch, job.workload)
        self._loss = loss_of_batch(self._module, loss)
        if mode is not None:
            self._loss = torch.compile(self._loss, mode=mode)
        self._optimizer = torch.optim.SGD(self._module.parameters(), lr=lr, **optimizer)
        name, flag = next(iter(optimizer.items()))
        self.form = f"{'' if mode is None else f'mode {mode}, '}SGD({name}={flag})"

    def restart(self) -> None:
        """Back to the untrained network."""
        set_params(self._torch, self._module, self._workload.network().params)
        self._batches.restart()

    def advance(self, steps: int) -> None:
        """Take steps."""
        x, y, loss, optimizer = self._x, self._y, self._loss, self._optimizer
        for rows in self._batches.take(steps):
            optimizer.zero_grad(set_to_none=True)
            loss(x.index_select(0, rows), y.index_select(0, rows)).backward()
            optimizer.step()

    def params(self) -> Floats:
        """PyTorch keeps weights (j, i), as Backlight does."""
        return np.concatenate([p.detach().numpy().ravel() for p in self._module.parameters()])


def loss_of_batch(module: Any, loss: Any) -> Any:
    """The function from a batch to its loss, for `torch.compile` to see as a whole."""

    def of_batch(x: Any, y: Any) -> Any:
        return loss(module(x), y)

    return of_batch


def sequential(torch: Any, workload: Workload) -> Any:
    """The workload's network as modules; with cross-entropy the softmax is the loss function's."""
    nn = torch.nn
    activations = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
    modules = []
    for i, j in pairwise(workload.widths):
        modules += [nn.Linear(i, j), activations[workload.hidden]()]
    if workload.output == "softmax":
        modules.pop()
    module = nn.Sequential(*modules)
    set_params(torch, module, workload.network().params)
    return module


def set_params(torch: Any, module: Any, params: Floats) -> None:
    """Give the modules Backlight's parameters."""
    with torch.no_grad():
        torch.nn.utils.vector_to_parameters(torch.from_numpy(params.copy()), module.parameters())
        for p in module.parameters():
            p.data = p.data.clone()


def loss_and_lr(torch: Any, workload: Workload) -> tuple[Any, float]:
    """The loss and the learning rate; PyTorch's squared error is a mean over outputs, Backlight's half their sum."""
    if workload.loss == "squared":
        return torch.nn.functional.mse_loss, workload.lr * workload.widths[-1] / 2
    return torch.nn.functional.cross_entropy, workload.lr


def eager(job: Job) -> Learner:
    """Eager execution, with the fastest implementation of the optimizer."""
    return fastest([partial(PyTorchLearner, job, optimizer) for optimizer in OPTIMIZERS])


def compiled(job: Job) -> Learner:
    """Compiled by `torch.compile`, in its fastest mode."""
    return fastest([partial(PyTorchLearner, job, {"fused": True}, mode) for mode in MODES])
