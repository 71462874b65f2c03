"""What a gradient costs: both ways give the same one, and nudging takes N + 1 forward passes."""

import numpy as np
import pytest

from backlight.arrays import Floats
from backlight.engine import Examples, Session, Task, WholeObjective, compile_program, open_session, row_source
from backlight.network import Network
from backlight.racing import GradientCost, GradientCosts, gradient_costs, nudged_gradient, nudging
from backlight.racing.costs import SIZES, square_widths
from backlight.training import SGD

ROWS = np.arange(7)


def opened(network: Network, engine: str = "auto", sample_weight: Floats | None = None) -> Session:
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=(9, network.inputs)), draws.integers(0, network.outputs, 9)
    examples, program = Examples(row_source(x), y, sample_weight), compile_program(network)
    return open_session(engine, Task(program, network.params, examples, SGD(), batch_size=9, seed=0))


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("weighted", [False, True])
def test_nudging_gives_the_gradient_of_backpropagation(engine, weighted):
    network = Network.mlp(5, 4, 3, hidden="tanh", seed=3, dtype="float64")
    session = opened(network, engine, np.linspace(0.5, 1.5, 9) if weighted else None)
    before = network.params.copy()
    nudged = nudged_gradient(session, network.params, ROWS)
    gradient = session.gradients(ROWS)[1]
    assert np.abs(nudged - gradient).max() < 1e-7 * np.abs(gradient).max() + 1e-8
    assert np.array_equal(network.params, before)


def test_nudging_takes_a_forward_pass_for_every_weight_and_one_more(monkeypatch):
    made = []

    class Counted(WholeObjective):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(nudging, "WholeObjective", Counted)
    network = Network.mlp(5, 4, 3, seed=3)
    nudged_gradient(opened(network), network.params, ROWS)
    assert made[0].evaluations == network.params.size + 1


def test_the_networks_go_from_ten_weights_to_ten_million():
    sizes = [(Network.mlp(*square_widths(size, 2), seed=0).params.size) for size in SIZES[:-2]]
    assert sizes[0] <= 10
    assert SIZES[-1] == 10**7
    for size, made in zip(SIZES, sizes, strict=False):
        assert made == pytest.approx(size, rel=0.21)


def test_costs_are_measured_and_told():
    costs = gradient_costs([10, 100])
    told = costs.to_dict()
    assert [row["weights"] for row in told["gradient"]] == [8, 98]
    for row in told["gradient"]:
        assert 0 < row["forward_seconds"] < row["nudging_seconds"]
        assert row["nudging_over_backpropagation"] == row["nudging_seconds"] / row["backpropagation_seconds"]
        assert row["extrapolated"] is False
    assert costs.difference is not None
    assert costs.difference < 1e-5


def made(weights: int, *, extrapolated: bool = False, over: float = 2.0) -> GradientCost:
    return GradientCost(weights, (1, 1), 1.0, over, (weights + 1) * 1.0, extrapolated)


def test_the_exponent_is_fitted_to_what_was_measured():
    measured = [made(weights) for weights in (100, 1000, 10_000)]
    wild = GradientCost(10**7, (1, 1), 1.0, 2.0, 1e30, True)
    costs = GradientCosts((*measured, wild))
    assert costs.exponent == pytest.approx(1.0, abs=0.01)
    assert costs.measured == tuple(measured)
    assert GradientCosts((measured[0], wild)).exponent is None


def test_the_most_forward_passes_are_those_of_the_worst():
    assert GradientCosts((made(10), made(100, over=3.25))).most_forward_passes == 3.25
    assert GradientCosts(()).most_forward_passes is None


def test_what_was_extrapolated_is_marked():
    text = str(GradientCosts((made(10), made(100, extrapolated=True))).blocks())
    assert "'measured'" in text
    assert "'extrapolated'" in text
    assert "nudging would take" in text
    assert GradientCosts(()).blocks()
