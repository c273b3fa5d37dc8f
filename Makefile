# The two commands a newcomer needs: `make demo` and `make test`.
PREFIX ?= /usr/local
# One set of flags for everything, so that nothing is built twice.
SWIFT_BUILD = swift build -c release -Xswiftc -enable-testing
BIN = .build/release
SPDC = $(BIN)/spdc

.PHONY: all demo demo-train test bench bench-swift bench-peers bench-scaling bench-train experiment lint install generated check-peers packages fuzz clean

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

test: packages
	$(SWIFT_BUILD) --build-tests
	swift test -c release -Xswiftc -enable-testing --skip-build

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

# bin/spdc, and lib/spdc with the library for model files and the templates. Nothing in it refers to this folder.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/spdc/templates
	install -m 755 $(SPDC) $(DESTDIR)$(PREFIX)/bin/spdc
	install -m 644 templates/kernels/*.c templates/kernels/*.h $(DESTDIR)$(PREFIX)/lib/spdc/templates
	install -m 644 $(BIN)/Modules/SPD.swiftmodule $(DESTDIR)$(PREFIX)/lib/spdc
	rm -f $(DESTDIR)$(PREFIX)/lib/spdc/libSPD.a
	ar rcsD $(DESTDIR)$(PREFIX)/lib/spdc/libSPD.a $(BIN)/SPD.build/*.o

clean:
	rm -rf .build build Benchmarks/.build Fuzz/.build
