# Every target says what it does: `make help` lists them.
SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= 2
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup run test check lint bench fuzz chaos octoprint system-test-parts messages compile vendor frontend-check lock screenshots clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 22

setup: .venv/.ready ## Put everything that runs into .venv (Python packages from the lock file)
	@sh scripts/slicer.sh || true
	@sh scripts/printing-press.sh || true

.venv/.ready: requirements/run.txt requirements/bootstrap.txt pyproject.toml fablab/web/translations/fr/LC_MESSAGES/messages.po
	@sh scripts/python-environment.sh requirements/run.txt
	@touch $@

.venv/.ready-dev: .venv/.ready requirements/dev.txt
	@sh scripts/python-environment.sh requirements/dev.txt
	@touch $@

run: setup ## Run the demo place: web, workers, ticker, broker, simulated printers (Ctrl-C stops all of it)
	@exec $(BIN)/fablab up --demo $(ARGS)

system-test-parts:
	@sh scripts/test-parts.sh

octoprint: .octoprint/.ready ## Install OctoPrint (with its virtual printer) into an environment of its own

.octoprint/.ready: requirements/octoprint.txt requirements/bootstrap.txt
	@sh scripts/octoprint-environment.sh
	@touch $@

test: .venv/.ready .venv/.ready-dev system-test-parts .octoprint/.ready ## Install every part the tests need, and run all of them
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: lint ## The quick half: linters, types, contracts and the unit tests
	@$(BIN)/python -m pytest tests/unit tests/architecture -q

lint: .venv/.ready-dev ## Linters, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.ready-dev ## Benchmarks: tables on the screen, one JSON object each in build/bench/
	@mkdir -p build/bench
	@$(BIN)/python benchmarks/estimate.py
	@PYTHONPATH=. $(BIN)/python benchmarks/fleet.py
	@PYTHONPATH=. $(BIN)/python benchmarks/billing.py

fuzz: .venv/.ready-dev ## Throw damaged 3D files at the measuring child for SECONDS (300); fails on anything but an answer
	@PYTHONPATH=. $(BIN)/python scripts/fuzz.py $(or $(SECONDS),300) $(SEED)

chaos: .venv/.ready .venv/.ready-dev .octoprint/.ready ## Kill, freeze and cut everything while orders come in; fails on a broken promise (ARGS="--seed 2 --faults 80")
	@PYTHONPATH=. $(BIN)/python scripts/chaos.py $(ARGS)

messages: .venv/.ready-dev ## Collect the sentences for translation and update the French catalogue
	@sh scripts/messages.sh

compile: ## Compile the translations
	@$(BIN)/pybabel -q compile -d fablab/web/translations

vendor: ## Bundle the browser's libraries again from frontend/package-lock.json
	@cd frontend && npm ci --silent && npm run -s vendor

lock: .venv/.ready ## Resolve the dependencies again and write the lock files with hashes
	@sh scripts/lock.sh

screenshots: .venv/.ready-dev ## Take the pictures of the README from a running demo
	@PYTHONPATH=. $(BIN)/python scripts/screenshots.py

frontend-check: ## Linters of the browser modules, hashes of the vendored files (needs npm)
	@cd frontend && npm ci --silent && npm run -s check

clean: ## Remove the environments and what was built
	@rm -rf .venv .octoprint build
