// swift-tools-version: 6.2
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
  name: "spdc",
  products: [
    .executable(name: "spdc", targets: ["spdc"]),
    // What a model file imports.
    .library(name: "SPD", targets: ["SPD"]),
    // What an application that runs generated C imports.
    .library(name: "SPDRuntime", targets: ["SPDRuntime"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // The core: from a model file to C, and from C back to a program.
    .target(name: "SPD"),
    .target(name: "Models", dependencies: ["SPD"]),
    .target(name: "SPDCompiler", dependencies: ["SPD"]),
    .target(
      name: "SPDTemplates", path: "templates", exclude: [], sources: ["Templates.swift"],
      resources: [.copy("kernels")]),
    .target(name: "CSPDModule"),
    .target(name: "SPDRuntime", dependencies: ["SPD", "CSPDModule"]),

    // Around it: files, pictures, ONNX.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "SPDFormats", dependencies: ["CZlib"]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "SPDVision", dependencies: ["CTurboJPEG", "CPNG"]),
    .target(name: "SPDONNX", dependencies: ["SPD", protobuf], exclude: ["onnx.proto"]),

    .executableTarget(
      name: "spdc",
      dependencies: [
        "SPD", "Models", "SPDCompiler", "SPDTemplates", "SPDRuntime", "SPDFormats", "SPDVision", "SPDONNX",
        argumentParser, subprocess,
      ]),

    .testTarget(name: "SPDCompilerTests", dependencies: ["SPDCompiler", "Models"]),
    .testTarget(name: "SPDRuntimeTests", dependencies: ["SPDRuntime"]),
    .testTarget(
      name: "CTests", dependencies: ["spdc", "SPD", "Models", "SPDCompiler", "SPDTemplates", "SPDRuntime"],
      exclude: ["Drivers"]),
    .testTarget(name: "SPDFormatsTests", dependencies: ["SPDFormats"], exclude: ["Fixtures"]),
    .testTarget(name: "SPDVisionTests", dependencies: ["SPDVision"], resources: [.copy("Fixtures")]),
    .testTarget(name: "SPDONNXTests", dependencies: ["SPDONNX"]),
  ]
)
