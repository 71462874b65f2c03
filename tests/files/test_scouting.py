from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backlight.data import load
from backlight.files import Run, Settings, load_for, scouting
from backlight.files.scouting import best_epoch, prepared, scouted
from tests.cli.terminal import backlight


def table(path: Path, rows: int = 120) -> Path:
    """Two numbers of which one tells the class, with noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2)).round(4)
    kinds = np.where(x[:, 0] + 0.8 * rng.normal(size=rows) > 0, "b", "a")
    lines = [f"{a},{b},{kind}" for (a, b), kind in zip(x.tolist(), kinds, strict=True)]
    path.write_text("\n".join(["u,v,kind", *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    return Settings(str(table(tmp_path / "t.csv")), target=("kind",), layers=(8,), lr=0.02)


def test_all_rows_but_the_test_part_are_learnt_from(small: Settings) -> None:
    dataset = load_for(small)
    found = scouted(small.resolved(dataset), dataset, ())
    assert found is not None
    settings, everything = found
    assert np.array_equal(everything.rows["test"], dataset.rows["test"])
    assert len(everything.rows["validation"]) == 0
    together = np.union1d(dataset.rows["train"], dataset.rows["validation"])
    assert np.array_equal(everything.rows["train"], together)
    assert 1 <= settings.epochs < 200
    resolved = small.resolved(dataset)
    assert not resolved.scouted
    assert settings == replace(resolved, validation=0.0, epochs=settings.epochs, patience=None, scouted=True)
    assert settings == settings.resolved(everything)
    assert f"epoch {settings.epochs} on average" in everything.notes[-1]


def test_the_epoch_is_the_best_on_average_over_the_folds(small: Settings) -> None:
    dataset = load_for(small)
    settings = small.resolved(dataset)
    rows = np.union1d(dataset.rows["train"], dataset.rows["validation"])
    folds = scouting._folds(rows, dataset, small.seed)
    assert np.bincount(folds).tolist() == [21, 21, 20, 20, 20]
    shares = [dataset.y[rows[folds == k]].mean() for k in range(5)]
    assert max(shares) - min(shares) < 0.06
    curves = [scouting._validation_losses(settings, dataset, rows[folds != k], rows[folds == k]) for k in range(5)]
    longest = max(map(len, curves))
    means = [np.mean([curve[min(epoch, len(curve) - 1)] for curve in curves]) for epoch in range(longest)]
    found = scouted(settings, dataset, ())
    assert found is not None
    assert found[0].epochs == int(np.argmin(means)) + 1
    best = best_epoch(settings, dataset, rows)
    assert best is not None
    assert best == (found[0].epochs, best[1])
    assert best[1] == pytest.approx(min(means))


def test_a_best_epoch_that_is_the_last_is_told(small: Settings) -> None:
    dataset = load_for(small)
    enough, short = (scouted(replace(small, epochs=most).resolved(dataset), dataset, ()) for most in (200, 2))
    assert enough is not None
    assert short is not None
    assert "the last that was tried" not in enough[1].notes[-1]
    assert "best at epoch 2 on average" in short[1].notes[-1]
    assert "the last that was tried, so more epochs or a larger --lr may help" in short[1].notes[-1]


def test_without_a_learning_rate_none_is_recommended(small: Settings) -> None:
    dataset = load_for(small)
    wanted = replace(small, epochs=1, optimizer="lbfgs", lr=None, batch_size=None).resolved(dataset)
    found = scouted(wanted, dataset, ())
    assert found is not None
    assert "the last that was tried, so more epochs may help; now" in found[1].notes[-1]


@pytest.mark.parametrize("name", scouting.DECIDED)
def test_who_decides_is_not_overruled(small: Settings, name: str) -> None:
    dataset = load_for(small)
    assert scouted(small.resolved(dataset), dataset, {name: None}) is None


def test_a_setting_that_is_not_the_default_decides(small: Settings) -> None:
    dataset = load_for(small)
    for settings in (replace(small, epochs=3), replace(small, patience=2), replace(small, until=("loss<0.1",))):
        assert prepared(settings, dataset) == (settings.resolved(dataset), dataset)
    assert prepared(small, dataset)[0].validation == 0


def test_only_small_tables_are_scouted(tmp_path: Path, small: Settings) -> None:
    moons = Settings("moons")
    assert scouted(moons.resolved(load("moons")), load("moons"), ()) is None
    large = replace(small, data=str(table(tmp_path / "l.csv", 1_500)))
    dataset = load_for(large)
    assert scouted(large.resolved(dataset), dataset, ()) is None
    tiny = replace(small, data=str(table(tmp_path / "s.csv", 10)))
    dataset = load_for(tiny)
    assert scouted(tiny.resolved(dataset), dataset, ()) is None
    grouped = replace(small, split="part")
    assert scouted(grouped.resolved(load_for(small)), load_for(small), ()) is None


def test_the_command_says_so_and_the_run_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table(Path("t.csv"))
    told = backlight("train", "t.csv", "--target", "kind", "--layers", "8", "--lr", "0.02", "--out", "run")
    assert told.code == 0
    assert "all 102 rows are learnt from, as long" in told.err
    assert "validation" not in told.out.partition("saved")[0].splitlines()[2]
    run = Run.open("run")
    assert run.settings.validation == 0
    assert len(run.dataset().rows["train"]) == 102
    assert backlight("explain", "run", "--example", "test:0", "--at", "3").code == 0
    assert backlight("evaluate", "run", "--json").json["examples"] == 18


def test_without_a_test_part_validation_stays(small: Settings) -> None:
    untested = replace(small, test=0.0)
    dataset = load_for(untested)
    assert scouted(untested.resolved(dataset), dataset, ()) is None
