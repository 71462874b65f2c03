"""A table whose causes are known: three of twenty columns, two of them with missing cells; the others say nothing."""

from pathlib import Path
from typing import Final

import numpy as np

from tests.cli.terminal import backlight

CAUSES: Final = {"dose", "site", "age"}
_COUNT: Final = 1200


def write_known_causes(path: Path) -> None:
    """Write `path`: `size` and `group` follow from dose (a number), site (a category) and age; `shadow` goes with age.

    size = 2 dose (1 where it is missing) + 2 for site north, −2 for south, 0 for east, 1 where it is missing + 1.5 age²
    """
    draw = np.random.default_rng(5)
    dose, age = draw.normal(size=(2, _COUNT))
    site = draw.choice(["north", "south", "east", ""], _COUNT, p=[0.3, 0.3, 0.25, 0.15])
    no_dose = draw.random(_COUNT) < 0.15
    pull = {"north": 2.0, "south": -2.0, "east": 0.0, "": 1.0}
    size = np.where(no_dose, 1.0, 2 * dose) + np.array([pull[name] for name in site]) + 1.5 * age**2
    size += 0.2 * draw.normal(size=_COUNT)
    columns = {
        **{f"noise {k}": [f"{value:.4f}" for value in draw.normal(size=_COUNT)] for k in range(8)},
        "dose": ["" if gone else f"{value:.4f}" for value, gone in zip(dose, no_dose, strict=True)],
        **{f"colour {k}": draw.choice(["red", "blue"], _COUNT).tolist() for k in range(2)},
        "site": site.tolist(),
        "shadow": [f"{value:.4f}" for value in 0.8 * age + 0.6 * draw.normal(size=_COUNT)],
        "age": [f"{40 + 10 * value:.3f}" for value in age],
        **{f"chance {k}": [f"{value:.4f}" for value in draw.random(_COUNT)] for k in range(6)},
        "size": [f"{100 + 20 * value:.4f}" for value in size],
        "group": ["large" if value > 1.5 else "small" for value in size],
    }
    lines = [",".join(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def train_known_causes(folder: Path, target: str, other: str) -> Path:
    """The run of `backlight train` at its defaults on that table, without the other target."""
    table, run = folder / f"{target}.csv", folder / target
    write_known_causes(table)
    rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    kept = [k for k, name in enumerate(rows[0]) if name != other]
    table.write_text("\n".join(",".join(row[k] for k in kept) for row in rows) + "\n", encoding="utf-8")
    result = backlight("train", table, "--target", target, "--out", run)
    assert result.code == 0, result.err
    return run
