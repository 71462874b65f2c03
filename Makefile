# Everything a newcomer or a contributor needs; 'make' alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-all oracle check bench docs clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.package ## train on handwritten digits, evaluate, predict one image: under a minute
	@$(BIN)/backlight demo

test: $(VENV)/.check ## run the tests (environment included)
	$(BIN)/python -m pytest -m "not slow and not oracle"

test-all: $(VENV)/.check ## run the tests, the slow ones as well
	$(BIN)/python -m pytest -m "not oracle"

oracle: .oracle-venv/.installed ## compare with PyTorch, in an environment of its own
	.oracle-venv/bin/python -m pytest -m oracle

check: $(VENV)/.check ## style, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.package ## measure what the documentation claims about speed
	$(BIN)/python -m backlight.bench

docs: $(VENV)/.docs ## build the pages of the programming interface into build/docs
	$(BIN)/pdoc --docformat google --output-directory build/docs backlight \
	  $(addprefix backlight.,arrays randomness storage network data engine training files)
	@echo "open build/docs/index.html; the pages in docs/ need no building"

clean: ## remove environments, caches and builds; runs stay
	rm -rf .venv .oracle-venv .bench-venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12")'
	@echo "making the environment $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.package: pyproject.toml | $(VENV)/bin/python
	@echo "installing Backlight and what it needs (once)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.check: pyproject.toml | $(VENV)/bin/python
	@echo "installing Backlight and what its tests and checks need (once)"
	@$(PIP) --editable '.[check]'
	@touch $(VENV)/.package $@

$(VENV)/.docs: $(VENV)/.package
	@$(PIP) --editable '.[docs]'
	@touch $@

.oracle-venv/.installed: pyproject.toml
	@$(PYTHON) -m venv .oracle-venv
	@.oracle-venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 --editable '.[test]'
	@touch $@
