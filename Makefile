# Everything that a person or the CI does with this project. Needs Python 3.11 to 3.13 and make; brings the rest
# into this folder: uv (.tools/uv), Python packages (.venv), the engine (.tools/engine), Node where there is none
# of a supported version (.tools/node). Indexes, proxies and certificates are the machine's own configuration.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.PHONY: help run up down demo token test check bench fuzz faults synth openapi docs prices clean tools node pds test-networks \
        check-lock check-lint check-types check-imports check-openapi check-templates

# The first interpreter that is new enough, by its own full path: shims and activated environments are seen through.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
  $$each -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit(1); print(sys.executable)' \
  2>/dev/null && break; done)
ifeq ($(strip $(PYTHON)),)
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),help)),)
$(error SocialFlow needs Python 3.11, 3.12 or 3.13; python3 here is: $(shell python3 --version 2>/dev/null || echo missing). \
Install one of them, or say where it is: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS))
endif
endif

unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
# Certificates are those that the machine trusts, as pip's are: an index may stand behind a company's own.
export UV_SYSTEM_CERTS ?= true
# pyvips, the one package that comes as source, is taken in pure Python: it binds to the libvips that is locked here.
export PKG_CONFIG := false
export NODE_USE_SYSTEM_CA ?= 1

UV := .tools/uv
VENV := .venv/.synced
ENGINE := .tools/engine/.synced
NODE := .tools/.node
STRIPE := .tools/stripe/.synced
NPM := infra_cdk/node_modules/.installed
PDS := .tools/pds/.installed
SHARP := tests/benchmarks/sharp/node_modules/.installed
RUN := .venv/bin/python
STAGES := local dev staging prod
# The server of a network that is too heavy for every stack is brought where somebody asks for the network.
ASKED_FOR := $(if $(findstring bluesky,$(NETWORKS)),$(PDS))

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- the stack on this machine ---------------------------------------------------------------------------------

run: tools $(ASKED_FOR) ## start the whole stack on this machine and stay (Ctrl-C ends it); NETWORKS=bluesky adds one
	@$(RUN) -m infra_cdk.local run --networks "$(NETWORKS)"

up: tools $(ASKED_FOR) ## the same in the background
	@$(RUN) -m infra_cdk.local up --networks "$(NETWORKS)"

down: $(VENV) ## end what `make up` started; what it stored stays
	@$(RUN) -m infra_cdk.local down

demo: $(VENV) ## take photos from upload to published posts on the running stack
	@$(RUN) -m infra_cdk.local demo --networks "$(NETWORKS)"

token: $(VENV) ## print a sign-in token for a demo account: make token WHO=editor@acme.test
	@if [ -z "$(WHO)" ]; then echo "Say whose: make token WHO=editor@acme.test" >&2; exit 2; fi
	@$(RUN) -m infra_cdk.local token "$(WHO)"

clean: ## end the stack and remove what it stored and what was built (installed tools stay)
	@if [ -x $(RUN) ] && [ -d .local ]; then $(RUN) -m infra_cdk.local clean; fi
	rm -rf .local build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- what the CI runs ------------------------------------------------------------------------------------------

test: tools ## every test (ARGS="-k name" passes options to pytest)
	@$(RUN) -m pytest -n 2 --no-loadscope-reorder $(ARGS)

# The two long ones go side by side.
check: $(VENV) $(NODE) $(NPM) ## what must hold before a merge: formats, types, imports, templates, workflows
	@$(MAKE) -j 2 check-types check-templates check-lock check-lint check-imports check-openapi
	@echo "check: clean"

check-lock: $(UV)
	$(UV) lock --check --quiet

check-lint: $(VENV)
	$(RUN) -m ruff check --quiet
	$(RUN) -m ruff format --check --quiet

check-types: $(VENV)
	$(RUN) -m mypy --no-error-summary

check-imports: $(VENV)
	.venv/bin/lint-imports --no-cache

check-openapi: $(VENV)
	$(RUN) -m infra_cdk.openapi --check

# cdk-nag runs inside the synthesis and fails it; cfn-lint and the workflow validator read what came out.
check-templates: $(VENV) $(NODE) $(NPM)
	$(RUN) -m infra_cdk.check $(STAGES)

bench: tools $(SHARP) $(PDS) ## measure lateness, waits and pictures; asserts nothing about time (ARGS="-k images")
	@$(RUN) -m pytest -m benchmark tests/benchmarks tests/integration/publishing/test_punctuality.py $(ARGS)

fuzz: tools ## damage pictures for a minute and look whether anything but a refusal comes out (SECONDS=600)
	@$(RUN) -m tests.fuzz $(or $(SECONDS),60)

