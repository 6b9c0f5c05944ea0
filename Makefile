# aprbench: `make demo` runs a whole study on this machine, `make test` checks everything.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
CORES ?= 2
STUDY ?= demo
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help
help: ## list what can be made: here, and by Snakemake
	@$(PYTHON) workflow/help.py

.PHONY: setup
setup: .venv/runtime.stamp ## set up the environment in .venv, once (about 5 GB); whatever needs it does so by itself

.PHONY: demo
demo: .venv/runtime.stamp ## run the demo study: sample, prepare, train, compare, draw; ends in demo/report.html
	$(call run_study,demo)
	@echo "Next: make published (one to two minutes) asks the same of 121 models on 38 datasets; docs/published.md says what came of it."

.PHONY: slices
slices: .venv/runtime.stamp ## run the study of studies/slices.yaml on slices of real datasets, if ../shared/data/archives is there
	@test -d ../shared/data/archives || { echo "error: ../shared/data/archives is not there; the slices need it" >&2; exit 1; }
	$(call run_study,slices)

ARCHIVES := $(wildcard ../shared/data/archives)

.PHONY: retest
retest: .venv/runtime.stamp ## new test sets: published predictions recomputed; ends in retest/report.html
	$(call run_study,retest,$(if $(ARCHIVES),--config data='{mirror: "file:$(ARCHIVES)"}'))

.PHONY: published
published: .venv/runtime.stamp ## does ImageNet's ranking hold elsewhere? Asked of published scores, in one to two minutes; ends in published/report.html
	$(call run_study,published)
	@echo "Not among it: tables under no licence to keep them here; studies/published_more.yaml adds them from a mirror."
	@echo "docs/published.md says what came of it."

.PHONY: transfer
transfer: .venv/runtime.stamp ## which pretrained model should I take? Three of them fine-tuned on small data; ends in transfer/report.html
	@mkdir -p transfer
	@python workflow/at_hand.py > transfer/configfiles
	$(call run_study,transfer,,$$(cat transfer/configfiles))

.PHONY: mine
mine: .venv/runtime.stamp ## what suits your own pictures? make mine DATA=/path/to/pictures; LABELS=table.csv, NAME=, MINUTES= if you like; ends in mine/NAME/report.html
	@folder=$$(python workflow/mine look $(call given,--labels,LABELS) $(call given,--image,IMAGE) \
	  $(call given,--label,LABEL) $(call given,--name,NAME) $(call given,--minutes,MINUTES) $(call given,--with,WITH) --cores $(CORES) $(call given,--,DATA)); \
	echo "Running it into $$folder/; an interrupted run goes on when you repeat this command." >&2; \
	$(call run_snakemake,$$folder,$$(cat $$folder/configfiles)); \
	echo; python workflow/mine tell $$folder

.PHONY: test
# one process more than cores: the tests of SLURM mostly wait
test: lint ## check style and run every test, unit tests in random order (those of SLURM where it is installed)
	OMP_NUM_THREADS=1 pytest -p randomly --numprocesses $$(($(CORES) + 1)) --dist loadscope --no-loadscope-reorder --durations=10

.PHONY: test-slurm
test-slurm: .venv/dev.stamp ## install SLURM (apt, root), start a cluster on this machine, and disturb a study on it
	python tests/slurm/slurm_cluster.py install
	APRBENCH_NO_SKIPS=1 OMP_NUM_THREADS=1 pytest tests/slurm

.PHONY: lint
lint: .venv/dev.stamp ## ruff, snakefmt and snakemake --lint
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/Snakefile rules
	snakemake --lint
	snakemake --lint --configfile studies/retest.yaml
	snakemake --lint --configfile studies/transfer.yaml

.PHONY: lock
lock: .venv/runtime.stamp ## pin the newest versions that envs/*.in allow
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header envs/runtime.in -o envs/runtime.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header envs/dev.in -o envs/dev.lock
	echo 'uv==$(shell uv --version | cut -d' ' -f2)' | uv pip compile --quiet --generate-hashes --no-header - -o envs/bootstrap.lock

.PHONY: unlock
unlock: .venv/runtime.stamp ## release a study's lock after Snakemake itself was killed (kill -9, power cut): make unlock STUDY=mine/NAME, by default the demo's
	@test -d "$(STUDY)" || { echo "error: STUDY=$(STUDY): there is no such folder here; name that of a study, such as mine/NAME" >&2; exit 1; }
	@files=$$(cat "$(STUDY)/configfiles" 2>/dev/null || echo "studies/$(STUDY).yaml"); \
	snakemake --configfile $$files --directory "$(STUDY)" --unlock

.PHONY: clean
clean: ## remove the results of demo, slices, retest, published and transfer; the environment in .venv stays
	rm -rf demo slices retest published transfer

# an option of a command and its value, where the variable was given to make, not to the shell around it
given = $(if $(findstring command,$(origin $(2))),$(1) "$$$(2)")

# $(1): a folder. $(2): the files of a study. $(3): more options of Snakemake
define run_snakemake
python -P workflow/interruptible.py --configfile $(2) --directory $(1) --cores $(CORES) $(3) --quiet rules host reason progress; \
	python -P workflow/interruptible.py --configfile $(2) --directory $(1) --cores $(CORES) $(3) --quiet all --report report.html
endef

# $(1): a study; its results go to a folder of the same name. $(2): more options of Snakemake. $(3): its files, where they
# are others than studies/$(1).yaml
define run_study
	@echo "Running $(or $(3),studies/$(1).yaml) into $(1)/; an interrupted run goes on when you repeat this command."
	@$(call run_snakemake,$(1),$(or $(3),studies/$(1).yaml),$(2))
	@test ! -f $(1)/results/answer.txt || { echo; cat $(1)/results/answer.txt; }
	@echo; echo "Made:"; printf '  %s\n' $(1)/results/tables/*.md $(1)/results/figures/*.png $(1)/report.html
endef

.venv/bin/uv: envs/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; run: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv once (about 5 GB, some minutes) ..."
	@$(PYTHON) -m venv .venv || { echo "error: python's venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/bootstrap.lock
	@touch $@

.venv/runtime.stamp: .venv/bin/uv envs/runtime.lock
	@uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode envs/runtime.lock
	@touch $@

.venv/dev.stamp: .venv/bin/uv envs/runtime.lock envs/dev.lock
	@uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode envs/runtime.lock envs/dev.lock
	@touch $@ .venv/runtime.stamp
