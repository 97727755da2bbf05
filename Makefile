# Needs Python 3.11 or newer and a package index; uses uv when it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: run test check format bench lock clean

run: $(VENV)/run.stamp  ## everything here, with a Test IT to play with, and a short story through it
	@exec env SYNCSVC_DATA_DIR=$${SYNCSVC_DATA_DIR:-$(CURDIR)/.state} $(BIN)/syncsvc up --sandbox --story

test: $(VENV)/dev.stamp  ## all tests
	$(BIN)/pytest -m alone
	$(BIN)/pytest -m 'not alone' --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/dev.stamp  ## what CI checks beside the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/dev.stamp  ## the figures of docs/explanation/speed.md
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.coordination
	$(BIN)/python -m benchmarks.pushes
	$(BIN)/python -m benchmarks.catalogue
	$(BIN)/python -m benchmarks.loadtests

lock:  ## needs uv: the versions that everybody installs
	uv lock
	uv export --quiet --frozen --no-emit-project --no-hashes --extra dev --output-file requirements.lock

$(VENV)/run.stamp: pyproject.toml requirements.lock
	$(call install,.)
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements.lock
	$(call install,.[dev])
	@touch $@ $(VENV)/run.stamp

ifdef UV
define install
	@test -d $(VENV) || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint requirements.lock --editable '$(1)'
endef
else
define install
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '$(1)'
endef
endif

clean:
	rm -rf $(VENV) .venvs .state .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
