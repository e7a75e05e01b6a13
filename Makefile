# The two commands of the README are `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := build

# Numerics are tested in release: debug Swift is 60-400 times slower in loops.
TEST_FLAGS := -c release -Xswiftc -enable-testing
DEMO := .demo

.PHONY: setup build demo test lint format benchmark clean

setup:
	@Scripts/install-packages

build: setup
	swift build -c release

demo: build
	@Scripts/demo $(DEMO)

test: setup
	swift format lint --strict --recursive --parallel Package.swift Sources Nodes Tests Benchmarks
	swift build --build-tests $(TEST_FLAGS)
	swift test $(TEST_FLAGS) --skip-build

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Nodes Tests Benchmarks

format:
	swift format --in-place --recursive --parallel Package.swift Sources Nodes Tests Benchmarks

benchmark: setup
	@Scripts/benchmark

clean:
	rm -rf .build $(DEMO)
