"""The landscape of a run: its path is the run's, its costs are those that were recorded, and others start with it."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backlight
from backlight.errors import InputError
from backlight.explanation import landscape
from backlight.explanation.landscapes.again import Again
from backlight.explanation.landscapes.measuring import landscape as measured
from backlight.files import Run, Settings, begin, load_for
from tests.explanation.landscapes.made import cost_by_definition, trained
from tests.explanation.made import is_plain

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "regression": ("penguins", {"target": ("body_mass_g",)}),
    "autoencoder": ("digits", {"task": "autoencode", "code": 3, "epochs": 1}),
    "batch norm": ("moons", {"norm": "batch"}),
    "layer norm": ("moons", {"norm": "layer"}),
    "averaged": ("moons", {"average": 0.9}),
    "accumulated": ("moons", {"batch_size": 20, "accumulate": 3}),
    "dropped out": ("moons", {"dropout": 0.5, "layers": (8, 8)}),
    "scheduled": ("moons", {"schedule": "plateau=1:0.1"}),
    "linear": ("xor", {"layers": (), "epochs": 2}),
}


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose every step takes all examples."""
    given: dict[str, Any] = {"batch_size": "full", "epochs": 30, "optimizer": "sgd", "lr": 0.5, "l2": 0.01}
    return trained(tmp_path_factory.mktemp("careful") / "run", activation="tanh", **given)


