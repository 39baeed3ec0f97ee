# andon: `make demo` to see it, `make test` for everything a change must pass.
#
# PYTHON=...   the interpreter for .venv (default: the first python3.11 or 3.12 that runs)
# VENV=...     an environment elsewhere than .venv
# HEADLESS=1   the demo without a terminal: a simulated operator answers
# ARGS=...     more arguments for andon demo or pytest

VENV   ?= .venv
EXTRAS ?= ros,sim,bags,dev
JAZZY  ?= .jazzy
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.andon-installed

# A command that merely exists is not enough: a version shim may be there and fail.
RUNS   := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(shell $(name) -c '$(RUNS)' >/dev/null 2>&1 && command -v $(name))))

.DEFAULT_GOAL := help
.PHONY: help env jazzy npm demo test test-fast torture lint proto bench wheel clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP)  ## Make .venv with the tested versions

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "andon needs Python 3.11 or 3.12 with venv, and found none on PATH." >&2; exit 1; }
	@test "$$(uname -sm)" = "Linux x86_64" || echo "There are no ROS 2 wheels for $$(uname -sm): the simulated cells and the ROS tests need a ROS 2 installation here."
	@echo "[1/3] $(VENV): $$($(PYTHON) --version)" && $(PYTHON) -m venv $(VENV)
	@echo "[2/3] pip, at the tested version" && $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip
	@echo "[3/3] andon[$(EXTRAS)]: about 1.5 GB, a few minutes" && $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(STAMP)

jazzy: $(JAZZY)/.andon-installed  ## Make .jazzy: an older ROS 2 release, for the tests that mix two

$(JAZZY)/.andon-installed: constraints.txt
	@echo "$(JAZZY): rclpy of Jazzy and what a cell's node needs, about 320 MB" && $(PYTHON) -m venv $(JAZZY)
	@grep -v '^ros-' constraints.txt > $(JAZZY)/constraints.txt
	@$(JAZZY)/bin/python -m pip install --quiet --disable-pip-version-check -c $(JAZZY)/constraints.txt \
	  'ros-rclpy[fastrtps]==7.1.6' ros-diagnostic-msgs==5.3.6 ros-geometry-msgs==5.3.6 ros-lifecycle-msgs==2.0.3 \
	  ros-rosgraph-msgs==2.0.3 ros-sensor-msgs==5.3.6 ros-std-msgs==5.3.6 ros-std-srvs==5.3.6 \
	  grpcio grpcio-status mcap numpy protobuf rosbags
	@touch $@

npm: $(addsuffix node_modules/.package-lock.json,$(dir $(wildcard tests/interop/package-lock.json tablet/package-lock.json)))  ## What the tests of foreign clients and of the page need from npm

%/node_modules/.package-lock.json: %/package-lock.json
	@if ! command -v npm >/dev/null; then echo "$*: npm is not installed, and the tests that need it skip"; \
	elif ! (cd $* && npm ci --silent); then echo "$*: npm could not install it, and the tests that need it skip"; fi

demo: env  ## Three simulated cells, a coordinator, and the questions they ask
	@if [ -n "$(HEADLESS)" ] || ! [ -t 0 ] || ! [ -t 1 ]; then set -- --headless; fi; $(BIN)/andon demo "$$@" $(ARGS)

test: lint npm  ## Everything a change must pass: lint, types, contracts, all tests
	@if [ -x $(JAZZY)/bin/python ]; then export ANDON_JAZZY_PYTHON="$(CURDIR)/$(JAZZY)/bin/python"; fi; $(BIN)/python -m pytest $(ARGS)

test-fast: env  ## The tests that need no ROS and no patience
	@$(BIN)/python -m pytest -q -m "not ros and not slow" $(ARGS)

torture: env  ## The link, 500 cuts and 500 kills
	@$(BIN)/python -m tests.torture.link --cuts 500 --kills 500 --storm 200 --seed 1 --json docs/evidence/link.json --table docs/evidence/link.md $(ARGS)

lint: env  ## Style, format, types, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

proto: env  ## Write the stubs beside their .proto sources
	@$(BIN)/python proto/generate.py

bench: env  ## The benchmarks that need no recording; the others say in their first lines what they want
	@for script in store_commit replay_timing ros_rate; do echo "== $$script" && $(BIN)/python benchmarks/$$script.py || exit 1; done
	@echo "== operator_speed" && $(BIN)/python -m benchmarks.operator_speed

wheel: env  ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

clean:  ## Remove the environment, builds and caches
	@rm -rf $(VENV) $(JAZZY) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
