// swift-tools-version: 6.2
import PackageDescription

// Apart from the package that it measures, which then builds without what measuring takes.
let package = Package(
  name: "spdc-benchmarks",
  dependencies: [
    .package(name: "spdc", path: ".."),
    // Its traits count allocations and retains, by libraries in front of malloc and Swift's runtime. Time is all that is
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
