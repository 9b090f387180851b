# Two commands do: `make lab` and `make test`. Each target is one line that calls Python.
#   make PYTHON=python3.12 lab      choose the Python that .venv is made with
#   make notebooks ARGS="q02"       pass arguments on

.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
READY := .venv/.ready
RUN := .venv/bin/python -m helpers

# A .venv whose Python has gone, or that was moved here from elsewhere, is made again.
ifneq ($(shell { .venv/bin/python -Ic "import helpers, os; print(os.path.samefile(helpers.__path__[0], 'helpers'))"; } 2>/dev/null),True)
$(shell rm -f $(READY))
endif

.PHONY: help lab test twice lint notebooks verdicts drill check labs-proof grade handout sabotage test-browser test-containers test-versions status doctor up down bench

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(READY) ## open JupyterLab on the notebooks, with a live broker
	@$(RUN) lab $(ARGS)

test: $(READY) ## run everything: lint, tests, every notebook
	@$(RUN) test

twice: $(READY) ## run every notebook with its cells twice and its experiments again
	@$(RUN) twice

lint: $(READY) ## run ruff and mypy
	@$(RUN) lint

notebooks: $(READY) ## run the notebooks and write their outputs
	@$(RUN) notebooks $(ARGS)

verdicts: $(READY) ## run the notebooks, record their verdicts on this broker
	@$(RUN) verdicts $(ARGS)

drill: $(READY) ## be asked the questions of the interview drills
	@$(RUN) drill $(ARGS)

check: $(READY) ## judge your code for a lab: make check LAB=03; no LAB: show how all stand
	@$(RUN) labs check $(LAB) $(FILE) $(ARGS)

labs-proof: $(READY) ## prove the labs' checks on solutions whose verdicts are known
	@$(RUN) labs proof $(LAB) $(ARGS)

grade: $(READY) ## judge a class: make grade DIR=submissions/ [LAB=03]
	@$(RUN) labs grade $(DIR) $(if $(LAB),--lab $(LAB)) $(ARGS)

handout: $(READY) ## write the students' version, without solutions, as a zip
	@$(RUN) labs handout $(ARGS)

sabotage: $(READY) ## break each claim on purpose: every check has to notice
	@$(RUN) sabotage $(ARGS)

test-browser: $(READY) ## run the notebooks in JupyterLab in a real browser
	@$(RUN) browser $(ARGS)

test-containers: $(READY) ## run everything in containers, and break them (root)
	@$(RUN) containers $(ARGS)

test-versions: $(READY) ## run notebooks and solutions on 3.10, 4.0 and 4.3 (root)
	@$(RUN) versions $(ARGS)

status: $(READY) ## tell whether a broker runs, and where
	@$(RUN) status

doctor: $(READY) ## tell what would keep the notebooks from running
	@$(RUN) doctor

up: $(READY) ## find a broker or start one
	@$(RUN) up

down: $(READY) ## stop the broker that we started
	@$(RUN) down

bench: $(READY) ## measure what is not a timed test
	@$(RUN) bench $(ARGS)

$(READY): requirements.lock requirements.txt pyproject.toml
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec $$python helpers/suite/bootstrap.py; \
	  fi; \
	done; \
	echo "error: this needs Python 3.11 or newer: install one, or name it with make PYTHON=…" >&2; exit 1

.PHONY: lock
lock: $(READY) ## write the lock files anew from the requirements files
	@.venv/bin/python -m helpers.suite.lock
