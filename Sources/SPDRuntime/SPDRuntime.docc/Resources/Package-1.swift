// swift-tools-version: 6.2
import PackageDescription

let fast: [CSetting] = [
  .unsafeFlags(["-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fopenmp"])
]

let package = Package(
  name: "training",
  dependencies: [.package(url: "https://github.com/spdc/spdc", branch: "main")],
  targets: [
    .target(name: "tiny_spd", exclude: ["tiny_spd.spdw"], cSettings: fast),
    .target(name: "tiny_spd_train", cSettings: fast),
    .executableTarget(
      name: "training",
      dependencies: [
        "tiny_spd", "tiny_spd_train", .product(name: "SPD", package: "spdc"),
        .product(name: "SPDRuntime", package: "spdc"),
      ],
      linkerSettings: [.linkedLibrary("omp")]),
  ]
)
