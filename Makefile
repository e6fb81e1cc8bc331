# The manual of the template: `make` alone lists what there is.

TEMPLATE := {{cookiecutter.project_slug}}
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Faster than pip where it is there; `make UV= setup` does without it.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
# Bytecode is written where it is first used, which is less to wait for; unless Python must not.
LATER := $(if $(PYTHONDONTWRITEBYTECODE),,yes)
# The services under test are many small processes: more than the cores only makes them wait.
WORKERS ?= auto
# Named one by one, because a conditional file name does not end in .py.
PYTHON_FILES := find docs hooks tests $(wildcard benchmarks) '$(TEMPLATE)' -name __pycache__ -prune -o \
	-type f \( -name '*.py' -o -name '*.py{%*' \) -print0

# The site has an environment of its own, so that its tools hold back none of the tests'.
SITE := .cache/docs
# linkcheck asks every other host that the pages name.
BUILDER ?= html

# Which do more in `make matrix` than in `make test`.
MATRIX_FILES := tests/test_matrix.py tests/test_upgrades.py tests/test_growth.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fix contract pictures reference docs matrix bench pins clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup: $(INSTALLED) ## Create the environment and install the pinned tools

$(INSTALLED): requirements-dev.txt
	@supported='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if ! "$(BIN)/python" -c "$(if $(UV),,import pip; )$$supported" 2>/dev/null; then \
		for python in "$(PYTHON)" python3.13 python3.12 python3.11; do \
			if "$$python" -c "$$supported" 2>/dev/null; then break; fi; \
			python=; \
		done; \
		if [ -z "$$python" ]; then \
			echo "make: needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python" >&2; exit 1; \
		fi; \
		echo "Creating $(VENV) with $$("$$python" --version)"; \
		if [ -n "$(UV)" ]; then \
			uv venv --quiet --clear --python "$$(command -v "$$python")" "$(VENV)"; \
		elif "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
			"$$python" -m venv --clear "$(VENV)"; \
		else \
			echo "make: $$python lacks the venv module; install your system's package for it (python3-venv on Debian) or uv" >&2; exit 1; \
		fi; \
	fi
	@echo "Installing the template's tools (requirements-dev.txt) into $(VENV)"
	@if [ -n "$(UV)" ]; then \
		uv pip install --quiet $(if $(LATER),,--compile-bytecode) --python "$(BIN)/python" -r requirements-dev.txt; \
	else \
		"$(BIN)/python" -m pip install --quiet $(if $(LATER),--no-compile) --disable-pip-version-check -r requirements-dev.txt; \
	fi
	@touch "$@"

# The environment of an earlier demo is kept, so that only the first one has to install.
demo: setup ## Generate the default service under build/ and start it; Ctrl-C drains it
	@echo "Generating the default service into build/orders"
	@rm -rf build/new && mkdir -p build/new
	@"$(BIN)/cookiecutter" . --no-input --default-config --output-dir build/new >/dev/null
	@if [ -d build/orders/.venv ]; then mv build/orders/.venv build/new/orders/.venv; fi
	@rm -rf build/orders && mv build/new/orders build/orders && rmdir build/new
	@$(MAKE) --no-print-directory -C build/orders setup
	@service=http://127.0.0.1:$${APP_HTTP__PORT:-8000}; \
	printf '%s\n' '' \
		"  service     $$service" \
		"  docs        $$service/docs" \
		"  management  http://127.0.0.1:$${APP_MANAGEMENT__PORT:-9000}" '' \
		"  A first order, from another terminal:" '' \
		"  curl -i $$service/api/orders -H 'Content-Type: application/json' -d '"'{"customer_id": "cus_1", "currency": "EUR", "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}]}'"'" '' \
		"  Ctrl-C drains the service and stops it." ''
# Ctrl-C goes to the service, which drains; this shell waits for that and calls it no error.
	@trap stopped=yes INT; \
	APP_HTTP__DRAIN_DELAY=$${APP_HTTP__DRAIN_DELAY:-1} $(MAKE) --no-print-directory -C build/orders run; \
	code=$$?; [ -n "$$stopped" ] || exit $$code

test: setup ## Test the template, and with it the services that it writes
	@echo "Testing the template (the first run installs the services' environments and takes minutes)"
	@"$(BIN)/python" -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --durations 30 $(ARGS)

lint: setup ## Check the template's own files and, in place, the service's
	@echo "Checking style and format of the hooks, the tests and the template folder (ruff)"
	@$(PYTHON_FILES) | xargs -0 "$(BIN)/python" -m ruff check --config pyproject.toml
	@$(PYTHON_FILES) | xargs -0 "$(BIN)/python" -m ruff format --check --config pyproject.toml
	@echo "Checking types of the hooks and the tests (mypy --strict)"
	@"$(BIN)/python" -m mypy

fix: setup ## Repair style and format where that is safe
	@$(PYTHON_FILES) | xargs -0 "$(BIN)/python" -m ruff check --fix --exit-zero --quiet --config pyproject.toml
	@$(PYTHON_FILES) | xargs -0 "$(BIN)/python" -m ruff format --config pyproject.toml

contract: setup ## Generate the example's contract package anew, for each option
	@"$(BIN)/python" -m tests.contract_package

pictures: setup ## Draw the pictures of docs/explanation anew, from the code's numbers
	@"$(BIN)/python" -m tests.pictures

reference: setup ## Write the reference pages of docs/ anew from the code
	@"$(BIN)/python" -m tests.reference

docs: $(SITE)/.installed ## Build the site of docs/ into build/docs (BUILDER=linkcheck: links to others)
	@echo "Building docs/"
	@"$(SITE)/bin/python" -m sphinx --builder $(BUILDER) --fail-on-warning --keep-going --nitpicky --fresh-env \
		--quiet --doctree-dir $(SITE)/doctrees $(ARGS) docs build/$(if $(filter html,$(BUILDER)),docs,$(BUILDER))
	@echo "Wrote build/$(if $(filter html,$(BUILDER)),docs/index.html,$(BUILDER))"

$(SITE)/.installed: docs/requirements.txt $(INSTALLED)
	@echo "Installing the site's tools (docs/requirements.txt) into $(SITE)"
	@if [ -n "$(UV)" ]; then \
		uv venv --quiet --clear --python "$(BIN)/python" "$(SITE)" && \
		uv pip install --quiet --python "$(SITE)/bin/python" -r docs/requirements.txt; \
	else \
		"$(BIN)/python" -m venv --clear "$(SITE)" && \
		"$(SITE)/bin/python" -m pip install --quiet --disable-pip-version-check -r docs/requirements.txt; \
	fi
	@touch "$@"

matrix: setup ## Write, lint, start and test a service for each pair of answers (slow)
	@MATRIX=whole "$(BIN)/python" -m pytest $(MATRIX_FILES) -v -n $(WORKERS) --dist loadgroup --durations 10 $(ARGS)

bench: setup ## Measure the service beside its peers (ARGS="--quick sidebyside" is a part of it)
	@"$(BIN)/python" -m benchmarks $(ARGS)

pins: setup ## Resolve all pinned versions again (ARGS=--upgrade takes the newest)
	@PATH="$(abspath $(BIN)):$$PATH" "$(BIN)/python" -m tests.pins $(ARGS)

clean: ## Remove what these commands made
	@echo "Removing $(VENV), build, .cache and the tools' caches"
	@rm -rf "$(VENV)" build .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
