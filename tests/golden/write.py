"""Write the golden files of this folder: what PyTorch computes for the cases that the tests compare with.

Run it with an interpreter that has PyTorch and NumPy, from any folder: `python tests/golden/write.py`. It was last
run with PyTorch 2.13 and SciPy 1.17 on a CPU. All numbers are float64; a file holds plain arrays, no pickles.

- `activations.npz`: `z`, and for every activation f(z) and f'(z).
- `losses.npz`: for every one of `cases`, OUTPUT/LOSS/TARGETS, the losses (n,) of pre-activations z, and their slopes
  (n, j) in z. `y/TARGETS` are the targets.
- `networks.npz`: a network 4-5-3 for every hidden activation and for every pair of output and loss, named in `cases`
  HIDDEN/OUTPUT/LOSS/TARGETS: its losses and the gradient of their mean, flat in the order of the layers, W row by row
  and then b.
- `schedules.npz`: for every schedule, `rates/NAME`, the factors of 50 steps, five to an epoch, and `params/NAME`, the
  parameters of the network of `training.npz` after 50 full-batch steps of SGD, each an epoch.
- `lbfgs.npz`: what SciPy's L-BFGS-B reaches on x and y from each `start`: for `logistic`, nothing hidden, the minimum
  and its parameters; for `hidden`, 4-5-3, the objectives after 100 iterations and how many evaluations they took.
- `normalisation.npz`: a network 4-5-6-3, tanh and softmax, with batch and with layer normalisation in front of each
  tanh, by modules as `torch.nn.Sequential` has them: per kind its numbers at the start, in the order of its state dict;
  losses and gradients of a batch in training and in evaluation; and after 50 steps its numbers, running statistics
  included, and its losses in evaluation.
- `training.npz`: the parameters of a network 4-5-3, tanh and softmax, before and after 50 full-batch steps.
- `regularization.npz`: the same with penalties, clipping, smoothed labels and averaged parameters.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
SHAPES: list[tuple[int, ...]] = [(5, 4), (5,), (3, 5), (3,)]
torch: Any = None


def activations() -> dict[str, Any]:
    """Every activation as PyTorch computes it."""
    f = torch.nn.functional
    return {
        "identity": lambda z: z * 1.0,
        "sigmoid": torch.sigmoid,
        "logistic": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": f.relu,
        "leaky_relu": lambda z: f.leaky_relu(z, 0.01),
        "elu": f.elu,
        "gelu": f.gelu,
        "softplus": f.softplus,
        "exponential": torch.exp,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }


def loss_of(output: str, loss: str, z: Any, y: Any) -> Any:
    """The losses (n,) of pre-activations z (n, j): from z where PyTorch has such a form, else from the outputs."""
    f = torch.nn.functional
    if loss == "cross_entropy" and output == "softmax":
        return f.cross_entropy(z, y, reduction="none")
    if loss == "cross_entropy":
        return f.binary_cross_entropy_with_logits(z, y, reduction="none").sum(1)
    if loss == "poisson" and output == "exponential":
        return f.poisson_nll_loss(z, y, log_input=True, reduction="none").sum(1)
    a = activations()[output](z)
    if loss == "poisson":
        return f.poisson_nll_loss(a, y, log_input=False, eps=0.0, reduction="none").sum(1)
    form = {"squared": f.mse_loss, "absolute": f.l1_loss, "huber": f.huber_loss}[loss]
    return (0.5 if loss == "squared" else 1.0) * form(a, y, reduction="none").sum(1)


def pairs() -> list[tuple[str, str, str]]:
    """Every output with every loss it may have, and the kind of targets."""
    found = [(output, loss, "values") for output in activations() for loss in ("squared", "absolute", "huber")]
    found += [(output, "poisson", "counts") for output in ("exponential", "softplus", "sigmoid", "logistic")]
    for output in ("logistic", "sigmoid"):
        found += [(output, "cross_entropy", "labels"), (output, "cross_entropy", "chances")]
    return [*found, ("softmax", "cross_entropy", "indices"), ("softmax", "cross_entropy", "shares")]


def targets(rng: np.random.Generator, n: int, j: int) -> dict[str, np.ndarray[Any, Any]]:
    """Targets of every kind."""
    chances = rng.uniform(0.05, 0.95, (n, j))
    return {
        "values": rng.normal(0, 1.5, (n, j)),
        "counts": rng.poisson(1.5, (n, j)).astype(float),
        "labels": (rng.uniform(size=(n, j)) < 0.5).astype(float),
        "chances": chances,
        "shares": chances / chances.sum(1, keepdims=True),
        "indices": rng.integers(0, j, n),
    }


def write_activations() -> None:
    """The file activations.npz."""
    z = torch.cat([torch.linspace(-8, 8, 64, dtype=torch.float64), torch.tensor([-40.0, -20.0, 20.0, 40.0])])
    arrays = {"z": z.numpy()}
    for name, f in activations().items():
        if name != "softmax":
            x = z.clone().requires_grad_()
            a = f(x)
            a.sum().backward()
            arrays |= {f"{name}/value": a.detach().numpy(), f"{name}/slope": x.grad.numpy()}
    np.savez_compressed(HERE / "activations.npz", **arrays)


def save(name: str, cases: Sequence[tuple[str, ...]], ys: dict[str, Any], **arrays: Any) -> None:
    """A file of cases, with their targets and what was found for each."""
    kept = {f"y/{kind}": y for kind, y in ys.items()} | arrays
    np.savez_compressed(HERE / f"{name}.npz", cases=["/".join(case) for case in cases], **kept)


def write_losses(rng: np.random.Generator) -> None:
    """The file losses.npz."""
    z, ys = rng.normal(0, 1.5, (6, 3)), targets(rng, 6, 3)
    found: list[Any] = []
    for output, loss, kind in pairs():
        x = torch.tensor(z, requires_grad=True)
        losses = loss_of(output, loss, x, torch.tensor(ys[kind]))
        losses.sum().backward()
        found.append((losses.detach().numpy(), x.grad.numpy()))
    save("losses", pairs(), ys, z=z, losses=[a for a, _ in found], slopes=[b for _, b in found])


def parameters(rng: np.random.Generator) -> list[Any]:
    """W and b of layers 4-5-3."""
    return [torch.tensor(rng.normal(0, 0.6, shape), requires_grad=True) for shape in SHAPES]


def flat(tensors: list[Any]) -> np.ndarray[Any, Any]:
    """Tensors in a row."""
    return np.concatenate([t.detach().numpy().ravel() for t in tensors])


def forward(params: list[Any], hidden: str, x: Any) -> Any:
    """The last layer's pre-activations."""
    return activations()[hidden](x @ params[0].T + params[1]) @ params[2].T + params[3]


