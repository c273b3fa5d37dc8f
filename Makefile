# Start with `make demo` and `make test`; `make check` is the quick check during development.
SHELL = /bin/bash
PREFIX ?= /usr/local
# The same flags for all optimised builds, so that nothing is built twice.
SWIFT_BUILD = swift build -c release -Xswiftc -enable-testing
BIN = .build/release
SPDC = $(BIN)/spdc

# Tests are built without the Swift optimiser (two thirds of the build time), except compute-heavy targets (Package.swift),
# and as a release: whole modules take less time than their files, and packages leave out the checks of debug builds. Tests
# share a cache of compiled C and Swift, and C is optimised only where tests say so: it takes eight times as long.
TEST_SWIFT = -c release --scratch-path build/tests -Xswiftc -enable-testing -Xswiftc -Onone
TEST_ENVIRONMENT = SPDC_TEST_BUILD=1 SPDC_CACHE='$(CURDIR)/build/cache' SPDC_CFLAGS=-O0
TEST_BUILD = $(TEST_ENVIRONMENT) swift build $(TEST_SWIFT) --build-tests
# TESTS is a regular expression of test names: make test TESTS=DetectTests.
TEST_RUN = $(TEST_ENVIRONMENT) swift test $(TEST_SWIFT) --skip-build $(if $(TESTS),--filter '$(TESTS)')
# Suites that `make check` skips: whole networks, and commands that run compilers.
SLOW_TESTS = ^(CTests|GeneratedTests|spdcTests)\.
# Prints the time of a recipe.
TIMED = TIMEFORMAT='make $@: %0lR, of processors %0lU + %0lS'; time

.PHONY: all demo demo-train check test test-all bench bench-swift bench-peers bench-scaling bench-train bench-detect bench-evaluate bench-data experiment lint generated check-peers packages fuzz install uninstall dist check-dist docs clean

all: packages
	$(SWIFT_BUILD) --product spdc

# Installs missing system packages, or names them.
packages:
	@scripts/packages

# With the build of the tests, which `make test` uses again: the Swift optimiser takes most of the time of an optimised one, and
# generated C is compiled as ever.
demo: packages
	@$(TIMED) { SPDC_TEST_BUILD=1 swift build $(TEST_SWIFT) --product spdc && scripts/demo build/tests/release/spdc; }

# Trains a small network with space-to-depth to classify drawn shapes, in under three minutes.
demo-train: all
	@scripts/demo-train $(SPDC)

# Takes up to a minute and a half and compiles no whole network.
check: packages
	@$(TIMED) { $(TEST_BUILD) && $(TEST_RUN) --skip '$(SLOW_TESTS)'; }

# All tests of continuous integration.
test: packages
	@$(TIMED) { $(TEST_BUILD) && $(TEST_RUN); } && \
	echo 'skipped: the long matrix of whole networks, compilers and sanitizers, and fuzzing (make test-all)'

# Before a release: all tests in the optimised build, and fuzzing of every reader.
test-all: packages
	@$(TIMED) { $(SWIFT_BUILD) --build-tests && \
	  SPDC_TEST_ALL=1 SPDC_CACHE='$(CURDIR)/build/cache-all' swift test -c release -Xswiftc -enable-testing --skip-build && \
	  $(MAKE) fuzz; }

# Prints fused against unfused inference for the six SPD networks.
bench: all
	@Benchmarks/table $(SPDC)

# Runs the Swift benchmarks, also per space-to-depth; FILTER is a regular expression of their names.
FILTER ?= .*
bench-swift: all
	cd Benchmarks && SPDC="$(abspath $(SPDC))" swift package benchmark --filter '$(FILTER)' --no-progress

# Compares inference with OpenVINO, ONNX Runtime, ncnn and PyTorch: docs/measured/benchmarks.md. Resumes if interrupted.
bench-peers: all
	@Benchmarks/peers/run $(SPDC)
	@Benchmarks/peers/report

# Measures time per operation by image size and batch: docs/measured/scaling.md.
bench-scaling: all
	@Benchmarks/peers/scaling $(SPDC)
	@Benchmarks/peers/report

# Compares training steps with PyTorch, for detection also from JPEG files to the update: docs/measured/training.md
# and docs/measured/detection-training.md.
bench-train: all
	@Benchmarks/training/run $(SPDC)
	@Benchmarks/training/detection $(SPDC)
	@Benchmarks/training/report

# Times detection of 500 JPEGs beside inference alone and a Python script with OpenVINO and OpenCV.
bench-detect: all
	@Benchmarks/detection/detect $(SPDC)

# Times COCO's evaluation beside pycocotools on an input of val2017's size.
bench-evaluate: all
	@Benchmarks/detection/evaluate $(SPDC)

# Times the scan of a data set of COCO's size, its annotations, the loader, and the waiting for it in training.
bench-data: all
	@Benchmarks/detection/data $(SPDC)

# Compares networks with space-to-depth, strided baselines and controls, in the background: ResNets on Fashion-MNIST (about
# an hour on two cores), then YOLOv5n on small objects (about two). Writes docs/measured/low-resolution.md and
# docs/measured/small-objects.md. Resumes if interrupted. Tiny runs of two minutes, once compiled: Benchmarks/experiment/run SPDC --quick.
experiment: all
	@Benchmarks/experiment/run $(SPDC) --background

# Fuzzes every reader for SECONDS each in processes with little memory, then runs random networks through
# `spdc verify`. Failing inputs are saved in build/fuzz. The same SEED gives the same inputs.
SECONDS = 60
SEED = 1
NETWORKS = 20
fuzz: all
	swift build -c release --package-path Fuzz
	Fuzz/.build/release/Fuzz $(SECONDS) $(SEED)
	scripts/fuzz-networks $(SPDC) $(NETWORKS) $(SEED)
	scripts/fuzz-pack $(SPDC) $(SECONDS)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples Fuzz

# Regenerates the committed C modules; a test fails if they are out of date.
generated: all
	@scripts/generated $(SPDC)

# Checks against PyTorch, ONNX Runtime and TensorBoard in a virtual environment.
check-peers: all
	@Tests/Peers/check $(SPDC)

# Installs bin/spdc, its library lib/spdc, the manual page and shell completions to $(DESTDIR)$(PREFIX).
install: all
	@scripts/install $(BIN) "$(DESTDIR)$(PREFIX)"

uninstall:
	@scripts/install --remove "$(DESTDIR)$(PREFIX)"

# Builds build/spdc-VERSION-linux-ARCH.tar.gz, which runs without Swift, in a separate build folder.
dist: packages
	@scripts/dist

# Tests the tarball on a Debian 12 with clang and without Swift.
check-dist:
	@scripts/check-dist

# Writes DocC archives of the libraries to build/docs.
docs: all
	@scripts/document $(BIN) build/docs

clean:
	rm -rf .build .build-dist build Benchmarks/.build Fuzz/.build
