# Every habit of the house. `make` alone lists them; each installs what it needs first.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory --no-builtin-rules

# Which Python makes the virtual environment: 3.11 or newer.
PYTHON ?= python3
VENV := .venv
# How many processes `make test` spreads the test files over; each has a Postgres and a Valkey of its own.
JOBS ?= 2
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 \
  $(BIN)/python -m pip --quiet install

# Bytecode is written once, here: where PYTHONDONTWRITEBYTECODE is set every process would compile all of it at its start.
COMPILE := $(BIN)/python -m compileall -q -j 0 outreach channels

# A stamp is named after what it stands for, so a changed lock or a moved checkout is never mistaken for an installed one.
RUN_KEY := $(shell cat requirements/run.txt pyproject.toml 2>/dev/null | cksum | tr ' ' '-')
DEV_KEY := $(shell cat requirements/dev.txt pyproject.toml 2>/dev/null | cksum | tr ' ' '-')
RUN_STAMP := $(VENV)/.installed-run-$(RUN_KEY)
DEV_STAMP := $(VENV)/.installed-dev-$(DEV_KEY)

##@ Use it
.PHONY: demo run sandbox bench
demo: venv-run ## Thirty days of reminders on this machine. KEEP=1 leaves it up to look around in
	@$(BIN)/outreach demo $(if $(KEEP),--keep) $(ARGS)

run: venv-run ## Web, workers and scheduler under the system clock. PORT=8080 SANDBOX=1 (a local carrier)
	@$(BIN)/outreach run $(if $(PORT),--port $(PORT)) $(if $(SANDBOX),--sandbox) $(ARGS)

sandbox: venv-run ## The carrier alone, to point an installation or a test-suite at. PORT=8010
	@$(BIN)/outreach sandbox $(if $(PORT),--http $(PORT)) $(ARGS)

bench: venv-run ## Measure delivery, scan, decide, trigger, answers, replies and the portal; results in var/bench.json
	@$(BIN)/outreach bench $(ARGS)

##@ Change it
.PHONY: test check format lock hooks clean
test: venv-dev ## Every test, on real servers. ARGS="-k reply -x" goes to pytest, JOBS=1 runs them one after another
	@$(BIN)/python -m tests.support.debian
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

check: venv-dev ## Lint, format, types, layers, configuration. Changes nothing
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "not formatted: run make format" >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/outreach check

format: venv-dev ## Bring the code into the house's format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: venv-dev ## Compile the locks anew, keeping pins that still fit. ARGS=--upgrade takes the newest
	@$(LOCK) --extra dev $(ARGS) --output-file requirements/dev.txt pyproject.toml requirements/also.in
	@$(LOCK) --constraint requirements/dev.txt $(ARGS) --output-file requirements/run.txt pyproject.toml requirements/also.in

hooks: venv-dev ## Check every commit before it is made
	@$(BIN)/pre-commit install

clean: ## Remove everything that was made here: the environment, var/ with its data, caches
	@rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Know it
.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: venv venv-run venv-dev
venv:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "outreach needs Python 3.11 or newer, and there is no '$(PYTHON)'. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "outreach needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@grep -qsF "$(CURDIR)/$(VENV)" $(VENV)/pyvenv.cfg && $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Making $(VENV) with $$($(PYTHON) -V)"; \
	  $(PYTHON) -m venv --clear $(VENV) || { echo "On Debian and Ubuntu, 'apt-get install python3-venv' brings what is missing." >&2; exit 1; }; }

venv-run: venv
	@test -e $(RUN_STAMP) || test -e $(DEV_STAMP) || { echo "Installing what the system runs on (locked, with hashes)"; \
	  $(PIP) --require-hashes -r requirements/run.txt && $(PIP) --no-deps --no-build-isolation -e . && \
	  rm -f $(VENV)/.installed-run-* && touch $(RUN_STAMP); }
	@$(COMPILE)

venv-dev: venv
	@test -e $(DEV_STAMP) || { echo "Installing what changing it needs (locked, with hashes)"; \
	  $(PIP) --require-hashes -r requirements/dev.txt && $(PIP) --no-deps --no-build-isolation -e . && \
	  rm -f $(VENV)/.installed-* && touch $(DEV_STAMP); }
	@$(COMPILE)