def write_networks(rng: np.random.Generator) -> None:
    """The file networks.npz."""
    x, ys, params = rng.normal(size=(6, 4)), targets(rng, 6, 3), parameters(rng)
    found: list[Any] = []
    cases: list[tuple[str, ...]] = [("tanh", *pair) for pair in pairs()]
    cases += [(hidden, "softmax", "cross_entropy", "indices") for hidden in activations() if hidden != "softmax"]
    for hidden, output, loss, kind in cases:
        losses = loss_of(output, loss, forward(params, hidden, torch.tensor(x)), torch.tensor(ys[kind]))
        found.append((losses.detach().numpy(), flat(list(torch.autograd.grad(losses.mean(), params)))))
    given = {"x": x, "params": flat(params)}
    save("networks", cases, ys, **given, losses=[a for a, _ in found], gradients=[b for _, b in found])


def write_training(rng: np.random.Generator) -> None:
    """The file training.npz. Weight decay acts on weights only; for plain SGD it equals PyTorch's penalty."""
    x, ys, params = rng.normal(size=(20, 4)), targets(rng, 20, 3), parameters(rng)
    start = flat(params)
    arrays: dict[str, Any] = {"x": x, "y": ys["indices"], "start": start}
    optim = torch.optim
    ways = {
        "sgd": (optim.SGD, {"lr": 0.5}, 0.0),
        "sgd with decay": (optim.SGD, {"lr": 0.5}, 0.02),
        "momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9}, 0.0),
        "nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, 0.0),
        "adagrad": (optim.Adagrad, {"lr": 0.1}, 0.0),
        "rmsprop": (optim.RMSprop, {"lr": 0.02, "alpha": 0.9}, 0.0),
        "adam": (optim.Adam, {"lr": 0.05}, 0.0),
        "adam with decay": (optim.AdamW, {"lr": 0.05}, 0.02),
        "adamw": (optim.AdamW, {"lr": 0.05}, 0.01),
    }
    for name, (kind, settings, decay) in ways.items():
        own = [p.detach().clone().requires_grad_() for p in params]
        groups = [{"params": own[0::2], "weight_decay": decay}, {"params": own[1::2], "weight_decay": 0.0}]
        optimizer = kind(groups, **settings)
        for _ in range(50):
            optimizer.zero_grad()
            loss = loss_of("softmax", "cross_entropy", forward(own, "tanh", torch.tensor(x)), torch.tensor(arrays["y"]))
            loss.mean().backward()
            optimizer.step()
        arrays[name] = flat(own)
    np.savez_compressed(HERE / "training.npz", **arrays)


