# One command for each thing that a person or a CI does. `make` alone lists them.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
VENV := .venv
BIN := $(VENV)/bin

# CAMWARDEN_REQUIRE_ALL=1 is meant for these commands. The product refuses CAMWARDEN_ variables that it does not know.
HIDE := env -u CAMWARDEN_REQUIRE_ALL

# Whatever the environment says: the product is started often, and reads itself faster when it was compiled before.
export PYTHONDONTWRITEBYTECODE :=

# A process for each core, up to four: some tests go by the clock. `make test ARGS='tests/web -x'` for some only.
WORKERS := -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.run ## show the console with a made-up estate (ARGS='--cameras 50 --port 8090')
	@make/need nmap
	@$(HIDE) $(BIN)/camwarden demo $(ARGS)

test: $(VENV)/.dev ## run every test
	@make/need nmap chromium libatomic postgresql snmpd iproute2 systemd
	@$(BIN)/python -m pytest -q $(WORKERS) $(ARGS)

check: $(VENV)/.dev ## lint, format, types, directions between packages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev ## measure beside peers and limits (ARGS='assess --cameras 100')
	@make/need nmap hydra
	@$(BIN)/python -m bench install
	@$(HIDE) $(BIN)/python -m bench $(or $(ARGS),assess --quick)

clean: ## remove everything that these commands made
	rm -rf $(VENV) .bench build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.run $(VENV)/.dev: pyproject.toml constraints.txt
	@make/venv $(VENV) $(subst .,,$(@F))