synth: $(VENV) $(NODE) ## write the templates of every stage, or of one: make synth STAGE=prod
	@for stage in $(or $(STAGE),$(STAGES)); do $(RUN) -m infra_cdk.app -c stage=$$stage; done

openapi: $(VENV) ## write docs/openapi.json from the functions
	@$(RUN) -m infra_cdk.openapi

prices: $(VENV) ## print what a thousand captions cost by each model, from LiteLLM's table
	@$(RUN) -m layers.prices

docs: $(VENV) ## write the parts of docs/*.md that the code knows: settings, workflows
	@$(RUN) -m infra_cdk.docs

# --- what the above stand on -----------------------------------------------------------------------------------

tools: $(VENV) $(ENGINE) $(NODE) $(STRIPE)

node: $(NODE)

faults: tools ## 1,000 posts with 300 drawn faults on every network: none twice, none lost (POSTS= FAULTS= SEED= ARGS=)
	@rm -f build/faults.json
	@POSTS="$(POSTS)" FAULTS="$(FAULTS)" SEED="$(SEED)" $(RUN) -m pytest -m faults -q tests/integration/publishing/test_harness.py $(ARGS)

test-networks: tools $(PDS) ## bring the servers that are too heavy for make test, a real Bluesky's, and run the tests against them
	@$(RUN) -m pytest -m pds tests/integration/publishing/bluesky tests/e2e/test_bluesky.py $(ARGS)

pds: test-networks

# uv alone is kept, moved into place in one step, so that two makes at once cannot leave half of it.
$(UV): layers/uv.txt
	@echo "Installing uv"
	@mkdir -p .tools
	@work=$$(mktemp -d .tools/uv-XXXXXX); trap 'rm -rf "$$work"' EXIT; \
	  "$(PYTHON)" -m venv "$$work" && \
	  "$$work/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
	    --require-hashes --only-binary :all: -r layers/uv.txt && \
	  mv -f "$$work/bin/uv" $@ && touch $@

$(VENV): uv.lock pyproject.toml | $(UV)
	@echo "Installing Python packages"
	@$(UV) sync --frozen --quiet
	@touch $@

$(ENGINE): uv.lock pyproject.toml | $(UV)
	@echo "Installing the local engine"
	@UV_PROJECT_ENVIRONMENT=.tools/engine $(UV) sync --frozen --quiet --only-group engine --no-install-project
	@touch $@

$(STRIPE): uv.lock pyproject.toml | $(UV)
	@echo "Installing a Stripe for the tests"
	@UV_PROJECT_ENVIRONMENT=.tools/stripe $(UV) sync --frozen --quiet --only-group stripe-peer --no-install-project
	@touch $@

$(NODE): uv.lock infra_cdk/node.py | $(UV)
	@if "$(PYTHON)" -m infra_cdk.node missing; then echo "Installing Node.js"; \
	  UV_PROJECT_ENVIRONMENT=.tools/node $(UV) sync --frozen --quiet --only-group node --no-install-project; fi
	@touch $@

# What pictures are measured against.
$(SHARP): tests/benchmarks/sharp/package-lock.json tests/benchmarks/sharp/package.json $(NODE)
	@echo "Installing sharp for the benchmark"
	@"$(PYTHON)" -m infra_cdk.node npm ci --prefix tests/benchmarks/sharp --no-audit --no-fund --loglevel=error
	@touch $@

# The server wants its own version of Node, and SQLite built for that: by the headers that come with it.
$(PDS): $(addprefix infra_cdk/local/pds/,package-lock.json package.json install.sh) $(NODE)
	@echo "Installing a Bluesky server, which takes some minutes"
	@mkdir -p .tools/pds && cp $(addprefix infra_cdk/local/pds/,package.json package-lock.json) .tools/pds/
	@"$(PYTHON)" -m infra_cdk.node npm ci --prefix .tools/pds --ignore-scripts --no-audit --no-fund --loglevel=error
	@sh infra_cdk/local/pds/install.sh "$$PWD/.tools/pds" "$$($(PYTHON) -m infra_cdk.node path)" >.tools/pds/build.log 2>&1 || { tail -n 20 .tools/pds/build.log >&2; exit 1; }
	@touch $@

$(NPM): infra_cdk/package-lock.json infra_cdk/package.json $(NODE)
	@echo "Installing the npm tools"
	@"$(PYTHON)" -m infra_cdk.node npm ci --prefix infra_cdk --no-audit --no-fund --loglevel=error
	@touch $@
