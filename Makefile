# Every target is one `python -m` line; without make, type that line (README.md lists them).
#   make train-plantdisease CONFIG=configs/plantdisease/finetune.yaml ARGS="--data.root DIR --training.epochs 3"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
# CONSTRAINTS=constraints.txt installs exactly the versions of that file.
PIP := $(PY) -m pip --disable-pip-version-check install -q $(CONSTRAINTS:%=-c %)
# TORCH_INDEX=<address of a wheel index> chooses another build of torch, such as the small CPU-only one (README.md).
TORCH := $(if $(TORCH_INDEX),$(PIP) torch torchvision --index-url $(TORCH_INDEX),true)
PROJECTS := $(notdir $(patsubst %/train.py,%,$(wildcard projects/*/train.py)))
config = $(or $(CONFIG),configs/$*/sample.yaml)
RUN_ARGS = $(if $(RUN)$(CONFIG),--run $(or $(RUN),$(basename $(notdir $(CONFIG)))))

.DEFAULT_GOAL := help
.PRECIOUS: $(VENV)/.extra-%
.PHONY: help setup test test-all test-oldest test-faults lint audit runs clean caption customer-report new-project learn student-release grade score

help: ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo "  % is one of: $(PROJECTS)"
	@echo "  Those with % and the tests take ARGS=\"...\". Those with % that take RUN=NAME take CONFIG=FILE, too: its newest run."

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -U pip
	$(TORCH)
	$(PIP) -e .
	@touch $@

$(VENV)/.extra-%: $(VENV)/.installed
	$(PIP) -e '.[$*]'
	@touch $@

setup: $(VENV)/.installed ## create .venv and install what the projects need

setup-%: $(VENV)/.extra-% ## setup and an extra: setup-text, -app, -export ...
	@true

train-%: $(VENV)/.installed ## train, evaluate, write the report   [CONFIG=FILE]
	$(PY) -m projects.$*.train $(if $(findstring --resume,$(ARGS)),,--config $(config)) $(ARGS)

evaluate-%: $(VENV)/.installed ## score a finished run (alias eval-%)    [RUN=NAME]
	$(PY) -m projects.$*.evaluate $(RUN_ARGS) $(ARGS)

eval-%: evaluate-%
	@true

predict-%: $(VENV)/.installed ## predict for INPUT=FILE or folder        [RUN=NAME]
	$(PY) -m projects.$*.predict $(if $(INPUT),"$(INPUT)") $(RUN_ARGS) $(ARGS)

caption: predict-imagecaption ## captions for INPUT=FILE, folder or list
	@true

new-project: $(VENV)/.installed ## copy a project under a new name   NAME=flowers [FROM=starter]
	$(PY) -m shared.coursework.new_project $(NAME) $(if $(FROM),--source $(FROM))

learn: $(VENV)/.extra-learn ## work on the exercises        [PROJECT=numberplate]
	$(PY) -m shared.coursework.learn $(PROJECT) $(ARGS)

student-release: $(VENV)/.installed ## the students' copy, without solutions   OUT=dir
	$(PY) -m shared.coursework.release "$(OUT)" $(ARGS)

grade: $(VENV)/.extra-dev ## grade a folder of submissions   SUBMISSIONS=dir
	$(PY) -m shared.coursework.grade "$(SUBMISSIONS)" $(ARGS)

score: $(VENV)/.installed ## score runs on held-out data   TASK=... SUBMISSIONS=dir DATA=dir
	$(PY) -m shared.coursework.score "$(SUBMISSIONS)" --task "$(TASK)" --data "$(DATA)" $(ARGS)

gui-%: $(VENV)/.installed ## predict in a window (numberplate)      [INPUT=...]
	$(PY) -m projects.$*.gui $(if $(INPUT),"$(INPUT)") $(RUN_ARGS) $(ARGS)

customer-report: $(VENV)/.installed ## report on reviews: INPUT=FILE (sentiment) [RUN=NAME]
	$(PY) -m projects.sentiment.customer_report $(if $(INPUT),"$(INPUT)") $(RUN_ARGS) $(ARGS)

export-%: $(VENV)/.extra-export ## export a finished run to ONNX           [RUN=NAME]
	$(PY) -m projects.$*.export $(RUN_ARGS) $(ARGS)

demo-%: $(VENV)/.extra-app ## the predictor on a web page             [RUN=NAME]
	$(PY) -m projects.$*.app $(RUN_ARGS) $(ARGS)

test: $(VENV)/.extra-dev ## fast tests: offline, a few minutes
	$(PY) -m pytest -m "not slow" $(ARGS)

test-all: $(VENV)/.extra-dev ## all tests, slow ones included, but not those of test-faults
	$(PY) -m pytest -m "not faults" $(ARGS)

test-faults: $(VENV)/.extra-dev ## kills, full disks, damaged files: at most 25 minutes
	$(PY) -m pytest tests/faults $(ARGS)

build/oldest.txt: pyproject.toml
	@mkdir -p build
	grep -oE '"[A-Za-z0-9_-]+>=[0-9.]+' $< | sed 's/"//; s/>=/==/' >$@

test-oldest: build/oldest.txt ## fast tests with the lower bounds, in .venv-oldest
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=$< setup-app,heic,tensorboard,text,yahoo test

lint: $(VENV)/.extra-dev ## style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m ty check

audit: $(VENV)/.installed ## known security holes of what is installed; fails offline
	@$(PY) -c 'import urllib.request; urllib.request.urlopen("https://pypi.org/pypi/pip/21.0/json", timeout=30)' 2>/dev/null || \
	  { echo "audit: the vulnerability database of pypi.org cannot be reached from here; nothing was checked." >&2; exit 2; }
	$(PIP) pip-audit
	@mkdir -p build
	$(PY) -m pip --disable-pip-version-check list --exclude-editable --format freeze | sed 's/+.*//' >build/installed.txt
	$(PY) -m pip_audit --strict --disable-pip --no-deps -r build/installed.txt

runs: $(VENV)/.installed ## a table of all runs
	@$(PY) -m shared.runs

clean: ## delete caches; runs, data, .venv, .venv-oldest stay
	rm -rf data/cache .pytest_cache .ruff_cache build *.egg-info
	find projects shared tests -name __pycache__ -type d -exec rm -rf {} +
