# Everything goes through uv, which the first target brings; a checkout needs python3 (3.11 or newer), pip and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV := .uv/bin/uv
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON_DOWNLOADS ?= never
export UV_NO_PROGRESS ?= 1

.PHONY: help serve test chaos lint format docs bench bench-migrate clean browser

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: .venv/.served ## Set up and run the server on http://127.0.0.1:8000 (ARGS="--port 9000" to change)
	@exec .venv/bin/carrel serve --data-dir .data $(ARGS)

test: .venv/.tested browser ## Set up and run every test (ARGS="tests/delivery -k resume" to choose)
	@$(RUN) pytest $(ARGS)

chaos: .venv/.tested ## Minutes of kill -9, full disks, locks and stalls under load
	@if [ ! -e /usr/bin/faketime ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get install -y -qq --no-install-recommends faketime >/dev/null 2>&1 || true; fi
	@$(RUN) pytest tests/chaos -m chaos -p no:randomly -v $(ARGS)

lint: .venv/.tested ## Check format, style, types and import layers
	@$(RUN) ruff format --check --quiet .
	@$(RUN) ruff check --quiet .
	@$(RUN) mypy
	@$(RUN) lint-imports --no-logo

format: .venv/.tested ## Format and mend what can be mended
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

docs: .venv/.tested ## Build the documentation into site/
	@$(UV) run --frozen --group docs zensical build --clean --strict

bench: .venv/.tested ## Measure carrel beside floors and peers, in one run (ARGS="--quick" for less)
	@$(RUN) python -m benchmarks $(ARGS)

bench-migrate: .venv/.tested ## Measure migrate beside other tools on TREE, a git repository (ARGS="--recipe FILE")
	@test -n "$(TREE)" || { echo "give the code base: make bench-migrate TREE=directory" >&2; exit 1; }
	@$(RUN) python -m benchmarks.migrate "$(TREE)" $(ARGS)

clean: ## Remove everything that was made here, and keep .data
	@rm -rf .venv .uv dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "carrel needs python3 3.11 or newer; this is $$(python3 --version)" >&2; exit 1; }
	@echo "fetching uv into .uv (once)"
	@python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
		--target .uv 'uv>=0.11,<0.14'

.venv/.served: uv.lock pyproject.toml | $(UV)
	@echo "installing carrel into .venv (once)"
	@$(UV) sync --frozen --inexact --no-default-groups --extra pydantic-ai --quiet
	@touch $@

.venv/.tested: uv.lock pyproject.toml | $(UV)
	@$(UV) sync --frozen --inexact --all-extras --quiet
	@touch $@ .venv/.served

# The page is tested in Debian's Chromium. Without it those tests are skipped, each with a line that says so.
browser: | $(UV)
	@if [ -x /usr/bin/chromium ] || command -v chromium google-chrome >/dev/null; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium for the page's tests (once)"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
			|| echo "SKIPPING the page's tests: chromium could not be installed; try: apt-get install chromium" >&2; \
	else echo "SKIPPING the page's tests: no chromium here; to run them: sudo apt-get install chromium" >&2; fi
