# make demo: the whole service once, on this machine. make test: everything the tests can check.
# Needs Python 3.11 or newer; uses uv where it is present, else venv and pip.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCK := .ci/requirements.txt
SERVED := docs/deploy/requirements.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak soak-cluster lock clean

help:
	@echo "make demo   run the whole service once on this machine, six readers, real mails"
	@echo "make test   set everything up, check style and types, run every test"
	@echo "make check  style and types alone"
	@echo "make bench  measure quality and speed beside peers"
	@echo "make soak   kill the service at every named point while 10,000 mails go out"
	@echo "make soak-cluster   kill, pause and cut off workers on two hosts meanwhile (as root)"
	@echo "make lock   choose the newest dependencies and pin them with their hashes"

demo: $(INSTALLED)
	@$(BIN)/digest demo

# A process for each core. A file's tests stay together, as they share servers; files are begun in
# their order, so that the long ones of tests/e2e are not the last.
test: check
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(INSTALLED)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

bench: $(INSTALLED)
	@for file in tests/benchmarks/bench_*.py; do \
		echo "== $$file"; \
		$(BIN)/python -m tests.benchmarks.$$(basename $$file .py) || exit 1; \
	done

$(INSTALLED): pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with make PYTHON=python3.12")'
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV) && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCK) && \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

soak: $(INSTALLED)
	@$(BIN)/python -m tests.soak.soak

soak-cluster: $(INSTALLED)
	@$(BIN)/python -m tests.soak.cluster

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-annotate --group dev --group bench pyproject.toml -o $(LOCK)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-annotate --extra postgres --group build -c $(LOCK) pyproject.toml -o $(SERVED)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-mails
