# Two commands need nothing but Python >= 3.11 and make: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
FAST := "not verify and not wheel and not notebooks"
SCHEMA := $(BIN)/check-jsonschema --quiet --builtin-schema
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run help test lint verify lowest coverage mutants bench site wheel notebooks gate schema lock clean

run: .venv/installed  ## Run the main job: a Raft cluster loses its leader.
	$(BIN)/electsim run scenarios/raft-leader-crash.yaml

help:  ## This list.
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "make PYTHON=python3.13 …   with another Python, in a clean tree"
	@echo "make LOCK= …               the newest dependencies that pyproject.toml allows, in a clean tree"

test: .venv/tested  ## The fast tests; at the end, how long they took, and the slowest ones.
	$(BIN)/pytest -n auto -m $(FAST) --durations 10 --durations-min 5

coverage: .venv/covered  ## Which lines and branches the fast tests reach; build/coverage/index.html shows them.
	@rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n auto -m $(FAST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory build/coverage
	$(BIN)/coverage report

mutants: .venv/mutated  ## How many of 400 random changes the tests notice; hours. A run that was ended goes on where it was.
	@if [ ! -e build/mutants/contexts ]; then mkdir -p build/mutants; \
	  export COVERAGE_FILE=$(CURDIR)/build/mutants/contexts ELECTSIM_TEST_SECONDS=10; \
	  $(BIN)/coverage run -m pytest -n auto -m $(FAST) -p studies.mutants.contexts -q --tb=no; \
	  $(BIN)/coverage combine --quiet; fi
	$(BIN)/python -m studies.mutants --contexts build/mutants/contexts

lint: .venv/linted  ## Style, types, and who may import whom.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml simulator/gate/workflows/github.yml
	$(SCHEMA) vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml
	$(SCHEMA) vendor.gitlab-ci --data-transform gitlab-ci simulator/gate/workflows/gitlab.yml
	$(SCHEMA) vendor.citation-file-format CITATION.cff

verify: .venv/tested  ## The long suite: published experiments, closed forms, 100 000 random trials and the safety net.
	$(BIN)/pytest -m verify -s

# Test tools are as new as elsewhere: their bounds bind nobody. Algorithms import the standard library alone.
lowest: .venv/uv  ## The tests of all that uses libraries, with the oldest ones that pyproject.toml allows.
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/lowest
	$(BIN)/uv pip install --quiet --python build/lowest --resolution lowest-direct --no-build --editable .
	$(BIN)/uv pip install --quiet --python build/lowest --no-build --group test
	build/lowest/bin/pytest -n auto -m $(FAST) -W default::DeprecationWarning tests/analysis tests/cli tests/cluster \
	  tests/docs tests/experiment tests/gate tests/golden tests/metrics tests/report tests/scenario tests/test_*.py

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
	$(BIN)/electsim schema --study > study.schema.json
	$(BIN)/electsim schema --markdown > docs/scenario-reference.md
	$(BIN)/electsim algorithms --markdown > docs/algorithms.md
	$(BIN)/python -m simulator.report.pages.metrics docs/metrics.md

clean:  ## Remove the environment and all that was built.
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache

lock: .venv/uv  ## Renew requirements/: the newest versions that pyproject.toml allows, for all platforms, with hashes.
	@mkdir -p build requirements
	$(COMPILE) --upgrade $(LOCKED:%=--group %) pyproject.toml --output-file build/locked.txt
	$(COMPILE) --constraints build/locked.txt --group build pyproject.toml --output-file requirements/run.txt
	@for group in $(filter-out build,$(LOCKED)); do \
	  $(COMPILE) --constraints build/locked.txt --group $$group --output-file requirements/$$group.txt || exit; done

LOCKED := build test coverage mutants lint notebooks site bench uv
# No annotations: a lock file says what is installed. No address of an index: that is everybody's own setting.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --custom-compile-command "make lock"

# What is installed is what requirements/ locks, checked by its hash, or with `make LOCK=` (in a clean tree) what
# pyproject.toml allows. $(call install,GROUP) installs a dependency group.
LOCK ?= requirements
ifneq ($(LOCK),)
install = $(PIP) install --require-hashes --requirement $(LOCK)/$(1).txt
install_project = $(call install,run) && $(PIP) install --no-deps --no-build-isolation --editable .
else
install = $(PIP) install --group $(1)
install_project = $(PIP) install --upgrade "pip>=25.1" && $(PIP) install --editable .
endif

# Each stamp is newer than pyproject.toml and the lock once its requirements are installed.
.venv/installed: pyproject.toml $(wildcard $(LOCK)/run.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "electsim needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv .venv
	$(install_project)
	@touch $@

.venv/tested: .venv/installed $(wildcard $(LOCK)/test.txt)
	$(call install,test)
	@touch $@

.venv/covered: .venv/tested $(wildcard $(LOCK)/coverage.txt)
	$(call install,coverage)
	@touch $@

.venv/mutated: .venv/covered $(wildcard $(LOCK)/mutants.txt)
	$(call install,mutants)
	@touch $@

.venv/linted: .venv/tested $(wildcard $(LOCK)/lint.txt)
	$(call install,lint)
	@touch $@

.venv/noted: .venv/tested $(wildcard $(LOCK)/notebooks.txt)
	$(call install,notebooks)
	@touch $@

.venv/sited: .venv/installed $(wildcard $(LOCK)/site.txt)
	$(call install,site)
	@touch $@

.venv/benched: .venv/installed $(wildcard $(LOCK)/bench.txt)
	$(call install,bench)
	@touch $@

.venv/uv: .venv/installed $(wildcard $(LOCK)/uv.txt)
	$(call install,uv)
	@touch $@
