"""JAX: one compiled step at a time, or the whole loop compiled."""

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.bench.systems.learner import Job, Learner, fastest
from backlight.bench.workloads import Workload

LOOPS = ("fori_loop", "scan")
_SCANNED = 64


class JaxLearner:
    """Parameters and the number of the step as a donated state, so that nothing goes to and fro between steps.

    Args:
        job: what to learn.
        loop: None for a call per step; "fori_loop" for all steps in one call; "scan" for calls of 64 steps.
    """

    def __init__(self, job: Job, loop: str | None = None) -> None:
        jax: Any = import_module("jax")
        self._jax, self._workload, self._loop = jax, job.workload, loop
        self._data = tuple(jax.numpy.asarray(part) for part in (job.x, job.targets, job.order.astype(np.int32)))
        self._step, self._several = compiled_steps(jax, job.workload, len(job.order), loop)
        self.form = loop or "donated buffers"
        self.restart()

    def restart(self) -> None:
        """Back to the untrained network."""
        numpy = self._jax.numpy
        layers = [(numpy.array(layer.W.T), numpy.array(layer.b)) for _, layer, _ in self._network_layers()]
        self._state = (layers, numpy.zeros((), numpy.int32))

    def _network_layers(self) -> Any:
        return self._workload.network().dense_layers()

    def advance(self, steps: int) -> None:
        """Take steps, and wait until they are done."""
        if self._loop == "fori_loop":
            self._state = self._several(self._state, *self._data, steps)
        else:
            blocks, rest = divmod(steps, _SCANNED) if self._loop else (0, steps)
            for _ in range(blocks):
                self._state = self._several(self._state, *self._data)
            for _ in range(rest):
                self._state = self._step(self._state, *self._data)
        self._jax.block_until_ready(self._state)

    def params(self) -> Floats:
        """JAX's weights are (i, j) here, so that the forward product needs no transpose."""
        return np.concatenate([part for W, b in self._state[0] for part in (np.asarray(W).T.ravel(), np.asarray(b))])


def compiled_steps(jax: Any, workload: Workload, rows: int, loop: str | None) -> tuple[Any, Any]:
    """One step, and several in one call."""
    lax, numpy, batch_size = jax.lax, jax.numpy, workload.batch_size
    gradient = jax.grad(objective(jax, workload))

    def step(state: Any, x: Any, y: Any, order: Any) -> Any:
        layers, number = state
        chosen = lax.dynamic_slice(order, (number % (rows // batch_size) * batch_size,), (batch_size,))
        grads = gradient(layers, numpy.take(x, chosen, axis=0), numpy.take(y, chosen, axis=0))
        return jax.tree.map(lambda p, g: p - workload.lr * g, layers, grads), number + 1

    def several(state: Any, x: Any, y: Any, order: Any, steps: int) -> Any:
        return lax.fori_loop(0, steps, lambda _, inner: step(inner, x, y, order), state)

    def scanned(state: Any, x: Any, y: Any, order: Any) -> Any:
        return lax.scan(lambda inner, _: (step(inner, x, y, order), None), state, length=_SCANNED)[0]

    jitted = partial(jax.jit, donate_argnums=0)
    return jitted(step), jitted(scanned if loop == "scan" else several)


def objective(jax: Any, workload: Workload) -> Any:
    """The mean loss of a batch, as a function of layers (W, b) with W (i, j), inputs and targets."""
    numpy = jax.numpy
    hidden = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[workload.hidden]

    def mean_loss(layers: Any, x: Any, y: Any) -> Any:
        for W, b in layers[:-1]:
            x = hidden(x @ W + b)
        W, b = layers[-1]
        z = x @ W + b
        if workload.loss == "squared":
            return 0.5 * numpy.mean(numpy.sum((jax.nn.sigmoid(z) - y) ** 2, axis=1))
        return -numpy.mean(numpy.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))

    return mean_loss


def stepwise(job: Job) -> Learner:
    """A call per step."""
    return JaxLearner(job)


def looped(job: Job) -> Learner:
    """The loop inside the compiled function, in its fastest form."""
    return fastest([partial(JaxLearner, job, loop) for loop in LOOPS])