def schedules(optimizer: Any, per_epoch: int) -> dict[str, Any]:
    """What makes each schedule over 50 steps, by its name here; PyTorch's plateau waits an epoch longer."""
    of, total = torch.optim.lr_scheduler, 50

    def warmup(steps: int) -> Any:
        return of.LinearLR(optimizer, 1 / steps, total_iters=steps - 1)

    def after_warmup(then: Any) -> Any:
        return of.SequentialLR(optimizer, [warmup(3 * per_epoch), then], milestones=[3 * per_epoch])

    return {
        "constant": lambda: of.ConstantLR(optimizer, 1.0),
        "step=2:0.9": lambda: of.StepLR(optimizer, 2 * per_epoch, 0.9),
        "1/t=3": lambda: of.LambdaLR(optimizer, lambda s: 1 / (1 + s / (3 * per_epoch))),
        "cosine": lambda: of.CosineAnnealingLR(optimizer, total),
        "one-cycle": lambda: of.OneCycleLR(optimizer, optimizer.defaults["lr"], total, cycle_momentum=False),
        "plateau=2:0.5": lambda: of.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=0.0),
        "warmup=3": lambda: warmup(3 * per_epoch),
        "warmup=3,step=2:0.9": lambda: after_warmup(of.StepLR(optimizer, 2 * per_epoch, 0.9)),
        "warmup=3,cosine": lambda: after_warmup(of.CosineAnnealingLR(optimizer, total - 3 * per_epoch)),
    }


