# A fresh machine needs python3.11 (or newer: PYTHON=python3.12) and make, nothing else.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# The torch build: PyPI's for Linux pulls gigabytes of CUDA, so an ordinary machine gets the CPU one from here.
# TORCH_INDEX=https://pypi.org/simple takes PyPI's.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check
# What `make bench` runs; empty is everything.
BENCH ?=

.PHONY: help install demo test slow nightly lint bench clean
help:
	@echo "make demo   install and run the main job: solve, train, compare, export"
	@echo "make test   install for development and run the tests"
	@echo "make slow   tests of minutes (make nightly: of hours)"
	@echo "make lint   style and types"
	@echo "make bench  the benchmarks of record (BENCH='--only NAME' for one)"

install: $(VENV)/installed
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --retries 1 --extra-index-url $(TORCH_INDEX) --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/developing: $(VENV)/installed
	$(PIP) install --quiet --constraint constraints.txt --editable .[dev]
	@touch $@

demo: $(VENV)/installed
	@PATH="$(BIN):$$PATH" sh examples/demo.sh

test: $(VENV)/developing
	$(BIN)/python -m pytest -n auto

slow nightly: $(VENV)/developing
	$(BIN)/python -m pytest -n auto -m $@

lint: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/developing
	$(BIN)/python -m skybound.evaluation.benchmark $(BENCH)

clean:
	rm -rf $(VENV) out
