"""The house rules that no linter knows."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import backlight

SOURCE = Path(backlight.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

# What `import backlight` may bring in besides the standard library.
ALLOWED = {"backlight"}
# What the first use of a network or a trainer may bring in besides that, engine by engine.
ALLOWED_IN_USE = {"native": {"backlight", "numpy"}, "reference": {"backlight", "numpy", "threadpoolctl"}}


def _imported(code: str) -> set[str]:
    """The top-level packages outside the standard library that a fresh interpreter has after running `code`."""
    script = f"import sys; before = set(sys.modules)\n{code}\nimport json; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in json.loads(answer.stdout.splitlines()[-1])}
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    started = {name.partition(".")[0] for name in json.loads(bare.stdout)}
    return {name for name in names - started if name not in sys.stdlib_module_names and not name.startswith("__")}


def test_import_brings_in_only_what_is_allowed() -> None:
    assert _imported("import backlight") <= ALLOWED


@pytest.mark.parametrize("engine", ALLOWED_IN_USE)
def test_use_brings_in_only_what_is_allowed(engine: str) -> None:
    code = f"""
import numpy as np
from backlight import Network, Trainer
trainer = Trainer(Network.mlp(2, 3, 2, seed=0), epochs=1, engine={engine!r})
for record in trainer.run(np.eye(2, dtype=np.float32), np.array([0, 1])): pass
"""
    assert _imported(code) == ALLOWED_IN_USE[engine]


@pytest.mark.parametrize("name", [name for name in backlight.__all__ if name != "__version__"])
def test_public_names_are_documented(name: str) -> None:
    assert (getattr(backlight, name).__doc__ or "").strip()


def test_no_package_shares_its_name_with_a_public_function() -> None:
    packages = {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert not packages & set(backlight.__all__)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Netwrok'"):
        backlight.Netwrok  # noqa: B018


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= 60, node.name


def test_every_module_imports() -> None:
    for path in MODULES:
        if path.name != "__main__.py":
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            importlib.import_module(".".join(part for part in parts if part != "__init__"))