def scheduled_rates(name: str, losses: Sequence[float]) -> list[float]:
    """The rates of 50 steps, five to an epoch, each epoch ending with a loss."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, found = schedules(optimizer, 5)[name](), []
    for step in range(50):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if not name.startswith("plateau"):
            scheduler.step()
        elif step % 5 == 4:
            scheduler.step(losses[step // 5])
    return found


def write_schedules() -> None:
    """The file schedules.npz."""
    losses = [0.9, 0.8, 0.85, 0.8, 0.7, 0.71, 0.72, 0.73, 0.74, 0.6]
    arrays: dict[str, Any] = {"losses": losses}
    with np.load(HERE / "training.npz", allow_pickle=False) as given:
        x, y, start = (torch.tensor(given[name]) for name in ("x", "y", "start"))
    for name in schedules(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), 1):
        parts = [part.clone() for part in torch.split(start, [20, 5, 15, 3])]
        own = [part.reshape(shape).requires_grad_() for part, shape in zip(parts, SHAPES, strict=True)]
        optimizer = torch.optim.SGD(own, lr=6.0 if name.startswith("plateau") else 0.5)
        scheduler = schedules(optimizer, 1)[name]()
        for _ in range(50):
            optimizer.zero_grad()
            loss = loss_of("softmax", "cross_entropy", forward(own, "tanh", x), y).mean()
            loss.backward()
            optimizer.step()
            scheduler.step(*([loss.item()] if name.startswith("plateau") else []))
        arrays |= {f"rates/{name}": scheduled_rates(name, losses), f"params/{name}": flat(own)}
    np.savez_compressed(HERE / "schedules.npz", **arrays)


def write_lbfgs(rng: np.random.Generator) -> None:
    """The file lbfgs.npz."""
    optimize = import_module("scipy.optimize")
    x, y = torch.tensor(rng.normal(size=(120, 4))), torch.tensor(rng.integers(0, 3, 120))
    arrays: dict[str, Any] = {"x": x.numpy(), "y": y.numpy()}
    options = {"maxcor": 10, "maxiter": 100, "ftol": 0.0, "gtol": 1e-12}
    for name, of, count in (("logistic", [(3, 4), (3,)], 1), ("hidden", SHAPES, 8)):
        cuts = np.cumsum([int(np.prod(shape)) for shape in of])

        def value_and_gradient(params: Any, of: Any = of, cuts: Any = cuts) -> tuple[float, Any]:
            parts = zip(np.split(params, cuts[:-1]), of, strict=True)
            own = [torch.tensor(part.reshape(shape), requires_grad=True) for part, shape in parts]
            z = forward(own, "tanh", x) if len(own) == 4 else x @ own[0].T + own[1]
            loss = loss_of("softmax", "cross_entropy", z, y).mean()
            loss.backward()
            return loss.item(), flat([p.grad for p in own])

        starts = rng.normal(0, 0.6, (count, cuts[-1]))
        found = [
            optimize.minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
            for start in starts
        ]
        arrays |= {f"{name}/starts": starts, f"{name}/params": [one.x for one in found]}
        arrays |= {f"{name}/values": [one.fun for one in found], f"{name}/evaluations": [one.nfev for one in found]}
    np.savez_compressed(HERE / "lbfgs.npz", **arrays)


def step_by_step(params: list[Any], x: Any, y: Any, how: dict[str, Any], after: Any = None) -> np.ndarray[Any, Any]:
    """The parameters after 50 full-batch steps: `kind` and `lr`, and what `how` says of penalties, clipping, labels."""
    groups = [{"params": params[0::2], "weight_decay": how.get("l2", 0.0)}, {"params": params[1::2]}]
    optimizer = how["kind"](groups, lr=how["lr"], **how.get("settings", {}))
    for _ in range(50):
        optimizer.zero_grad()
        z = forward(params, "tanh", x)
        loss = torch.nn.functional.cross_entropy(z, y, label_smoothing=how.get("smoothing", 0.0))
        (loss + how.get("l1", 0.0) * sum(p.abs().sum() for p in params[0::2])).backward()
        if "clip" in how:  # in units so small that the 1e-6 which PyTorch adds to the length is none
            for p in params:
                p.grad *= 1e9
            torch.nn.utils.clip_grad_norm_(params, 1e9 * how["clip"])
            for p in params:
                p.grad /= 1e9
        optimizer.step()
        if after is not None:
            after()
    return flat(params)


def write_regularization(rng: np.random.Generator) -> None:
    """The file regularization.npz. `average` is that of `AveragedModel`, begun at the first step's parameters."""
    x, params = rng.normal(size=(20, 4)), parameters(rng)
    y, optim = rng.integers(0, 3, 20), torch.optim
    arrays: dict[str, Any] = {"x": x, "y": y, "start": flat(params)}
    given = (torch.tensor(x), torch.tensor(y))
    ways: dict[str, dict[str, Any]] = {
        "l2": {"kind": optim.SGD, "lr": 0.1, "settings": {"momentum": 0.9}, "l2": 0.02},
        "l2 in adam": {"kind": optim.Adam, "lr": 0.05, "l2": 0.02},
        "l1": {"kind": optim.SGD, "lr": 0.5, "l1": 0.002},
        "clipped": {"kind": optim.SGD, "lr": 0.5, "settings": {"momentum": 0.5}, "l1": 0.001, "clip": 0.1},
        "smoothed": {"kind": optim.Adam, "lr": 0.05, "smoothing": 0.1},
        "averaged": {"kind": optim.SGD, "lr": 0.1, "settings": {"momentum": 0.9}},
    }
    for name, how in ways.items():
        arrays[name] = step_by_step([p.detach().clone().requires_grad_() for p in params], *given, how)
    own = torch.nn.ParameterList([p.detach().clone() for p in params])
    averages = optim.swa_utils.AveragedModel(own, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))
    after_each: list[np.ndarray[Any, Any]] = []

    def after() -> None:
        averages.update_parameters(own)
        after_each.append(flat(list(own)))

    step_by_step(list(own), *given, ways["averaged"], after)
    arrays |= {"first": after_each[0], "average": flat(list(averages.module))}
    np.savez_compressed(HERE / "regularization.npz", **arrays)


