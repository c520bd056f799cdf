# Tradewind: everything a person types. Needs only python3 (3.11 or newer) with venv and pip; root is not needed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
WHEELS := $(VENV)/share/tradewind/wheels
# uv brings certificates of its own; where the system has some, they are what pip, curl and a company's proxy go by.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS ?= true
endif

.PHONY: help venv dev demo stop test check format lock clean chaos versions

help:
	@echo "make demo   service up, an environment created, a real pipeline run"
	@echo "make stop   stop what make demo started"
	@echo "make test   every test that CI runs"
	@echo "make check  format, lint, types, import contracts, dependencies"
	@echo "make chaos  the service killed after every step of everything, and what it stands on at drawn moments"
	@echo "make versions   an environment through all versions of Airflow, up and down"
	@echo "make venv   only install"

$(VENV)/.uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit("Tradewind needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.uv requirements/tradewind.txt pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/tradewind.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.wheel: $(VENV)/.installed $(shell find airflow -name '*.py' -o -name '*.pth' -o -name pyproject.toml)
	@rm -rf $(WHEELS) && mkdir -p $(WHEELS)
	SOURCE_DATE_EPOCH=315532800 $(UV) build --quiet --wheel --no-build-isolation --offline --python $(BIN)/python --out-dir $(WHEELS) airflow
	@touch $@

# Where Python may not keep what it compiled (PYTHONDONTWRITEBYTECODE, a folder of root's), each command would compile
# all that it imports anew.
$(VENV)/.compiled: $(VENV)/.installed $(shell find src -name '*.py')
	@$(BIN)/python -m compileall -q src
	@touch $@

venv: $(VENV)/.installed $(VENV)/.compiled $(VENV)/.wheel

$(VENV)/.dev: $(VENV)/.installed requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

dev: venv $(VENV)/.dev

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy examples/weather/demo.py
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: dev
	$(BIN)/python -m pytest $(TESTS)

chaos: dev
	TRADEWIND_CHAOS=all $(BIN)/python -m pytest tests/scenario/test_crashes.py

versions: dev
	TRADEWIND_VERSIONS=all $(BIN)/python -m pytest tests/scenario/test_versions.py tests/airflow/test_versions.py

demo: venv
	$(BIN)/python examples/weather/demo.py

stop:
	$(BIN)/tradewind down

lock:
	for f in bootstrap tradewind dev awscli; do \
	  $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 requirements/$$f.in -o requirements/$$f.txt || exit 1; done
	for f in src/tradewind/recipe/data/locks/*.in; do \
	  day=$$(sed -n 's/^# exclude-newer: //p' $$f); \
	  $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $${day:+--exclude-newer $$day} $$f -o $${f%.in}.txt || exit 1; done

clean:
	rm -rf $(VENV)
