# make run: the panel in sandbox mode on 127.0.0.1:8000. make test: everything a change must pass.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# uv installs the locked packages several times faster than pip does; compiled, each start takes half the time.
SYNC := $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --no-deps --python $(BIN)/python

PEERS := .venv-peers

.PHONY: run test bench check lock clean

run: $(VENV)/.run
	$(BIN)/python app.py serve --sandbox

# COVERAGE=1 runs the fault matrices too, and measures: 100 % of branches in webapp/dns and the services, 95 % over all.
test: check
ifdef COVERAGE
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 2 $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under=95
	$(BIN)/coverage report --include='webapp/dns/*,webapp/*/service.py' --skip-covered --fail-under=100
else
	$(BIN)/python -m pytest -n 3 -m "not matrix" $(PYTEST)
endif

# What it costs, as tables, beside other tools; BENCH="--sizes 100 --latencies 0" for small ones, BENCH=--write to
# write them down in benchmarks/README.md.
bench: $(VENV)/.dev $(PEERS)/.done
	$(BIN)/python -m benchmarks --peers $(PEERS)/bin/python $(BENCH)

$(PEERS)/.done: benchmarks/requirements-peers.lock | $(BIN)/uv
	$(PYTHON) -m venv $(PEERS)
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --no-deps --python $(PEERS)/bin/python -r $<
	@touch $@

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r requirements-uv.lock

$(VENV)/.run: requirements.lock | $(BIN)/uv
	$(SYNC) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements.lock requirements-dev.lock | $(BIN)/uv
	$(SYNC) -r requirements-dev.lock
	@touch $(VENV)/.run $@

# Needs uv. The lock files hold versions and hashes only.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url pyproject.toml --group dev -o requirements-dev.lock
	printf '%s\n' octodns octodns-cloudflare dns-lexicon cloudflare | uv pip compile --quiet --universal \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url - \
	  -o benchmarks/requirements-peers.lock
	echo uv | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url - -o requirements-uv.lock

clean:
	rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
