# Everything runs in .venv, made by the first target that needs it and renewed when its versions change.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# torch's waiting threads spin for microseconds, not milliseconds: busy cores stay usable (docs/decisions.md).
export GOMP_SPINCOUNT ?= 30000
# Tests start hundreds of our processes; without bytecode each compiles the project anew.
export PYTHONDONTWRITEBYTECODE :=
LINTERS := node_modules/.package-lock.json
DOCKERFILES = $(wildcard docker/*.Dockerfile)
SHIPPED = $(wildcard api_schemas client job_store runtime service studio workers)
FUZZED = tests/fuzz/test_bodies.py tests/job_store/test_job_machine.py

.PHONY: install demo up test lint security format bench bench-check faults fuzz fuzz-api soak

install: $(INSTALLED)

# SAM-2 builds against the torch that is there, so torch comes first and the build is not isolated.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt setuptools wheel torch torchvision
	$(BIN)/pip install --quiet -c constraints.txt -e '.[gateway,worker,embedded,studio,dev]'
	SAM2_BUILD_CUDA=0 $(BIN)/pip install --quiet -c constraints.txt --no-build-isolation sam2
	touch $@

$(LINTERS): package.json package-lock.json
	npm ci --silent
	touch $@

demo: install ## one insertion over HTTP into an example picture, saved to demo/
	$(BIN)/python -m client.demo

up: install ## the whole stack on this machine until Ctrl-C
	$(BIN)/addit up

# The studio is tested in a real browser; where it can not be installed, those tests fail and say so.
BROWSER := command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

test: install ## every test; ARGS="tests/client -x" for some
	-@$(BROWSER)
	$(BIN)/python -m pytest $(ARGS)

lint: install $(LINTERS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_imports.py
	$(BIN)/hadolint $(DOCKERFILES)
	node_modules/.bin/dclint --max-warnings 0 docker-compose.yml docker/proxy/compose.yml
	$(BIN)/shellcheck .ci/run

security: install ## our code, and what is known of the versions it runs on
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(SHIPPED)
	$(BIN)/python -m tests.dependency_audit

format: install
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

faults: install ## docs/faults.md, what its tests say today
	$(BIN)/python -m tests.fault_table

fuzz-api: install ## Schemathesis over the whole API, minutes; ARGS="--max-examples 500" for hours
	$(BIN)/python -m tests.api_fuzz $(ARGS)

soak: install ## steady traffic on a local stack, and whether anything grows; MINUTES=60
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),60)

fuzz: install ## 5,000 mutated pictures, any body of a submission, any order of calls in a job's life
	$(BIN)/python -m tests.fuzz
	$(BIN)/python -m pytest -q --hypothesis-profile fuzz -o timeout=3600 $(FUZZED)

bench: install
	$(BIN)/python -m bench

bench-check: install ## counted quantities beside bench/limits.json; make test does it too
	$(BIN)/python -m bench.check $(ARGS)
