# The commands a newcomer needs: `make demo` and `make test`; what a developer runs all day: `make check`.
SHELL = /bin/bash
PREFIX ?= /usr/local
SWIFT_BUILD = swift build -c release
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

.PHONY: all demo demo-train check test test-all bench bench-swift bench-peers bench-scaling bench-train experiment lint install generated check-peers packages clean

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
	@$(TIMED) { swift build -c release -Xswiftc -enable-testing --build-tests && \
	  SPDC_TEST_ALL=1 SPDC_CACHE='$(CURDIR)/build/cache-all' swift test -c release -Xswiftc -enable-testing --skip-build && \
	  $(MAKE) fuzz; }

# Fused against unfused for the six SPD networks, as a table.
bench: all
	@Benchmarks/table $(SPDC)

# The same from Swift, and for each space-to-depth: every benchmark, or those that the regular expression FILTER matches.
FILTER ?= .*
bench-swift: all
	cd Benchmarks && SPDC="$(abspath $(SPDC))" swift package benchmark --filter '$(FILTER)' --no-progress

# Beside OpenVINO, ONNX Runtime, ncnn and PyTorch: docs/benchmarks.md. Interrupted, it goes on where it stopped.
bench-peers: all
	@Benchmarks/peers/run $(SPDC)
	@Benchmarks/peers/report

# Time per operation by image size and batch: docs/scaling.md.
bench-scaling: all
	@Benchmarks/peers/scaling $(SPDC)
	@Benchmarks/peers/report

# Training steps beside PyTorch: docs/training.md.
bench-train: all
	@Benchmarks/training/run $(SPDC)
	@Benchmarks/training/report

# The paper's classifiers against their strided baselines at falling resolution, about an hour: docs/experiment.md. Interrupted, it goes on.
experiment: all
	@Benchmarks/experiment/run $(SPDC)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples

# The committed C modules; a test says when they are out of date.
generated: all
	@scripts/generated $(SPDC)

# Against PyTorch, ONNX Runtime and TensorBoard, in a virtual environment of their own.
check-peers: all
	@Tests/Peers/check $(SPDC)

# bin/spdc, and lib/spdc with the library for model files and the templates. Nothing in it refers to this folder.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/spdc/templates
	install -m 755 $(SPDC) $(DESTDIR)$(PREFIX)/bin/spdc
	install -m 644 templates/kernels/*.c templates/kernels/*.h $(DESTDIR)$(PREFIX)/lib/spdc/templates
	install -m 644 $(BIN)/Modules/SPD.swiftmodule $(DESTDIR)$(PREFIX)/lib/spdc
	rm -f $(DESTDIR)$(PREFIX)/lib/spdc/libSPD.a
	ar rcsD $(DESTDIR)$(PREFIX)/lib/spdc/libSPD.a $(BIN)/SPD.build/*.o

clean:
	rm -rf .build build Benchmarks/.build
