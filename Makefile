# Porchlight. Only python3 (3.11 or newer), pip and make are assumed; everything else is set up here.
PORT ?= 8000
PYTHON ?= python3
BIN = .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test test-long check bench bench-million bench-peers format screenshots lock image

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/run ## the demo, at http://127.0.0.1:8000 (PORT= moves it)
	@$(BIN)/porchlight demo --port $(PORT)

test: .venv/dev .venv/browser ## every test but the slow ones, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -q -n 2 -m "not long"

test-long: .venv/dev .venv/browser ## the slow ones: the browser matrix, every kill point and race
	@$(BIN)/python -m pytest -q -n 2 -m long

check: .venv/dev .venv/browser ## what CI runs: format, lint, types, contracts, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@! grep -nE 'https?://|file://' .ci/locks/*.txt
	@$(MAKE) --no-print-directory test

bench: .venv/dev ## ratios against a stated reference, one JSON line a benchmark
	@$(BIN)/python -m bench

bench-million: .venv/dev ## the large forms: a million orders, five million rows (an hour, 20 GB)
	@$(BIN)/python -m bench --million

bench-peers: .venv/peers .venv/karrio ## against other rule engines and karrio, on the same work
	@$(BIN)/python -m bench.peers

format: .venv/dev ## put the code in order
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

screenshots: .venv/dev .venv/browser ## the pictures of the README, from the running demo
	@$(BIN)/python -m bench.screenshots

lock: .venv/dev ## write the locks anew from pyproject.toml
	@.ci/lock

image: ## the container image
	docker build -t porchlight .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Porchlight needs Python 3.11 or newer: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || \
	  { rm -rf .venv; $(PYTHON) -m pip install -q --target .tools uv && .tools/bin/uv venv -q --seed --python $(PYTHON) .venv; }

.venv/run: .venv/bin/python .ci/locks/run.txt .ci/locks/build.txt pyproject.toml
	@echo "Installing what Porchlight needs (once, about a minute) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .ci/locks/run.txt -r .ci/locks/build.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run .ci/locks/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .ci/locks/dev.txt
	@touch $@

.venv/peers: .venv/dev .ci/locks/peers.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .ci/locks/peers.txt
	@touch $@

.venv/karrio: .venv/dev .ci/locks/karrio.txt
	@$(BIN)/python -m venv --without-pip $@
	@$(BIN)/python -m pip --python $@/bin/python install -q --disable-pip-version-check --require-hashes -r .ci/locks/karrio.txt
	@touch $@

.venv/browser: .ci/browser
	@.ci/browser && touch $@
