# Everything lives in .venv, which each target makes and fills as far as it needs.
# ARGS goes on to the program: make demo ARGS="--steps 50", make test ARGS="-k while".
PYTHON ?= python3
BIN := .venv/bin
TREE := .venv/tree
FLOORS := graph runtime autograph tracer
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test bench docs lint style types floors format clean

help:
	@echo 'make demo | test | bench | docs | lint | format | clean'

demo: .venv/.demo
	$(BIN)/treadle demo $(ARGS)

test: .venv/.test
	$(BIN)/python -m pytest -q -n 2 $(ARGS)

bench: .venv/.test
	$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/.docs $(TREE)
	cd $(TREE) && $(CURDIR)/$(BIN)/python -m pdoc --output-directory $(CURDIR)/build/docs treadle

lint: style types floors

style: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.dev $(TREE)
	cd $(TREE) && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p treadle

floors: .venv/.dev $(TREE)
	cd $(TREE) && $(CURDIR)/$(BIN)/lint-imports --no-logo --config $(CURDIR)/pyproject.toml

format: .venv/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf .hypothesis .venv-wheel $(TREE)
	find . -name __pycache__ -not -path './.venv/*' -exec rm -rf {} +

# Tools that read files, not imports, see the package as one tree of links.
.PHONY: $(TREE)
$(TREE):
	@rm -rf $@/treadle && mkdir -p $@/treadle
	@ln -s $(CURDIR)/treadle/* $(addprefix $(CURDIR)/,$(FLOORS)) $@/treadle/

# One stamp for each extra, renewed when pyproject.toml changes.
.venv/.%: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv
