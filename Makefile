# Each target is one line that calls Python; tests compare this file with helpers/suite/commands.py.
#   make PYTHON=python3.12 lab      choose the Python that .venv is made with
#   make notebooks ARGS="q02"       pass arguments on

.DEFAULT_GOAL := help
SHELL := /bin/sh
# Without compiled code each start of Python would take seconds longer.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
READY := .venv/.ready
RUN := .venv/bin/python -m helpers

# Make .venv again when its Python is missing, or when it belongs to a checkout elsewhere.
ifneq ($(shell { .venv/bin/python -Ic "import helpers, os; print(os.path.samefile(helpers.__path__[0], 'helpers'))"; } 2>/dev/null),True)
$(shell rm -f $(READY))
endif

.PHONY: help lab check practice interview progress anki book notebooks up down status doctor grade handout labs-proof test test-slow lint twice verdicts sabotage mutants test-browser test-containers test-versions bench lock

##@ For everybody

help: ## show this list
	@awk -F ':.*## ' '/^##@ / { printf "%s%s:\n", (n++ ? "\n" : ""), substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

lab: $(READY) ## open JupyterLab on the notebooks, with a live broker
	@$(RUN) lab $(ARGS)

check: $(READY) ## judge your code for a lab; without LAB, show how all labs stand
	@$(RUN) check $(LAB) $(FILE) $(ARGS)

practice: $(READY) ## ask what is due today: ten minutes for an interview
	@$(RUN) practice $(ARGS)

interview: $(READY) ## hold an interview of thirty minutes, with a score sheet
	@$(RUN) interview $(ARGS)

progress: $(READY) ## show what you did, what is due, and what to do next
	@$(RUN) progress

anki: $(READY) ## write the cards as a deck for Anki
	@$(RUN) anki $(ARGS)

book: $(READY) ## build a book to read without running anything
	@$(RUN) book $(ARGS)

notebooks: $(READY) ## run the notebooks and store their outputs
	@$(RUN) notebooks $(ARGS)

up: $(READY) ## find a broker or start one
	@$(RUN) up $(ARGS)

down: $(READY) ## stop the broker that was started here
	@$(RUN) down

status: $(READY) ## show whether a broker runs, and where
	@$(RUN) status

doctor: $(READY) ## show what would keep the notebooks from running
	@$(RUN) doctor

##@ For instructors

grade: $(READY) ## judge the submissions of a class
	@$(RUN) grade $(DIR) $(if $(LAB),--lab $(LAB)) $(ARGS)

handout: $(READY) ## write the students' version, without solutions, as a zip
	@$(RUN) handout $(ARGS)

labs-proof: $(READY) ## prove the labs' checks on solutions with known verdicts
	@$(RUN) labs-proof $(LAB) $(ARGS)

##@ For contributors

test: $(READY) ## run lint, the tests and every notebook
	@$(RUN) test

test-slow: $(READY) ## run what takes longer than make test
	@$(RUN) test-slow

lint: $(READY) ## run ruff and mypy
	@$(RUN) lint

twice: $(READY) ## run every notebook's cells twice, and its experiments again
	@$(RUN) twice

verdicts: $(READY) ## run the notebooks and record their verdicts on this broker
	@$(RUN) verdicts $(ARGS)

sabotage: $(READY) ## break each claim on purpose: its check has to notice
	@$(RUN) sabotage $(ARGS)

mutants: $(READY) ## flip each delivery decision: a claim has to notice
	@$(RUN) mutants $(ARGS)

test-browser: $(READY) ## open the notebooks in JupyterLab and the book in a headless Chromium
	@$(RUN) test-browser $(ARGS)

test-containers: $(READY) ## run everything in containers, and break them (root)
	@$(RUN) test-containers $(ARGS)

test-versions: $(READY) ## run notebooks and solutions on each generation of RabbitMQ (root)
	@$(RUN) test-versions $(ARGS)

bench: $(READY) ## measure what the suite itself costs
	@$(RUN) bench $(ARGS)

lock: $(READY) ## write the lock files anew from the requirements files
	@$(RUN) lock

$(READY): requirements.lock requirements.txt pyproject.toml
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec $$python helpers/suite/bootstrap.py; \
	  fi; \
	done; \
	echo "error: this needs Python 3.11 or newer: install one, or name it with make PYTHON=…" >&2; exit 1
