# Every target sets itself up: its own virtual environment with locked packages, its own model cache.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TYMPAN_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache

.PHONY: demo test serve bench lint docs lock clean

demo: $(VENV)/.installed
	@$(BIN)/tympan demo

test: $(VENV)/.installed
	@$(BIN)/python -m pytest $(ARGS)

serve: $(VENV)/.installed
	@exec $(BIN)/tympan serve $(ARGS)

bench: $(VENV)/.installed
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.installed
	@$(BIN)/python scripts/generate_docs.py $(ARGS)

# Needs uv; pins every package by hash and names no registry.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra all --extra dev pyproject.toml -o requirements.lock $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage bench/out

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (about 460 MB, once)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
