# make start      a first search, from nothing: makes .venv, installs, breeds methods (ARGS="--evals 500" for more)
# make test       the quick tests (ARGS="tests/evolve/search" for some of them)
# make test-all   every test
PYTHON ?= python3
BIN := .venv/bin

.PHONY: start test test-all check clean

start: .venv/installed
	$(BIN)/python -m evolve start $(ARGS)

test: .venv/installed
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-all: .venv/all
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --all $(ARGS)

check: .venv/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

.venv/installed: requirements.txt constraints-cpu.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "evolve needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
	@echo "setting up .venv (once, one to two minutes)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true  # on every core; some libraries' tests do not compile
	@touch $@

.venv/all: .venv/installed
	@echo "adding the libraries that only some tests need (once, half a minute)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-cpu.txt -e '.[all-tests]'
	@touch $@

clean:
	rm -rf .venv
