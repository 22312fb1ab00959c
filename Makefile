# Everything that is done with this repository more than once. `make` alone says what there is.
#
# Needed: Go, git, make, a C compiler for the race detector, prometheus and promtool for the tests of dashboards and
# alerts; for `make clients` also Python, Node.js with npm, a JDK with Maven, curl and openssl. With CI=true a missing one is
# a failure; without, what cannot run is named and left out. Tools are built from internal/tools/go.mod, at the versions
# pinned there.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

GO      ?= go
TOOL    := $(GO) tool -modfile=internal/tools/go.mod
CC      := $(shell $(GO) env CC)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# How long and how much; all may be set on the command line.
BENCH      ?= .
BENCHCOUNT ?= 6
BENCHTIME  ?= 1s
FUZZTIME   ?= 30s
SOAKTIME   ?= 10m
SOAKCHECKS ?= 100000
SOAKKILLS  ?= 5000
SOAKCUTS   ?= 200
PACKAGES   ?= ./...

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## Build bin/egress-janitor, static and stripped.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/egress-janitor

.PHONY: test
test: ## Run all tests, in random order and with the race detector (but for most of SQLite, 20 times slower with it).
	@if command -v '$(CC)' >/dev/null; then \
	  race=-race; \
	elif [[ "$${CI:-}" == true ]]; then \
	  echo 'make test: no C compiler ($(CC)), which the race detector needs' >&2; \
	  exit 1; \
	else \
	  race=; \
	  echo 'make test: SKIPPED the race detector: no C compiler ($(CC))' >&2; \
	fi; \
	for tool in prometheus promtool; do \
	  if ! command -v "$$tool" >/dev/null; then \
	    [[ "$${CI:-}" == true ]] && { echo "make test: no $$tool, which the tests of dashboards and alerts need" >&2; exit 1; }; \
	    echo "make test: SKIPPED what needs $$tool (Debian: apt-get install prometheus)" >&2; \
	  fi; \
	done; \
	packages=$$($(GO) list $(PACKAGES) | { grep -Ev '/(internal/store|cmd/egress-janitor)$$' || true; }); \
	set -x; \
	[[ -z "$$packages" ]] || $(GO) test $$race -shuffle=on $$packages; \
	if [[ '$(PACKAGES)' == ./... ]]; then \
	  $(GO) test -timeout 30m -shuffle=on ./internal/store ./cmd/egress-janitor; \
	  $(GO) test -shuffle=on -run '^TestEffectsAre' ./internal/reach; \
	  $(GO) test $$race -shuffle=on -run '^TestConcurrent' ./internal/store; \
	  $(GO) test $$race -run '^TestStories$$/^(drain|pause|reloaded|two_processes)$$' ./cmd/egress-janitor; \
	fi

.PHONY: clients
clients: ## Run SDKs that were not written here against the emulator; installs them into build/clients.
	internal/ecsemu/clients/prepare.sh
	$(GO) test -tags clients -count=1 ./internal/ecsemu/clients

.PHONY: lint
lint: ## Check format, layers, style, vet, go.mod and dead code; changes nothing.
	$(GO) vet -tags clients ./...
	$(GO) -C internal/ecsemu/clients/golang vet ./...
	$(GO) mod tidy -diff
	$(GO) -C internal/tools mod tidy -diff
	$(GO) -C internal/ecsemu/clients/golang mod tidy -diff
	$(TOOL) golangci-lint config verify
	$(TOOL) golangci-lint run ./...
	@dead=$$($(TOOL) deadcode -test ./...); \
	if [[ -n "$$dead" ]]; then \
	  printf 'unreachable code:\n%s\n' "$$dead" >&2; \
	  exit 1; \
	fi

.PHONY: format
format: ## Format the Go files in place.
	$(TOOL) golangci-lint fmt

.PHONY: bench
bench: ## Run the benchmarks; BENCH=regexp BENCHTIME=1s BENCHCOUNT=6. Prints a table.
	mkdir -p build
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(BENCHCOUNT) $(PACKAGES) \
	  | tee build/bench.txt
	$(TOOL) benchstat build/bench.txt
	@# Against other engines: a short run for BENCHTIME=1x, as in CI, which fails only on ratios that are far off.
	$(GO) -C internal/bench run . $(if $(filter 1x,$(BENCHTIME)),-short) | tee build/bench-engines.txt

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME=30s.
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file func; do \
	  echo "== $${func#func } in $$(dirname "$$file"), $(FUZZTIME)"; \
	  $(GO) test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null; \
	done

.PHONY: soak
soak: ## Fuzz for SOAKTIME=10m a target, try SOAKCHECKS=100000 cases a property, kill SOAKKILLS=5000 processes.
	$(MAKE) fuzz FUZZTIME=$(SOAKTIME)
	EGRESS_JANITOR_CRASH_CYCLES=$(SOAKKILLS) $(GO) test -timeout 0 -count 1 -v -run '^TestKilledAt' ./cmd/egress-janitor
	EGRESS_JANITOR_TORN_CYCLES=$(SOAKCUTS) $(GO) test -timeout 0 -count 1 -v -run '^TestAWriterThatIsKilled' ./cmd/egress-janitor
	$(GO) test -timeout 0 -count 1 -v -run '^TestEffectsAre' ./internal/reach -reach.lists=1000000
	@grep -rl --include='*_test.go' '"pgregory.net/rapid"' . | xargs dirname | sort -u | while read -r dir; do \
	  echo "== properties of $$dir, $(SOAKCHECKS) cases each"; \
	  $(GO) test -timeout 0 "$$dir" -rapid.checks=$(SOAKCHECKS) </dev/null; \
	done

.PHONY: demo
demo: ## Run the demo: an emulated cloud that is audited, put in order and restored, on loopback.
	$(GO) run ./cmd/egress-janitor demo

.PHONY: vuln
vuln: ## Look for known vulnerabilities; VULNDB=URL of another database.
	$(GO) build ./...
	@code=0; $(TOOL) govulncheck $(if $(VULNDB),-db '$(VULNDB)') ./... || code=$$?; \
	if (( code == 0 || code == 3 )) || [[ "$${CI:-}" == true ]]; then \
	  exit $$code; \
	fi; \
	echo 'make vuln: SKIPPED: govulncheck could not do its work, see above' >&2

.PHONY: clean
clean: ## Remove bin and build.
	rm -rf bin build
