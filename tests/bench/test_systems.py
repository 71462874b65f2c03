"""What every system is asked, and that peers compute what Backlight does."""

import numpy as np
import pytest

from backlight.arrays import Floats
from backlight.bench.recording import recording_steps, told, vmap_norms
from backlight.bench.systems import PEERS, Job, open_learner, seconds_for, steps_within
from backlight.bench.systems.learner import Batches, fastest
from backlight.bench.systems.with_backlight import BacklightLearner, session_for
from backlight.bench.systems.with_product import Product
from backlight.bench.workloads import WORKLOADS
from backlight.engine import Stretch
from backlight.racing.timing import interleaved
from tests.bench.made import Clock, Slow, job_on_few


def test_batches_begin_again_after_the_last():
    batches = Batches([1, 2, 3])
    assert [*batches.take(2), *batches.take(3)] == [1, 2, 3, 1, 2]
    batches.restart()
    assert list(batches.take(1)) == [1]


def test_steps_are_counted_without_the_slow_first_ones(monkeypatch):
    clock = Clock(monkeypatch)
    assert steps_within(Slow(clock, 0.001, start=10.0), 0.3) == 300
    assert steps_within(Slow(clock, 2.0), 0.3) == 1


def test_the_fastest_form_is_taken_once_it_has_started(monkeypatch):
    clock = Clock(monkeypatch)
    forms = [lambda: Slow(clock, 0.003), lambda: Slow(clock, 0.001, start=10.0), lambda: Slow(clock, 0.002)]
    assert fastest(forms).form == "0.001 s"


def test_pieces_of_work_are_timed_in_turn(monkeypatch):
    clock, done = Clock(monkeypatch), list[str]()

    def work(name: str, seconds: float, count: int) -> None:
        clock.now += seconds * count
        done.append(name)

    works = {"a": lambda count: work("a", 0.01, count), "b": lambda count: work("b", 0.5, count)}
    times = interleaved(works, 3, seconds=0.1)
    assert times == {"a": pytest.approx([0.01] * 3), "b": pytest.approx([0.5] * 3)}
    assert done[-6:] == ["a", "b"] * 3


def trained_by_hand(job: Job, steps: int) -> Floats:
    """The parameters after plain gradient descent, by the network's own backward pass."""
    network, workload = job.workload.network(), job.workload
    batches = job.order.reshape(-1, workload.batch_size)
    for number in range(steps):
        rows = batches[number % len(batches)]
        backward = network.backward(network.forward(job.x[rows]), job.y[rows], workload.loss)
        network.params -= workload.lr * backward.gradient()
    return network.params


@pytest.mark.parametrize("name", ["A", "B", "E"])
def test_backlight_takes_the_steps_that_are_asked_for_across_epochs(name):
    job = job_on_few(name, 400)
    learner, steps = BacklightLearner(job), len(job.order) // job.workload.batch_size + 2
    learner.advance(1)
    learner.restart()
    learner.advance(1)
    learner.advance(steps - 1)
    once = BacklightLearner(job)
    for _ in range(steps):
        once.advance(1)
    assert (learner.params() == once.params()).all()
    learner.restart()
    learner.advance(3)
    np.testing.assert_allclose(learner.params(), trained_by_hand(job, 3), rtol=1e-4, atol=1e-6)


def test_the_product_counts_its_operations():
    product = Product(8)
    product.advance(2)
    assert product.flops_per_step == 1024
    assert seconds_for(product, 1) >= 0


def test_recorded_steps_record():
    works = recording_steps(job_on_few("B"))
    assert set(works) == {"step", "recorded_step"}
    for work in works.values():
        work(2)


def test_what_recording_costs_is_told_by_ratios():
    ours, theirs = {"step": [1e-4, 2e-4, 2e-4], "recorded_step": [2e-4, 2e-4, 3e-4]}, {"norms": [6e-3]}
    found = told("B", ours, theirs)
    assert found == {
        "name": "B",
        "step_us": 200.0,
        "recorded_step_us": 200.0,
        "norms_us": 6000.0,
        "extra_share": 0.5,
        "norms_over_recorded_step": 30.0,
    }
    assert told("B", ours, {})["norms_over_recorded_step"] is None


@pytest.mark.oracle
@pytest.mark.filterwarnings("default")  # theirs
@pytest.mark.parametrize("system", [peer for peer in PEERS if peer.key != "pytorch_compiled"], ids=lambda s: s.key)
@pytest.mark.parametrize("name", ["A", "B", "E"])
def test_peers_compute_the_same_steps(system, name):
    pytest.importorskip(system.package, reason=f"{system.title} is not installed")
    job = job_on_few(name, 400)
    learner = open_learner(system.key, job)
    learner.restart()
    learner.advance(5)
    params = learner.params()
    if params is None:
        assert system.key == "scikit_learn"
        return
    np.testing.assert_allclose(params, trained_by_hand(job, 5), rtol=1e-3, atol=1e-5)


@pytest.mark.oracle
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["A", "B"])
def test_torch_func_computes_the_norms_that_sessions_record(name):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    job = job_on_few(name)
    losses, norms = vmap_norms(job)()
    session = session_for(job, job.workload.network(), record_examples=True)
    seen = session.advance(Stretch(job.order, job.workload.batch_size, 0, 1, 0, 0, 0.1)).examples
    assert seen is not None
    factor = 2 / WORKLOADS[name].widths[-1] if WORKLOADS[name].loss == "squared" else 1.0
    np.testing.assert_allclose(losses, factor * seen.losses, rtol=1e-4)
    np.testing.assert_allclose(norms, factor * np.sqrt(seen.squared_norms), rtol=1e-4)
