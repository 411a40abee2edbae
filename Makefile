# Everything runs from .venv, which the first target that needs it creates. `make help` lists the targets.

# The first Python >= 3.11 that runs; a launcher of that name need not have the version behind it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo test slow gpu lint format generate check-generated goldens gallery site clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:[^#]*## */:/' | awk -F: '{printf "  %-16s %s\n", $$1, $$2}'

setup: $(INSTALLED)  ## create .venv with the pinned versions

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(INSTALLED)  ## generate P3 and its test, run the test, fit sin and draw the fit
	$(BIN)/symop generate "0.5*(5*x**3-3*x)" --name legendre_p3 --out demo --tests demo
	$(PYTEST) -q demo
	$(BIN)/python examples/s1_legendre.py --out demo
	@echo
	@echo "The operator:    $(CURDIR)/demo/legendre_p3.py"
	@echo "Its test:        $(CURDIR)/demo/test_legendre_p3.py"
	@echo "The fit of sin:  $(CURDIR)/demo/s1_legendre.png"

test: $(INSTALLED)  ## run the tests
	$(PYTEST) -q -n auto --dist worksteal

slow: $(INSTALLED)  ## run the tests that take longer
	$(PYTEST) -q -n auto -m slow

gpu: $(INSTALLED)  ## on a machine with a GPU: test the kernels on it, measure them, write docs/gpu.md
	$(BIN)/python -m benchmarks.gpu

lint: $(INSTALLED)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict symop benchmarks

format: $(INSTALLED)  ## let ruff put the sources in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(INSTALLED)  ## write examples/generated anew
	$(BIN)/python examples/generate.py

check-generated: $(INSTALLED)  ## examples/generated is what symop writes, and its tests pass
	$(BIN)/python examples/generate.py --check
	$(PYTEST) -q examples/generated

goldens: $(INSTALLED)  ## record tests/golden anew
	$(BIN)/python -m tests.goldens

gallery: $(INSTALLED)  ## write docs/gallery anew
	$(BIN)/python -m benchmarks.gallery

$(VENV)/.documented: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

site: $(VENV)/.documented  ## build the documentation into build/site, without warnings
	SYMOP_BACKEND=torch $(BIN)/python -m sphinx -q -W --keep-going -b html docs build/site

clean:  ## remove what the targets made, .venv included
	rm -rf $(VENV) demo build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
