// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "spdc",
  products: [
    .executable(name: "spdc", targets: ["spdc"]),
    .library(name: "SPD", targets: ["SPD"]),
  ],
  targets: [
    .target(name: "SPD"),
    .target(name: "Models", dependencies: ["SPD"]),
    .executableTarget(name: "spdc", dependencies: ["SPD", "Models"]),
  ]
)
