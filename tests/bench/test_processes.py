"""Processes that measure: what they answer, and how they end."""

import io
import json

import pytest

from backlight.bench.processes import WorkerFailedError, WorkerProcess
from backlight.bench.systems.with_backlight import BacklightLearner
from backlight.bench.worker import CHECKED_STEPS, Worker, serve
from tests.bench.made import job_on_few, write_few


def test_a_process_opens_a_workload_takes_steps_and_ends(tmp_path):
    job = job_on_few("B")
    learner = BacklightLearner(job)
    learner.advance(CHECKED_STEPS)
    network = job.workload.network()
    network.params[...] = learner.params()
    losses = network.backward(network.forward(job.x[:1000]), job.y[:1000]).losses
    with WorkerProcess(write_few(tmp_path), threads=1) as process:
        opened = process.ask("open", system="backlight", workload="B", seconds=0.01)
        assert opened["objective"] == pytest.approx(float(losses.mean()), rel=1e-5)
        assert opened["flops_per_step"] == job.workload.flops_per_step
        assert opened["steps"] >= 1
        assert process.ask("steps", steps=3)["seconds"] > 0


def test_a_process_that_fails_says_what_it_said_last(tmp_path):
    with WorkerProcess(tmp_path, threads=1) as process, pytest.raises(WorkerFailedError, match=r"x\.npy"):
        process.ask("open", system="backlight", workload="B", seconds=0.01)


def test_a_process_is_ended_when_the_block_is_left_by_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), WorkerProcess(tmp_path, threads=1) as process:
        raise KeyboardInterrupt
    assert process._process.poll() is not None


def test_answers_are_one_json_object_a_line(tmp_path):
    worker, answers = Worker(write_few(tmp_path, 200), 1), io.StringIO()
    requests = [{"do": "open", "system": "backlight", "workload": "E", "seconds": 0.001}, {"do": "steps", "steps": 1}]
    serve(worker, io.StringIO("".join(json.dumps(request) + "\n" for request in requests)), answers)
    opened, steps = map(json.loads, answers.getvalue().splitlines())
    assert set(opened) == {"form", "objective", "steps", "flops_per_step"}
    assert set(steps) == {"seconds"}


def test_costs_and_norms_are_answered(tmp_path):
    worker = Worker(write_few(tmp_path), 1)
    cost = worker.answer({"do": "cost", "parameters": 1000, "rounds": 1})
    assert cost["parameters"] == pytest.approx(1000, rel=0.06)
    assert cost["gradient_over_forward"] == pytest.approx(cost["gradient_us"] / cost["forward_us"], rel=0.01)
    norms = worker.answer({"do": "norms", "system": "backlight", "workload": "B", "rounds": 2})
    assert {name: len(times) for name, times in norms.items()} == {"step": 2, "recorded_step": 2}
