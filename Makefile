# Cairn: a self-hosted audit trail.
# SPDX-License-Identifier: Apache-2.0
#
# `make run` and `make test` are all that a fresh machine needs: they install what is missing.

SWIFT ?= swift
BUILD = $(SWIFT) build -c release
BINARY = .build/release/cairn
VENV = .venv
DEMO_EVENTS ?= 3000
BENCH_EVENTS ?= 1000000
SECONDS ?= 60

.PHONY: run test fuzz demo bench logs guards check format help build deps venv unit wire hooks

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build and start the service with embedded defaults
	$(BINARY) serve

test: build unit wire ## Pass every test: unit, property, fault, wire and end-to-end

fuzz: build ## Fuzz the decoders for SECONDS=60 each
	CAIRN_FUZZ_SECONDS=$(SECONDS) $(SWIFT) test -c release --disable-testable-imports --filter FuzzTests

demo: build ## Tell the whole story in a temporary folder (EVENTS=file for your own events)
	@CAIRN=$(abspath $(BINARY)) EVENTS="$(EVENTS)" COUNT=$(DEMO_EVENTS) bash scripts/demo.sh

bench: build ## Measure recording, lookups, verification and the log service (EVENTS=file, BENCH_EVENTS=n)
	.build/release/cairn-bench --events $(BENCH_EVENTS) $(if $(EVENTS),--file $(EVENTS))

logs: build ## Measure the log service alone (EVENTS=file, BENCH_EVENTS=n)
	.build/release/cairn-bench --logs --events $(BENCH_EVENTS) $(if $(EVENTS),--file $(EVENTS))

guards: build ## Measure policy decisions, data keys and encrypted objects
	.build/release/cairn-bench --guards

check: ## Check formatting, headers, and the rules of the repository
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	bash scripts/check-repository.sh

format: ## Format every source file
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

build: deps
	@[ -d .build ] || echo "first build: fetching and compiling dependencies takes some minutes"
	$(BUILD)

deps:
	@bash scripts/install-dependencies.sh

unit: build
	$(SWIFT) test -c release --disable-testable-imports

wire: build venv
	CAIRN_BINARY=$(abspath $(BINARY)) CAIRN_MOVABLE_CLOCK=$(abspath $(dir $(BINARY)))/cairn-movable-clock $(VENV)/bin/pytest -q Tests/wire

venv: $(VENV)/.ready

$(VENV)/.ready: Tests/wire/requirements.txt
	@echo "python environment: installing the official SDKs for the wire tests"
	@python3 -m venv $(VENV) && $(VENV)/bin/pip install -q --disable-pip-version-check -r Tests/wire/requirements.txt
	@touch $@

hooks: ## Check before each commit
	@printf '#!/bin/sh\nexec make check\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit
