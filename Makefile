# Two commands do everything on a fresh machine: `make demo` and `make test`. `make test-all` adds the slow tests.
PYTHON ?= python3
VENV ?= .venv
OUTPUT ?= demo
BIN := $(VENV)/bin

.PHONY: demo test test-all lint setup tools clean

demo: $(VENV)/.ready
	$(BIN)/cmkt demo --output $(OUTPUT)

test: $(VENV)/.ready lint
	$(BIN)/python -m pytest -n 2

test-all: $(VENV)/.ready lint
	$(BIN)/python -m pytest -n 2 -m "slow or not slow"

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt packages/cmkt-mandarin-lm/pyproject.toml | tools
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet packages/cmkt-mandarin-lm
	touch $@

# What pip cannot bring: Python 3.11 with its venv module and headers, and a C compiler, which `pesq` is built with.
tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer must be installed, but '$(PYTHON)' is older or missing. Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module must be installed, but is not. Debian, Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || { \
	  echo "Python's C headers must be installed, but are not. Debian, Ubuntu: sudo apt install python3-dev"; exit 1; }
	@command -v cc >/dev/null || command -v gcc >/dev/null || { \
	  echo "A C compiler must be installed (for pesq), but none is found. Debian, Ubuntu: sudo apt install gcc; macOS: xcode-select --install"; exit 1; }

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
