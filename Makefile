# Everything there is to do here. Each target makes the environment it needs in .venv first; that takes
# Python 3.11 or later, make and a package index, and nothing else.

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTEST_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint format bench docs plugin samples train clean

# Three claims about one jam, checked on the sample tiles; ends with the findings and where the report lies.
demo: $(VENV)/has-core
	$(BIN)/jamline check seeds/jobs/lars-2022.toml -o out/lars --overwrite

test: $(VENV)/has-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/has-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/has-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Speed as ratios of one run. What the survey is held against is AGPL and has an environment of its own, .venv-bench. The
# studies beside it take minutes to hours: docs/accuracy.md and docs/batch.md have their commands.
bench: $(VENV)/has-core $(VENV)-bench/has-peers
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/scale/bench.py --peers $(VENV)-bench/bin/python --plot build/bench/performance.png

docs: $(VENV)/has-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# The QGIS plugin as a zip in dist/, to be installed from QGIS's plugin manager.
plugin: $(VENV)/pyvenv.cfg
	$(BIN)/python packaging/qgis_plugin.py

# The sample tiles are simulated: equal scene files give equal pixels.
samples: $(VENV)/has-core
	$(BIN)/jamline synth seeds/scenes/lars.toml sample_tiles/lars --overwrite
	$(BIN)/jamline synth seeds/scenes/lars-short.toml sample_tiles/short --overwrite

# Both networks again, from simulated scenes and, for the detector, three of the real frames; some two hours on two
# cores.
train: $(VENV)/has-train
	$(BIN)/python -m training centreline
	$(BIN)/python -m training detector --real $${JAMLINE_REAL:-../shared/real}

clean:
	rm -rf $(VENV) out docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)-bench/has-peers: benchmarks/requirements-peers.txt
	test -e $(VENV)-bench/pyvenv.cfg || $(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/has-core: pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP) -e .
	touch $@

$(VENV)/has-test $(VENV)/has-docs $(VENV)/has-train: $(VENV)/has-%: pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP) -e '.[$*]'
	touch $@
