# Two commands on a fresh machine: make demo, make test. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# one process for each core; stories that need every process of the product stay together
PYTEST := $(BIN)/python -m pytest -n auto

.DEFAULT_GOAL := help
.PHONY: help bootstrap demo test test-postgres lint format bench run lock vendor screenshots clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements.lock setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

bootstrap: $(STAMP) ## Make the environment in .venv with everything the other commands need

demo: $(STAMP) ## Run the whole hotline on this machine with the Hengshui demo city (ONCE=1: check one story and stop)
	@$(BIN)/python -m hotline.demo $(if $(filter 1,$(ONCE)),--once)

test: $(STAMP) ## Run the whole test suite on SQLite and the embedded Valkey; what needs something absent says so
	HOTLINE_TEST_ON=sqlite $(PYTEST)

# What knows no database: the exchange, hearing, documents and papers as text, clocks and calendars. What only a browser
# or an ear tells, of pages whose forms, searches and rows are asked on both databases by the tests beside it. And the walks
# at random through the tables of states, each of whose steps is written on both.
KNOWS_NO_DATABASE := tests/exchange tests/unit/speech tests/unit/calendars tests/unit/foundations/test_config.py \
  $(addprefix tests/unit/knowledge_base/test_,answers.py clauses.py differences.py documents.py handbook.py scrub.py) \
  $(addprefix tests/unit/work_orders/test_,clock.py clock_holidays.py personal_data.py photos.py proposal.py whole_life.py) \
  $(addprefix tests/unit/routing/test_,features.py model.py training.py typical.py) \
  $(addprefix tests/architecture/test_,docs.py glossary.py tree.py)
ON_BOTH_ALIKE := $(KNOWS_NO_DATABASE) $(wildcard tests/web/*/test_in_a_browser.py) \
  tests/web/desk/test_pages_in_a_call.py tests/web/desk/test_headset_line.py tests/web/portal/test_offline.py $(wildcard tests/web/knowledge/test_*_in_browser.py) \
  $(addprefix tests/e2e/test_,callers.py every_page.py headset_faults.py knowledge_file.py officers_headset.py on_duty.py two_browsers.py)

test-postgres: $(STAMP) ## Run the suite on PostgreSQL and Redis, but for what is alike on both
	HOTLINE_TEST_ON=postgres $(PYTEST) $(addprefix --ignore=,$(ON_BOTH_ALIKE))

lint: $(STAMP) ## Check style, types and the house's floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Put the code in the project's style
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

bench: $(STAMP) ## Measure hearing and webhooks with the demo model and voices
	$(BIN)/python -m bench.webhook --seconds 10
	$(BIN)/python -m bench.speech --model hotline/demo/vosk-model-demo-zh-8k --clips hotline/demo/voices

run: $(STAMP) ## Run the Procfile on the settings in the environment (or .env)
	$(BIN)/hotline db upgrade
	@# honcho ends everything when one process ends, as a release does
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start $$(sed -n 's/^\([a-z_]*\):.*/\1/p' Procfile | grep -vx release)

screenshots: $(STAMP) ## Photograph the main pages of a running demo into var/screenshots
	$(BIN)/python -m scripts.screenshots

lock: ## Pin every dependency anew
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/python -m piptools compile --quiet --extra dev --strip-extras --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --upgrade -o requirements.lock setup.cfg
	echo 'audioop-lts==0.2.2 ; python_version >= "3.13"' >> requirements.lock

vendor: ## Fetch the browser libraries anew from npm
	scripts/vendor.sh

clean: ## Remove what the demo and the tests left behind
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage htmlcov
