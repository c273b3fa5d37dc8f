// swift-tools-version: 6.2
import Foundation
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

// The committed C modules are built for tests alone, so less optimised than their headers ask for. No product contains them, so their unsafe flags keep nobody
// from depending on this package. Debian keeps the OpenMP library of each clang in a folder that only that clang knows.
let openMP = (14...22).reversed().map { "/usr/lib/llvm-\($0)/lib" }
  .first { FileManager.default.fileExists(atPath: $0 + "/libomp.so") }
#if arch(x86_64)
  let vectors = ["-march=x86-64-v3"]
#else
  let vectors: [String] = []
#endif

func generated(_ name: String) -> Target {
  .target(
    name: name, path: "Generated/\(name)",
    cSettings: [
      .unsafeFlags(
        ["-O1", "-ffp-contract=fast", "-fno-math-errno"] + vectors + (openMP == nil ? [] : ["-fopenmp"]))
    ])
}

let package = Package(
  name: "spdc",
  products: [
    .executable(name: "spdc", targets: ["spdc"]),
    // What a model file imports.
    .library(name: "SPD", targets: ["SPD"]),
    // The networks of the paper, traced by programs that import them.
    .library(name: "SPDModels", targets: ["Models"]),
    // What an application that runs generated C imports.
    .library(name: "SPDRuntime", targets: ["SPDRuntime"]),
    // From a model to C and to a loaded module, as the command does it.
    .library(name: "SPDDriver", targets: ["SPDDriver"]),
    // Training runs, validation, classification of images, detection in images and videos.
    .library(name: "SPDTraining", targets: ["SPDTraining", "SPDReport"]),
    .library(name: "SPDData", targets: ["SPDData"]),
    .library(name: "SPDDetection", targets: ["SPDDetection"]),
    .library(name: "SPDVision", targets: ["SPDVision"]),
    // Weight files, arrays, ONNX.
    .library(name: "SPDFormats", targets: ["SPDFormats"]),
    .library(name: "SPDONNX", targets: ["SPDONNX"]),
    // The naive interpreter that compiled code is compared with.
    .library(name: "SPDReference", targets: ["SPDReference"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // The core: from a model file to C, and from C back to a program.
    .target(name: "SPD"),
    .target(name: "Models", dependencies: ["SPD"]),
    .target(name: "SPDCompiler", dependencies: ["SPD"]),
    // The oracle: a naive interpreter of graphs, gradients and losses.
    .target(name: "SPDReference", dependencies: ["SPD", "SPDCompiler"]),
    .target(
      name: "SPDTemplates", path: "templates", exclude: [], sources: ["Templates.swift"],
      resources: [.copy("kernels")]),
    .target(name: "CSPDModule"),
    .target(name: "SPDRuntime", dependencies: ["SPD", "CSPDModule"]),

    // Around it: files, images, ONNX.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "SPDFormats", dependencies: ["CZlib"]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "SPDVision", dependencies: ["SPDFormats", "CTurboJPEG", "CPNG"]),
    // What to train on.
    .target(name: "SPDData", dependencies: ["SPD", "SPDFormats", "SPDVision"]),
    // Object detection: labelled images, augmentation, boxes, evaluation.
    .target(name: "SPDDetection", dependencies: ["SPD", "SPDFormats", "SPDVision", "SPDData", yaml]),
    // Charts and pages.
    .target(name: "SPDReport", dependencies: ["SPDFormats", "SPDVision"]),
    .target(name: "SPDONNX", dependencies: ["SPD", "SPDFormats"]),

    // From a model file to a loaded module: what the command and the training are made of.
    .target(
      name: "SPDDriver",
      dependencies: [
        "SPD", "Models", "SPDCompiler", "SPDReference", "SPDTemplates", "SPDRuntime", "SPDFormats", "SPDVision",
        "SPDONNX",
        subprocess,
      ]),
    // Training runs: configuration, schedules, tasks, checkpoints, metrics, sweeps.
    .target(
      name: "SPDTraining",
      dependencies: [
        "SPD", "SPDCompiler", "SPDReference", "SPDRuntime", "SPDDriver", "SPDFormats", "SPDVision", "SPDData",
        "SPDDetection", "SPDReport", yaml,
      ]),

    // The command: arguments and printing.
    .executableTarget(
      name: "spdc",
      dependencies: [
        "SPD", "SPDCompiler", "SPDReference", "SPDRuntime", "SPDDriver", "SPDFormats", "SPDVision", "SPDData",
        "SPDDetection", "SPDTraining", "SPDReport", "SPDONNX", argumentParser,
      ]),

    // Examples/swift-train is a package of its own; here its program is built beside the tests that run it.
    .executableTarget(
      name: "Pets", dependencies: ["SPD", "SPDDriver", "SPDTraining", "SPDVision"],
      path: "Examples/swift-train/Sources/Pets"),

    // Written by `make generated`, for x86-64-v3.
    generated("resnet18_spd"),
    generated("yolov5_spd_n"),
    generated("tiny_spd"),
    generated("tiny_spd_train"),

    // What test targets share.
    .target(name: "TestSupport", dependencies: ["SPD", "SPDCompiler", "SPDReference"], path: "Tests/Support"),
    .testTarget(name: "SPDTests", dependencies: ["SPD", "SPDCompiler", "SPDReference", "Models", "TestSupport"]),
    .testTarget(
      name: "SPDCompilerTests", dependencies: ["SPDCompiler", "SPDReference", "SPDTemplates", "Models", "TestSupport"]),
    .testTarget(name: "SPDReferenceTests", dependencies: ["SPD", "SPDCompiler", "SPDReference", "TestSupport"]),
    .testTarget(name: "SPDRuntimeTests", dependencies: ["SPDRuntime"]),
    .testTarget(
      name: "CTests",
      dependencies: [
        "spdc", "SPD", "Models", "SPDCompiler", "SPDReference", "SPDTemplates", "SPDRuntime", "SPDDriver",
        "TestSupport",
      ],
      exclude: ["Drivers"]),
    .testTarget(
      name: "GeneratedTests",
      dependencies: [
        "resnet18_spd", "yolov5_spd_n", "tiny_spd", "tiny_spd_train", "SPDDriver", "SPDReference", "SPD", "Models",
        "SPDCompiler",
        "SPDRuntime",
      ],
      swiftSettings: openMP == nil ? [] : [.define("OPENMP")],
      linkerSettings: openMP.map {
        [.linkedLibrary("omp"), .unsafeFlags(["-L", $0, "-Xlinker", "-rpath", "-Xlinker", $0])]
      }),
    .testTarget(
      name: "SPDFormatsTests", dependencies: ["SPDFormats", "SPD"], exclude: ["Fixtures", "HostileFixtures"]),
    .testTarget(
      name: "SPDDataTests", dependencies: ["SPDData", "SPD", "SPDFormats", "SPDVision"], exclude: ["Fixtures"]),
    .testTarget(
      name: "SPDTrainingTests",
      dependencies: [
        "SPDTraining", "SPDDetection", "SPDReport", "SPDDriver", "SPDRuntime", "Models", "SPD", "SPDFormats",
        "SPDVision",
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "SPDDetectionTests", dependencies: ["SPDDetection", "SPD", "SPDData", "SPDFormats", "SPDVision"],
      exclude: ["Fixtures"]),
    .testTarget(name: "SPDVisionTests", dependencies: ["SPDVision", "SPDFormats"], resources: [.copy("Fixtures")]),
    .testTarget(name: "SPDONNXTests", dependencies: ["SPDONNX", "SPDFormats"], resources: [.copy("Fixtures")]),
    .testTarget(name: "SPDDriverTests", dependencies: ["SPDDriver", "SPD", "SPDCompiler", "Models"]),
    // Runs the command as it was built, and reads what it writes.
    .testTarget(
      name: "spdcTests",
      dependencies: [
        "spdc", "Pets", "SPD", "SPDDriver", "SPDFormats", "SPDData", "SPDTraining", "SPDVision", "TestSupport",
        subprocess,
      ]),
  ]
)

// In the build of `make check` and `make test`, which is without the optimiser, what computes is optimised all the same: flags of the
// command line come after those of a target, but those of the frontend come last. In an optimised build the tests' own code stays as
// it is. Nobody who depends on this package sees these flags.
let computing: Set = ["SPD", "SPDCompiler", "SPDReference", "SPDRuntime", "SPDFormats", "SPDVision", "SPDData"]
let isTestBuild = Context.environment["SPDC_TEST_BUILD"] != nil
for target in package.targets where target.type == .test || isTestBuild && computing.contains(target.name) {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [.unsafeFlags(target.type == .test ? ["-Onone"] : ["-Xfrontend", "-O"])]
}