def normalised(kind: str) -> Any:
    """The modules of a network with normalisation."""
    nn = torch.nn
    norm = nn.BatchNorm1d if kind == "batch" else nn.LayerNorm
    modules = [nn.Linear(4, 5), norm(5), nn.Tanh(), nn.Linear(5, 6), norm(6), nn.Tanh(), nn.Linear(6, 3)]
    return nn.Sequential(*modules).double()


def write_normalisation(rng: np.random.Generator) -> None:
    """The file normalisation.npz."""
    x, y = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
    arrays: dict[str, Any] = {"x": x, "y": y}
    given, targets = torch.tensor(x), torch.tensor(y)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    for kind in ("batch", "layer"):
        network = normalised(kind)
        with torch.no_grad():
            for param in network.parameters():
                param.copy_(torch.tensor(rng.normal(0, 0.6, tuple(param.shape)) + (param == 1).double().numpy()))
        start = {name: tensor.clone() for name, tensor in network.state_dict().items()}

        def numbers(module: Any) -> np.ndarray[Any, Any]:
            return flat([tensor for name, tensor in module.state_dict().items() if "tracked" not in name])

        arrays[f"{kind}/start"] = numbers(network)
        for mode in ("train", "eval"):
            network.load_state_dict(start)
            getattr(network, mode)()
            losses = torch.nn.functional.cross_entropy(network(given), targets, reduction="none")
            arrays[f"{kind}/{mode}/losses"] = losses.detach().numpy()
            arrays[f"{kind}/{mode}/gradient"] = flat(list(torch.autograd.grad(losses.mean(), network.parameters())))
        for name, optimizer in kinds.items():
            network.load_state_dict(start)
            network.train()
            steps = optimizer(network.parameters(), lr=0.1 if name == "sgd" else 0.01)
            for step in range(50):
                rows = torch.arange(8) + step % 3 * 6
                steps.zero_grad()
                torch.nn.functional.cross_entropy(network(given[rows]), targets[rows]).backward()
                steps.step()
            arrays[f"{kind}/{name}"] = numbers(network)
            losses = torch.nn.functional.cross_entropy(network.eval()(given), targets, reduction="none")
            arrays[f"{kind}/{name}/losses"] = losses.detach().numpy()
    np.savez_compressed(HERE / "normalisation.npz", **arrays)


if __name__ == "__main__":
    torch = import_module("torch")
    write_activations()
    write_losses(np.random.default_rng(1))
    write_networks(np.random.default_rng(2))
    write_training(np.random.default_rng(3))
    write_schedules()
    write_lbfgs(np.random.default_rng(4))
    write_regularization(np.random.default_rng(4))
    write_normalisation(np.random.default_rng(4))
