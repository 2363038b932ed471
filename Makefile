# Each target stands alone: it makes .venv and installs what it needs first. Needs Python 3.11 or newer, nothing else.
#   make demo   GCN on Cora in three schedules: a table, out/demo.json and out/demo/report.html
#   make test   the tests          make lint   ruff and mypy        make bench  out/bench.json (SUITES=mag: the large shape)
#   make explore  autoschedule on the models, docs/explore.md's tables      make kill-test  200 candidates, 20 kills
#   make models  the paper's models at the paper's sizes, minutes to an hour; JOBS="sae-imagenet gpt3-K1" runs these
#   make paper  the paper's figures and tables (MODE=medium, complete)
#   make fuzz   random programs and random graphs, minutes (fuzz-engine: the graphs alone)
#   make lab    JupyterLab         make warm   compile the engine   make clean  remove .venv and out
#   make app    the workbench as an app (Voila)      make notebooks      run every notebook
#   make test-browser  the workbench in a real browser; make screenshots and make bench-workbench write what docs/ shows of it
# FUSEFLOW_DATA names the folder of data sets, if there is one; PYTHON=python3.12 picks the interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PINS := requirements/constraints.txt
WORKERS ?= 2
# In a container everybody is root; Jupyter then wants to be told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
PROGRAMS ?= 10000

.PHONY: demo paper test lint fuzz fuzz-engine expressions models explore kill-test bench lab app notebooks test-browser screenshots \
  bench-workbench warm clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	@mkdir -p out
	@$(BIN)/fuseflow run gcn --dataset cora --schedule unfused,partial,full --json out/demo.json --report out/demo/

test: $(VENV)/.lab
	@$(BIN)/python -m pytest -q -rs -n $(WORKERS) $(or $(TESTS),tests)

lint: $(VENV)/.lab
	@failed=0; \
	$(BIN)/ruff check --quiet . || failed=1; \
	$(BIN)/ruff format --check . >$(VENV)/.format 2>&1 || { cat $(VENV)/.format; failed=1; }; \
	$(BIN)/mypy --no-error-summary || failed=1; \
	test $$failed = 0 && echo "lint: clean"

fuzz: fuzz-engine
	@$(BIN)/python -m tests.fuzz_programs $(PROGRAMS)

# Random graphs of every block on random machines and depths: compiled == interpreted. GRAPHS=n how many, FIRST=n where to begin.
fuzz-engine: $(VENV)/.dev
	@FUSEFLOW_FUZZ_GRAPHS=$(or $(GRAPHS),2000) FUSEFLOW_FUZZ_FIRST=$(or $(FIRST),0) \
	$(BIN)/python -m pytest -q -n $(WORKERS) tests/sim/test_random_graphs.py

paper: $(VENV)/.installed
	@$(BIN)/fuseflow paper all --mode $(or $(MODE),fast) --out out/paper

models: $(VENV)/.installed
	@mkdir -p out
	@$(BIN)/python -m benchmarks.paper_sizes $(JOBS)

explore: $(VENV)/.installed
	@mkdir -p out
	@$(BIN)/python -m benchmarks.search $(JOBS)

kill-test: $(VENV)/.dev
	@FUSEFLOW_KILL_MACHINES=50 FUSEFLOW_KILLS=20 $(BIN)/python -m pytest -q tests/explore/test_kill.py

# SAM's kind of expressions in every order and in random formats: SEED=n draws other formats and data.
expressions: $(VENV)/.dev
	@$(BIN)/python -m tests.sim.expressions $(or $(SEED),0)

bench: $(VENV)/.installed
	@mkdir -p out
	@$(BIN)/python -m benchmarks $(SUITES)

# No news are fetched and no extensions are looked for: nothing leaves the machine. LAB_OPTIONS adds options of your own.
lab: $(VENV)/.lab
	@$(BIN)/jupyter lab --notebook-dir=notebooks --ServerApp.ip=127.0.0.1 $(AS_ROOT) --LabApp.extension_manager=readonly \
	  --LabApp.news_url= --LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate $(LAB_OPTIONS)

app: $(VENV)/.lab
	@JUPYTER_PATH=$(CURDIR)/notebooks/share $(BIN)/voila notebooks/app.ipynb --Voila.ip=127.0.0.1 --template=offline

notebooks: $(VENV)/.lab
	@$(BIN)/python -m pytest -q -rs -n $(WORKERS) --nbmake --nbmake-timeout=120 notebooks

test-browser: $(VENV)/.lab
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || test -n "$$CHROMIUM" || { \
	  echo "installing chromium"; \
	  apt-get install -y --no-install-recommends chromium >/dev/null || { \
	    echo "no chromium, and it could not be installed: name one in CHROMIUM=/path/to/chromium" >&2; exit 1; }; }
	@FUSEFLOW_BROWSER=1 $(BIN)/python -m pytest -q -rs tests/browser

screenshots: $(VENV)/.lab
	@$(BIN)/python -m tests.browser.screenshots docs/images

bench-workbench: $(VENV)/.lab
	@$(BIN)/python -m tests.browser.latency docs/performance-workbench.md

warm: $(VENV)/.installed
	@$(BIN)/python -m fuseflow.sim.warm

clean:
	@rm -rf $(VENV) out build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find fuseflow widgets tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last: an interrupted install leaves no stamp, and the next make starts from an empty .venv.
$(VENV)/.installed: pyproject.toml $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "fuseflow needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@test -f $@ || rm -rf $(VENV)
	@rm -f $@ $(VENV)/.dev $(VENV)/.lab
	@echo "installing fuseflow into $(VENV) (about two minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --quiet --constraint $(PINS) --editable .
	@$(BIN)/python -m fuseflow.sim.warm
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "installing the tools for tests and lint"
	@$(PIP) install --quiet --quiet --constraint $(PINS) --editable '.[dev]'
	@touch $@

$(VENV)/.lab: $(VENV)/.installed
	@echo "installing JupyterLab"
	@$(PIP) install --quiet --quiet --constraint $(PINS) --editable '.[dev,lab]'
	@touch $@
