// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the measured package builds without the benchmark library.
let package = Package(
  name: "spdc-benchmarks",
  dependencies: [
    .package(name: "spdc", path: ".."),
    // The library's traits count allocations and retains by interposing malloc and Swift's runtime. Only time is
    // measured here.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "FusedUnfused",
      dependencies: [
        .product(name: "SPD", package: "spdc"),
        .product(name: "SPDModels", package: "spdc"),
        .product(name: "SPDRuntime", package: "spdc"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "FusedUnfused",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
