# The commands a newcomer needs: `make demo` and `make test`; what a developer runs all day: `make check`.
SHELL = /bin/bash
PREFIX ?= /usr/local
# One set of flags for everything that is optimised, so that nothing is built twice.
SWIFT_BUILD = swift build -c release -Xswiftc -enable-testing
BIN = .build/release
SPDC = $(BIN)/spdc

# Tests are built without the Swift optimiser, which takes two thirds of a build's time, but for what computes (Package.swift).
# They share a cache of what C compilers and swiftc made; clang's optimiser is on where it is what is tested.
TEST_ENVIRONMENT = SPDC_TEST_BUILD=1 SPDC_CACHE='$(CURDIR)/build/cache' SPDC_CFLAGS=-O1
TEST_BUILD = $(TEST_ENVIRONMENT) swift build --build-tests
TEST_RUN = $(TEST_ENVIRONMENT) swift test --skip-build
# What `make check` leaves out: whole networks, and the command with compilers behind it.
SLOW_TESTS = ^(CTests|GeneratedTests|spdcTests)\.
# Prints what a recipe took.
TIMED = TIMEFORMAT='make $@: %0lR, of processors %0lU + %0lS'; time

.PHONY: all demo demo-train check test test-all bench bench-swift bench-peers bench-scaling bench-train experiment lint generated check-peers packages fuzz install uninstall dist check-dist docs clean

all: packages
	$(SWIFT_BUILD) --product spdc

# Installs or names the system packages that are missing.
packages:
	@scripts/packages

demo: all
	@scripts/demo $(SPDC)

# A small network with space-to-depth learns to tell drawn shapes apart, in under three minutes.
demo-train: all
	@scripts/demo-train $(SPDC)

# A minute and a half at most, and no whole network is compiled.
check: packages
	@$(TIMED) { $(TEST_BUILD) && $(TEST_RUN) --skip '$(SLOW_TESTS)'; }

# What continuous integration runs.
test: packages
	@$(TIMED) { $(TEST_BUILD) && $(TEST_RUN); } && \
	echo 'left out: the long matrix of whole networks, compilers and sanitizers, and fuzzing (make test-all)'

# Before a release: everything, in an optimised build as it is shipped, and every reader fuzzed.
test-all: packages
	@$(TIMED) { $(SWIFT_BUILD) --build-tests && \
	  SPDC_TEST_ALL=1 SPDC_CACHE='$(CURDIR)/build/cache-all' swift test -c release -Xswiftc -enable-testing --skip-build && \
	  $(MAKE) fuzz; }

# Fused against unfused for the six SPD networks, as a table.
bench: all
	@Benchmarks/table $(SPDC)

# The same from Swift, and for each space-to-depth: every benchmark, or those that the regular expression FILTER matches.
FILTER ?= .*
bench-swift: all
	cd Benchmarks && SPDC="$(abspath $(SPDC))" swift package benchmark --filter '$(FILTER)' --no-progress

# Inference, with OpenVINO, ONNX Runtime, ncnn and PyTorch: docs/measured/benchmarks.md. Interrupted, it resumes.
bench-peers: all
	@Benchmarks/peers/run $(SPDC)
	@Benchmarks/peers/report

# Time per operation by image size and batch: docs/measured/scaling.md.
bench-scaling: all
	@Benchmarks/peers/scaling $(SPDC)
	@Benchmarks/peers/report

# Training steps, with PyTorch: docs/measured/training.md.
bench-train: all
	@Benchmarks/training/run $(SPDC)
	@Benchmarks/training/report

# The paper's classifiers against their strided baselines at falling resolution, about an hour: docs/measured/experiment.md. Interrupted, it resumes.
experiment: all
	@Benchmarks/experiment/run $(SPDC)

# Damaged inputs for every reader, SECONDS for each, in processes with little memory; then random networks through
# `spdc verify`. What breaks is saved in build/fuzz. The same SEED gives the same inputs.
SECONDS = 60
SEED = 1
NETWORKS = 20
fuzz: all
	swift build -c release --package-path Fuzz
	Fuzz/.build/release/Fuzz $(SECONDS) $(SEED)
	scripts/fuzz-networks $(SPDC) $(NETWORKS) $(SEED)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples Fuzz

# The committed C modules; a test says when they are out of date.
generated: all
	@scripts/generated $(SPDC)

# Against PyTorch, ONNX Runtime and TensorBoard, in a virtual environment of their own.
check-peers: all
	@Tests/Peers/check $(SPDC)

# bin/spdc, lib/spdc with what it compiles against, the manual page and shell completions, in $(DESTDIR)$(PREFIX).
install: all
	@scripts/install $(BIN) "$(DESTDIR)$(PREFIX)"

uninstall:
	@scripts/install --remove "$(DESTDIR)$(PREFIX)"

# build/spdc-VERSION-linux-ARCH.tar.gz, which runs without Swift on the machine. Built apart from the rest, in minutes.
dist: packages
	@scripts/dist

# The tarball on a Debian 12 that has clang and no Swift.
check-dist:
	@scripts/check-dist

# DocC archives of the libraries in build/docs.
docs: all
	@scripts/document $(BIN) build/docs

clean:
	rm -rf .build .build-dist build Benchmarks/.build Fuzz/.build
