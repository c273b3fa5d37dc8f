// swift-tools-version: 6.2
import PackageDescription

// Apart from the package whose readers it feeds, so that no build and no test of that one waits for it: `make fuzz`.
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
        .product(name: "SPDTraining", package: "spdc"),
      ])
  ]
)
