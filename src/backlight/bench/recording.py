"""Per-example losses and gradient norms: what recording them adds to a step, beside `torch.func.vmap(grad)`."""

from collections.abc import Callable, Mapping
from importlib import import_module
from statistics import median
from typing import Any, Final

from backlight.bench.systems.learner import Job
from backlight.bench.systems.registry import BACKLIGHT
from backlight.bench.systems.with_backlight import BacklightLearner
from backlight.racing.timing import Work, interleaved, repeated

RECORDED: Final = ("B", "C")
"""The workloads that this is measured on."""

SYSTEMS: Final = (BACKLIGHT.key, "torch_func")
_SECONDS: Final = 0.2


def norms_of(system: str, job: Job, rounds: int) -> dict[str, Any]:
    """Time per-example losses and gradient norms of batches.

    Args:
        system: of `SYSTEMS`.
        job: what is trained.
        rounds: how often each is timed, in turn.

    Returns:
        Seconds per round: for Backlight of a `step` and a `recorded_step`, for PyTorch of the `norms` of a batch.
    """
    works = recording_steps(job) if system == BACKLIGHT.key else {"norms": repeated(vmap_norms(job))}
    return interleaved(works, rounds, _SECONDS)


def recording_steps(job: Job) -> dict[str, Work]:
    """Steps as they are, and steps that record every example's loss and gradient norm."""
    plain, recording = BacklightLearner(job), BacklightLearner(job, record_examples=True)
    return {"step": plain.advance, "recorded_step": recording.advance}


def vmap_norms(job: Job) -> Callable[[], tuple[Any, Any]]:
    """Every example's loss and gradient norm over all parameters, as PyTorch's documentation advises.

    `torch.func.vmap` over `grad_and_value` of the loss of one example, on the gathered batch, without gradients of its
    own being recorded.
    """
    torch: Any = import_module("torch")
    from backlight.bench.systems.with_pytorch import loss_and_lr, sequential

    torch.set_num_threads(job.threads)
    module, (loss, _) = sequential(torch, job.workload), loss_and_lr(torch, job.workload)
    params = {name: p.detach() for name, p in module.named_parameters()}
    x, y = torch.from_numpy(job.x), torch.from_numpy(job.targets)
    rows = torch.from_numpy(job.order[: job.workload.batch_size])

    def loss_of_one(given: Any, one: Any, target: Any) -> Any:
        outputs = torch.func.functional_call(module, given, (one.unsqueeze(0),))
        return loss(outputs, target.unsqueeze(0))

    per_example = torch.func.vmap(torch.func.grad_and_value(loss_of_one), in_dims=(None, 0, 0))

    def norms() -> tuple[Any, Any]:
        grads, losses = per_example(params, x.index_select(0, rows), y.index_select(0, rows))
        return losses, sum(g.flatten(1).pow(2).sum(1) for g in grads.values()).sqrt()

    return norms


def told(workload: str, ours: Mapping[str, list[float]], theirs: Mapping[str, list[float]]) -> dict[str, Any]:
    """What was measured of one workload, and the two ratios that matter; None for what could not be measured."""
    times = {name: 1e6 * median(seconds) for name, seconds in {**ours, **theirs}.items()}
    extra = [recorded / step - 1 for step, recorded in zip(ours["step"], ours["recorded_step"], strict=True)]
    return {
        "name": workload,
        **{f"{name}_us": round(value, 2) for name, value in times.items()},
        "extra_share": round(median(extra), 4),
        "norms_over_recorded_step": round(times["norms"] / times["recorded_step"], 2) if theirs else None,
    }
