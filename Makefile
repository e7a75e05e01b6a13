# The two commands of the README are `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := build

# Numerics are tested in release: debug Swift is 60-400 times slower in loops.
# One set of flags for everything, so that `make demo` and `make test` share their build.
FLAGS := -c release -Xswiftc -enable-testing
DEMO := .demo
APART := ServerTests|PlanningTests
PREFIX := /usr/local

.PHONY: setup build demo test lint format benchmark install front-end test-server test-clients clean

setup:
	@Scripts/install-packages

build: setup
	swift build $(FLAGS)

demo: build
	@Scripts/demo $(DEMO)

test: setup
	swift format lint --strict --recursive --parallel Package.swift Sources Nodes Tests Benchmarks/Sources Benchmarks/Package.swift
	swift build --build-tests $(FLAGS)
	swift test $(FLAGS) --skip-build --skip '$(APART)'
	swift test $(FLAGS) --skip-build --filter '$(APART)'
	Tests/Clients/run "$$(swift build $(FLAGS) --show-bin-path)/graphrun"

# Apart from the others: the server, which would wait for tests that compute on all threads of the pool that it shares with
# them (in the program nodes compute on threads of their own), and plans, which count the memory of the whole process.
test-server: setup
	swift build --build-tests $(FLAGS)
	swift test $(FLAGS) --skip-build --filter '$(APART)'

# The server against real clients: Python, curl, a fuzzer, the editor in a browser. Skips what cannot be installed.
test-clients: build
	@Tests/Clients/run "$$(swift build $(FLAGS) --show-bin-path)/graphrun"

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Nodes Tests Benchmarks/Sources Benchmarks/Package.swift

format:
	swift format --in-place --recursive --parallel Package.swift Sources Nodes Tests Benchmarks/Sources Benchmarks/Package.swift

benchmark: setup
	@Scripts/benchmark

# ComfyUI's editor, for `graphrun serve --front-end`.
front-end:
	@Scripts/front-end

install: build
	@Scripts/install "$$(swift build $(FLAGS) --show-bin-path)" "$(PREFIX)"

clean:
	rm -rf .build $(DEMO)