@pytest.fixture(scope="module")
def stumbling(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in batches."""
    return trained(tmp_path_factory.mktemp("stumbling") / "run", batch_size=30)


def test_the_path_ends_in_the_bits_of_the_run(stumbling: Run) -> None:
    told = landscape(stumbling, points=3)
    (path,) = told.paths
    state = stumbling.checkpoint()
    assert state is not None
    assert (path.taken, path.steps[0], path.steps[-1]) == (state.step, 0, state.step)
    assert told.warnings == ()
    training, _ = Again(stumbling, stumbling.dataset()).training(30)
    assert path.costs[-1] == pytest.approx(cost_by_definition(training, state.params), rel=1e-6)
    assert path.distances[-1] == 0.0
    assert path.points[-1].tolist() == [0.0, 0.0]


def test_where_points_lie_in_the_plane_the_surface_is_their_cost(careful: Run) -> None:
    for random in (False, True):
        (path,) = landscape(careful, points=3, random=random).paths
        assert path.surface[-1] == pytest.approx(path.costs[-1], rel=1e-6)
        off = np.array(path.distances) > 1e-3
        assert off.any()
        assert path.gap == pytest.approx(np.abs(np.subtract(path.surface, path.costs)).max())


def test_recorded_costs_are_those_measured(careful: Run, stumbling: Run) -> None:
    (path,) = landscape(careful, points=3).paths
    assert path.steps == tuple(range(31))
    assert [cost is None for cost in path.recorded] == [False] * 30 + [True]
    np.testing.assert_allclose(np.array(path.recorded[:-1], float), np.array(path.costs[:-1]), rtol=2e-6)
    (path,) = landscape(stumbling, points=3).paths
    assert [step for step, cost in zip(path.steps, path.recorded, strict=True) if cost is not None] == [0]
    assert path.recorded[0] == pytest.approx(path.costs[0], rel=1e-6)


def test_every_value_of_the_grid_is_a_cost(careful: Run) -> None:
    told = landscape(careful, points=4)
    run = Again(careful, careful.dataset())
    training, last = run.training("full")
    start = training.network.params.astype(np.float64)
    training.advance_to(last)
    end = training.network.params.astype(np.float64)
    (path,) = told.paths
    assert told.grid.costs.shape == (4, 4)
    assert told.grid.u[0] < path.points[0, 0] < path.points[-1, 0] < told.grid.u[-1]
    assert path.straight == pytest.approx(np.linalg.norm(end - start), rel=1e-6)
    assert path.way >= path.straight
    assert np.hypot(*path.points[0]) == pytest.approx(np.sqrt(path.straight**2 - path.distances[0] ** 2), rel=1e-4)
    assert told.grid.costs.min() > 0


def test_several_walkers_set_out_together(stumbling: Run) -> None:
    told = landscape(stumbling, batches=("full", 30, 1), points=3)
    full, own, one = told.paths
    assert [path.name for path in told.paths] == ["full batch", "batches of 30", "one at a time"]
    rows = len(stumbling.dataset().rows["train"])
    assert (full.taken, own.taken, one.taken) == (4, stumbling.taken, 4 * rows)
    assert full.costs[0] == own.costs[0] == one.costs[0]
    assert full.distances[0] == own.distances[0] == one.distances[0]
    assert own.distances[-1] == 0.0
    alone = landscape(stumbling, points=3).paths[0]
    assert own.costs == alone.costs
    assert 0 < told.variance_held <= 1
    assert told.variance_held == pytest.approx(sum(told.shares))


def test_the_runs_own_path_is_shown_beside_others(stumbling: Run) -> None:
    names = [path.name for path in landscape(stumbling, batches=[1, "full", 1], points=2).paths]
    assert names == ["batches of 30", "one at a time", "full batch"]
    rows = len(stumbling.dataset().rows["train"])
    assert len(landscape(stumbling, batches=["full", rows, 10 * rows], points=2).paths) == 2


def test_another_batch_size_is_another_run(stumbling: Run, tmp_path: Path) -> None:
    settings = replace(stumbling.settings, batch_size=7)
    conduct = begin(settings, load_for(settings), folder=tmp_path / "seven")
    conduct.complete()
    expected = landscape(conduct.run, points=2).paths[0]
    found = landscape(stumbling, batches=[7], points=2).paths[1]
    assert (found.steps, found.costs) == (expected.steps, expected.costs)


def test_starts_are_runs_with_other_seeds(stumbling: Run) -> None:
    told = landscape(stumbling, batches=[30], starts=3, points=2)
    (ends,) = told.starts
    assert ends.costs[0] == told.paths[0].costs[-1]  # the run's own seed is 0
    assert len(set(ends.costs)) == 3
    assert (ends.lowest, ends.highest) == (min(ends.costs), max(ends.costs))
    assert ends.mean == pytest.approx(np.mean(ends.costs))
    assert ends.sd == pytest.approx(np.std(ends.costs, ddof=1))
    settings = replace(stumbling.settings, seed=2)
    rows = stumbling.dataset().rows
    training = settings.training(stumbling.dataset(), rows["train"], rows["validation"])
    training.advance_to(stumbling.taken)
    assert ends.costs[2] == pytest.approx(cost_by_definition(training, training.network.params), rel=1e-6)


def test_starts_are_in_the_usual_sizes_that_the_run_allows(tmp_path: Path) -> None:
    given: dict[str, Any] = {"norm": "batch", "epochs": 1, "layers": (3,)}
    told = landscape(trained(tmp_path / "run", **given), starts=2, points=2)
    assert [ends.name for ends in told.starts] == ["full batch", "batches of 100"]
    told = landscape(trained(tmp_path / "other", "xor", optimizer="lbfgs", epochs=3), starts=2, points=2)
    assert [ends.name for ends in told.starts] == ["full batch"]


@pytest.mark.parametrize("kind", KINDS)
def test_runs_of_every_kind(kind: str, tmp_path: Path) -> None:
    data, given = KINDS[kind]
    told = landscape(trained(tmp_path / "run", data, **given), points=3)
    (path,) = told.paths
    assert path.surface[-1] == pytest.approx(path.costs[-1], rel=1e-5)
    assert np.isfinite(told.grid.costs).all()
    assert told.running == (kind == "batch norm")
    is_plain(told)


def test_lbfgs_walks_without_batches(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "xor", optimizer="lbfgs", epochs=20)
    (path,) = landscape(run, points=3).paths
    pairs = [(a, b) for a, b in zip(path.recorded, path.costs, strict=True) if a is not None]
    assert len(pairs) > 3
    recorded, costs = np.array(pairs, float).T
    np.testing.assert_allclose(recorded, costs, rtol=2e-6)
    with pytest.raises(InputError, match="lbfgs takes all examples"):
        landscape(run, batches=[10])


def test_frozen_layers_stay_where_they_are(tmp_path: Path) -> None:
    first = trained(tmp_path / "first", layers=(5, 4))
    run = trained(tmp_path / "second", start_from=str(first.folder), freeze=2)
    for random in (False, True):
        told = landscape(run, points=3, random=random)
        assert told.paths[0].surface[-1] == pytest.approx(told.paths[0].costs[-1], rel=1e-5)


def test_a_single_step_is_a_line(tmp_path: Path) -> None:
    told = landscape(trained(tmp_path / "run", batch_size="full", epochs=1), points=3)
    assert (told.drawn, told.shares) == (1, (1.0, 0.0))
    assert told.paths[0].surface == pytest.approx(told.paths[0].costs, rel=1e-6)
    assert any("lie on a line" in getattr(block, "text", "") for block in told.blocks())


def test_a_run_that_diverged_is_shown_as_far_as_it_went(stumbling: Run, tmp_path: Path) -> None:
    given: dict[str, Any] = {"optimizer": "sgd", "lr": 30.0, "loss": "squared", "output": "identity", "epochs": 3}
    wild = trained(tmp_path / "run", activation="relu", batch_size="full", **given)
    told = landscape(wild, batches=[1], points=3)
    assert told.paths[1].diverged
    assert told.grid.u == landscape(wild, points=3).grid.u
    assert any("no longer finite" in getattr(block, "text", "") for block in told.blocks())
    is_plain(told)


def test_another_build_of_the_engine_is_warned_of(stumbling: Run) -> None:
    other = replace(stumbling, engine={**stumbling.engine, "build": "another"})
    assert "another" in landscape(other, points=2).warnings[0]


def test_what_cannot_be_shown_is_refused(stumbling: Run, tmp_path: Path) -> None:
    settings = Settings("moons", layers=(4,))
    untrained = begin(settings, load_for(settings), folder=tmp_path / "run").run
    with pytest.raises(InputError, match="has no step written down"):
        landscape(untrained)
    for points in (1, 0, -3, 2.5, 501):
        with pytest.raises(InputError, match="number of points"):
            landscape(stumbling, points=points)  # type: ignore[arg-type]
    for sizes in ([0], ["half"], [-1], [True]):
        with pytest.raises(InputError, match="size of batches"):
            landscape(stumbling, batches=sizes)
    with pytest.raises(InputError, match="number of starts is 1"):
        landscape(stumbling, starts=1)


def test_a_run_that_failed_at_its_first_step_says_so(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", lr=1e30, optimizer="sgd", output="identity", loss="squared")
    assert run.taken == 0
    with pytest.raises(InputError, match="no path to show; it ended before its first: the loss was no longer"):
        landscape(run)


def test_a_run_from_another_run_has_no_other_starts(tmp_path: Path) -> None:
    first = trained(tmp_path / "first")
    second = trained(tmp_path / "second", start_from=str(first.folder))
    with pytest.raises(InputError, match="second was started from another run, whose weights no seed draws"):
        landscape(second, starts=3)
    assert landscape(second, points=3).paths[0].taken == second.taken


def test_it_has_a_public_name_and_turns_into_plain_data(careful: Run) -> None:
    assert backlight.landscape is measured
    told = landscape(careful, batches=["full"], starts=2, points=3)
    is_plain(told)
    content = told.to_dict()
    assert {"paths", "variance_held", "grid", "starts"} <= content.keys()
    assert content["paths"][0].keys() >= {"name", "points", "costs", "steps", "distances", "seconds"}
    assert content["grid"].keys() == {"u", "v", "costs"}
    assert len(content["grid"]["costs"]) == len(content["grid"]["v"]) == 3
    assert content["starts"][0].keys() >= {"name", "costs", "mean", "sd", "lowest", "highest"}


@pytest.mark.slow
@pytest.mark.data
def test_the_surface_over_all_of_mnist_is_the_definition(tmp_path: Path) -> None:
    if not os.environ.get("BACKLIGHT_DATA"):
        pytest.skip("$BACKLIGHT_DATA is not set")
    run = trained(tmp_path / "run", "mnist", layers=(16, 16), epochs=1, validation=0.0, batch_size=500)
    told = landscape(run, points=4)
    (path,) = told.paths
    assert told.count == 60_000
    assert path.surface[-1] == pytest.approx(path.costs[-1], rel=1e-6)
    near = np.array(path.distances) < 0.02
    np.testing.assert_allclose(np.array(path.surface)[near], np.array(path.costs)[near], atol=5e-3)


def test_equal_runs_give_equal_landscapes(stumbling: Run) -> None:
    first, second = (landscape(stumbling, points=4) for _ in range(2))
    assert first.grid.costs.tobytes() == second.grid.costs.tobytes()
    assert first.paths[0].costs == second.paths[0].costs
