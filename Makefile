# make run    start everything on this machine        make test       the whole suite
# make demo   show two canaries, live                 make test-fast  the inner loop
# make lint   style, types, import contracts          make bench      speed and memory
# make openapi     the document of the API, into docs/openapi.yaml
# make calibrate   error rates of the statistics, into docs/calibration.md
# make test-backends   real model servers; installs them, which takes long
# make test-spark      evidence on DuckDB and on Spark; installs PySpark and Java

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BACKENDS := $(basename $(notdir $(wildcard tests/backends/requirements/*.txt)))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run demo test test-fast test-backends test-spark lint bench calibrate openapi install install-development system-packages lock clean

run: install
	@exec $(BIN)/python manage.py up

demo: install
	@exec $(BIN)/python -m examples.demo

test: lint system-packages
	$(BIN)/python -m pytest -n 4 --dist loadfile --ignore tests/loop --ignore tests/backends --ignore tests/spark
	$(BIN)/python -m tests.on_postgresql -n 2 --dist loadfile
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/loop

test-fast: install-development
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" -q

test-backends: install-development $(BACKENDS:%=$(VENV)/backends/%/installed)
	$(BIN)/python -m pytest tests/backends

test-spark: $(VENV)/installed-spark
	@$(BIN)/python -m tests.spark.java
	$(BIN)/python -m pytest tests/experiments/evidence
	SLUICE_SPARK_MASTER='local[2]' SPARK_CONF_DIR=tests/spark/configuration $(BIN)/python -m pytest tests/experiments/evidence tests/spark

lint: install-development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

bench: install-development
	$(BIN)/python -m bench.edge
	$(BIN)/python -m bench.edge.features
	$(BIN)/python -m bench.assignment
	$(BIN)/python -m bench.publish
	$(BIN)/python -m bench.pipeline
	$(BIN)/python -m bench.analysis
	$(BIN)/python -m bench.evidence
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.stats

openapi: install-development
	$(BIN)/python manage.py spectacular --fail-on-warn --validate --file docs/openapi.yaml

calibrate: install-development
	$(BIN)/python -m bench.calibration

install: $(VENV)/installed
install-development: $(VENV)/installed-development

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "Installing Sluice into $(VENV); the first time this takes a minute or two."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[examples]'
	@touch $@

$(VENV)/installed-development: $(VENV)/installed client/pyproject.toml
	@echo "Installing what the tests and checks need."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[examples,development]' --editable ./client
	@touch $@

$(VENV)/installed-spark: $(VENV)/installed-development
	@echo "Installing PySpark, which takes a minute or two."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[examples,development,spark]' --editable ./client
	@touch $@

# One that cannot be installed leaves no environment behind, and its tests are skipped.
$(VENV)/backends/%/installed: tests/backends/requirements/%.txt
	@echo "Installing $* for the tests with real model servers."
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $< && touch $@ || rm -rf $(@D)

system-packages:
	@$(BIN)/python -m tests.system_packages

lock: $(VENV)/installed-spark
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
