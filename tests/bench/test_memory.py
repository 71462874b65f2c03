"""Memory is measured: what a session takes is found, and what was there before is not counted."""

import numpy as np
import pytest

from backlight.bench import memory
from backlight.bench.systems.with_backlight import session_for
from tests.bench.made import job_on_few

pytestmark = pytest.mark.skipif(memory.obstacle() is not None, reason=str(memory.obstacle()))


def test_what_a_session_takes_is_found_even_if_it_gives_it_back(monkeypatch):
    def greedy(job, network):
        np.ones(8_000_000).sum()
        return session_for(job, network)

    job = job_on_few("B")
    modest = memory.memory_of(job)
    monkeypatch.setattr(memory, "session_for", greedy)
    assert memory.memory_of(job)["beside_mb"] > 60 > modest["beside_mb"]


def test_data_parameters_and_a_batch_are_told_by_their_size():
    job = job_on_few("B")
    found = memory.memory_of(job)
    assert found["data_mb"] == pytest.approx(1200 * 784 * 4 / 1e6, abs=0.01)
    assert found["parameters_mb"] == pytest.approx(4 * job.workload.network().params.size / 1e6, abs=0.01)
    assert found["batch_mb"] == pytest.approx(100 * (784 + 128 + 64 + 10) * 4 / 1e6, abs=0.01)
