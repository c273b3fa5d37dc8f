// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that no build or test of the main package waits for it: `make fuzz`.
let package = Package(
  name: "spdc-fuzz",
  dependencies: [.package(name: "spdc", path: "..")],
  targets: [
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        .product(name: "SPD", package: "spdc"),
        .product(name: "SPDRuntime", package: "spdc"),
        .product(name: "SPDFormats", package: "spdc"),
        .product(name: "SPDData", package: "spdc"),
        .product(name: "SPDDetection", package: "spdc"),
        .product(name: "SPDTraining", package: "spdc"),
      ])
  ]
)
