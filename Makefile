# Two commands need nothing but Python >= 3.11 and make: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test lint verify bench site wheel notebooks gate schema clean

run: .venv/installed  ## Run the main job: a Raft cluster loses its leader.
	$(BIN)/electsim run scenarios/raft-leader-crash.yaml

test: .venv/tested  ## The fast tests.
	$(BIN)/pytest -n auto -m "not verify and not wheel and not notebooks"

lint: .venv/linted  ## Style, types, and who may import whom.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

verify: .venv/tested  ## The long suite: against published experiments, closed forms and 100 000 random trials.
	$(BIN)/pytest tests/verify -m verify -s

bench: .venv/benched  ## Speed, as ratios measured in one run.
	$(BIN)/python -m bench

site: .venv/sited  ## The documentation as a site, in build/site; a warning is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

wheel: .venv/tested  ## The package, built and installed into an empty environment.
	$(BIN)/pytest tests/docs/test_wheel.py -m wheel

notebooks: .venv/noted  ## Every notebook, with few trials (ELECTSIM_TRIALS, 30 unless given).
	$(BIN)/pytest tests/docs/test_notebooks.py -m notebooks

gate: .venv/installed  ## Whether elections take as long as was accepted (results/baselines).
	$(BIN)/electsim gate scenarios/ci/*.yaml

schema: .venv/installed  ## The JSON Schema that editors use, and the pages made from the code.
	$(BIN)/electsim schema > scenario.schema.json
	$(BIN)/electsim schema --markdown > docs/scenario-reference.md
	$(BIN)/electsim algorithms --markdown > docs/algorithms.md

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache

# Each stamp is newer than pyproject.toml once its requirements are installed.
.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "electsim needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade "pip>=25.1"
	$(PIP) install --editable .
	@touch $@

.venv/tested: .venv/installed
	$(PIP) install --group test
	@touch $@

.venv/linted: .venv/tested
	$(PIP) install --group lint
	@touch $@

.venv/noted: .venv/tested
	$(PIP) install --group notebooks
	@touch $@

.venv/sited: .venv/installed
	$(PIP) install --group site
	@touch $@

.venv/benched: .venv/installed
	$(PIP) install --group bench
	@touch $@
