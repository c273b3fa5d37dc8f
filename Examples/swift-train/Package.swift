// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Pets",
  // In an application of your own: .package(url: "https://github.com/spdc/spdc", from: "0.1.0")
  dependencies: [.package(name: "spdc", path: "../..")],
  targets: [
    .executableTarget(
      name: "Pets",
      dependencies: [
        .product(name: "SPD", package: "spdc"), .product(name: "SPDDriver", package: "spdc"),
        .product(name: "SPDTraining", package: "spdc"), .product(name: "SPDVision", package: "spdc"),
      ])
  ]
)
