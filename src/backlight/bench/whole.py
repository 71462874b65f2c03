"""`python -P whole.py SYSTEM DATA OUT EPOCHS THREADS`: what a user of a peer would write for `backlight train`.

It imports nothing of Backlight.
"""

import sys
import warnings
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

WIDTHS = (784, 128, 64, 10)
BATCH = 100
LR = 0.1


def parts(path: str) -> dict[str, tuple[Any, Any]]:
    """Training, validation and test data, as float32 between 0 and 1."""
    with np.load(path) as file:
        x, y = file["x"], file["y"].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    ends = [0, int(0.7 * len(x)), int(0.85 * len(x)), len(x)]
    places = [order[start:end] for start, end in pairwise(ends)]
    names = ("train", "validation", "test")
    return {n: (x[rows].astype(np.float32) / np.float32(255), y[rows]) for n, rows in zip(names, places, strict=True)}


def report(name: str, loss: float, accuracy: float) -> None:
    """Print a part's metrics."""
    sys.stdout.write(f"{name} loss {loss:.4f} accuracy {accuracy:.4f}\n")


def with_pytorch(path: str, out: str, epochs: int, threads: int) -> None:
    """PyTorch, eager."""
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)
    nn, functional = torch.nn, torch.nn.functional
    data = {name: tuple(map(torch.from_numpy, pair)) for name, pair in parts(path).items()}
    inputs, first, second, outputs = WIDTHS
    model = nn.Sequential(nn.Linear(inputs, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU())
    model.append(nn.Linear(second, outputs))
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def measure(name: str) -> None:
        x, y = data[name]
        with torch.no_grad():
            z = model(x)
            report(name, functional.cross_entropy(z, y).item(), (z.argmax(1) == y).float().mean().item())

    x, y = data["train"]
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows)).backward()
            optimizer.step()
        measure("validation")
    for name in data:
        measure(name)
    torch.save(model.state_dict(), out)


def with_jax(path: str, out: str, epochs: int, threads: int) -> None:
    """JAX, a whole epoch compiled; its threads are those that the environment allows."""
    jax: Any = import_module("jax")
    numpy = jax.numpy
    data = {name: tuple(map(numpy.asarray, pair)) for name, pair in parts(path).items()}
    draws = np.random.default_rng(0)
    layers = [
        (numpy.asarray(draws.normal(0, (2 / i) ** 0.5, (i, j)), numpy.float32), numpy.zeros(j, numpy.float32))
        for i, j in pairwise(WIDTHS)
    ]

    def scores(layers: Any, x: Any) -> Any:
        for W, b in layers[:-1]:
            x = jax.nn.relu(x @ W + b)
        W, b = layers[-1]
        return x @ W + b

    def loss(layers: Any, x: Any, y: Any) -> Any:
        return -numpy.mean(numpy.take_along_axis(jax.nn.log_softmax(scores(layers, x)), y[:, None], axis=1))

    def step(state: Any, rows: Any) -> Any:
        layers, x, y = state
        grads = jax.grad(loss)(layers, numpy.take(x, rows, axis=0), numpy.take(y, rows, axis=0))
        return (jax.tree.map(lambda p, g: p - LR * g, layers, grads), x, y), None

    epoch = jax.jit(lambda layers, x, y, order: jax.lax.scan(step, (layers, x, y), order)[0][0], donate_argnums=0)
    measured = jax.jit(lambda layers, x, y: (loss(layers, x, y), (scores(layers, x).argmax(1) == y).mean()))

    def measure(name: str) -> None:
        report(name, *map(float, measured(layers, *data[name])))

    x, y = data["train"]
    for _ in range(epochs):
        order = draws.permutation(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH)
        layers = epoch(layers, x, y, order.astype(np.int32))
        measure("validation")
    for name in data:
        measure(name)
    with open(out, "wb") as file:  # noqa: PTH123 - as a script would
        np.savez(file, *(np.asarray(part) for pair in layers for part in pair))


def with_sklearn(path: str, out: str, epochs: int, threads: int) -> None:
    """scikit-learn; its threads are those that the environment allows."""
    networks: Any = import_module("sklearn.neural_network")
    metrics: Any = import_module("sklearn.metrics")
    pickle: Any = import_module("pickle")
    data = parts(path)
    model = networks.MLPClassifier(
        WIDTHS[1:-1], solver="sgd", alpha=0.0, batch_size=BATCH, learning_rate_init=LR, momentum=0.0, max_iter=1
    ).set_params(warm_start=True, nesterovs_momentum=False)

    def measure(name: str) -> None:
        x, y = data[name]
        p = model.predict_proba(x)
        report(name, metrics.log_loss(y, p), float((p.argmax(1) == y).mean()))

    warnings.simplefilter("ignore")  # one epoch at a time does not converge
    for _ in range(epochs):
        model.fit(*data["train"])
        measure("validation")
    for name in data:
        measure(name)
    with open(out, "wb") as file:  # noqa: PTH123 - as a script would
        pickle.dump(model, file)


def main() -> None:
    """Run one system's."""
    system, path, out, epochs, threads = sys.argv[1:]
    {"pytorch": with_pytorch, "jax": with_jax, "scikit_learn": with_sklearn}[system](
        path, out, int(epochs), int(threads)
    )


if __name__ == "__main__":
    main()
