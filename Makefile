# The two commands a newcomer needs: `make demo` and `make test`.
PREFIX ?= /usr/local
# One set of flags for everything, so that nothing is built twice.
SWIFT_BUILD = swift build -c release -Xswiftc -enable-testing
BIN = .build/release
SPDC = $(BIN)/spdc

.PHONY: all demo demo-train test bench bench-swift bench-peers bench-scaling bench-train experiment lint generated check-peers packages install uninstall dist check-dist docs clean

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

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples

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
	rm -rf .build .build-dist build Benchmarks/.build
