# Every target sets itself up: its own virtual environment with locked packages, its own model cache.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TYMPAN_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache

# Third-party clients that tests run, each in an environment of its own: a virtual one, or a folder with node_modules.
CLIENTS := $(patsubst tests/environments/%/,%,$(wildcard tests/environments/*/))
CLIENTS_DIR := $(VENV)/clients

.PHONY: demo test conformance serve bench prove fuzz fuzz-guided lint docs clients lock lock-clients clean

demo: $(VENV)/.installed
	@$(BIN)/tympan demo

test: $(VENV)/.installed
	@$(BIN)/python -m pytest $(ARGS)

# The protocol as a client sees it, against our own server or any other: ARGS="--endpoint wss://HOST --key KEY".
conformance: $(VENV)/.installed
	@$(BIN)/python -m pytest tests/blackbox $(ARGS)

serve: $(VENV)/.installed
	@exec $(BIN)/tympan serve $(ARGS)

bench: $(VENV)/.installed
	@$(BIN)/python -m bench $(ARGS)

# Minutes of real speech over a network that breaks: see scripts/prove_network.py.
prove: $(VENV)/.installed
	@PYTHONPATH=tests/network:. $(BIN)/python scripts/prove_network.py $(ARGS)

# Ten times the examples of `make test`, and larger inputs: minutes.
fuzz: $(VENV)/.installed
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/fuzz $(ARGS)

# See scripts/fuzz.py; needs atheris.
fuzz-guided: $(VENV)/.installed
	@PYTHONPATH=tests/fuzz $(BIN)/python scripts/fuzz.py $(ARGS)

lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.installed
	@$(BIN)/python scripts/generate_docs.py $(ARGS)

clients: $(CLIENTS:%=$(CLIENTS_DIR)/%/.installed)
	@:

# Needs uv; pins every package by hash and names no registry.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra all --extra dev pyproject.toml -o requirements.lock $(ARGS)

# Needs uv and npm. CLIENTS=NAME renews one.
lock-clients: $(CLIENTS:%=lock-client-%)

lock-client-%:
	@cd tests/environments/$* && if test -f package.json; \
	  then npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund; \
	  else uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    $$(test ! -f excludes.txt || echo --excludes excludes.txt) requirements.in -o requirements.txt $(ARGS); fi

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .import_linter_cache .coverage bench/out

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (about 670 MB, once)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The main environment's pip installs into the others: none needs one of its own, nor bytecode of what it never imports.
$(CLIENTS_DIR)/%/.installed: tests/environments/%/requirements.txt $(VENV)/.installed
	@rm -rf $(@D)
	@$(PYTHON) -m venv --without-pip $(@D)
	@$(BIN)/python -m pip --python $(@D)/bin/python install -qq --disable-pip-version-check --no-compile --no-deps \
	  --require-hashes -r $<
	@touch $@

$(CLIENTS_DIR)/%/.installed: tests/environments/%/package-lock.json tests/environments/%/package.json
	@command -v npm >/dev/null || { echo "make clients needs Node.js and npm for $*" >&2; exit 1; }
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
