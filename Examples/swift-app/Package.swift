// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Debian installs libomp into a folder per clang version that other versions do not search.
let folders = (14...22).reversed().map { "/usr/lib/llvm-\($0)/lib" }
let openMP = folders.first { FileManager.default.fileExists(atPath: $0 + "/libomp.so") }

let package = Package(
  name: "swift-app",
  dependencies: [.package(name: "spdc", path: "../..")],
  targets: [
    // A folder written by `spdc compile`. The flags are those that its header recommends: SwiftPM's defaults are half
    // as fast.
    .target(
      name: "resnet18_spd", exclude: ["resnet18_spd.spdw"],
      cSettings: [
        .unsafeFlags(
          ["-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno"] + (openMP == nil ? [] : ["-fopenmp"]))
      ]),
    .executableTarget(
      name: "App", dependencies: ["resnet18_spd", .product(name: "SPDRuntime", package: "spdc")],
      linkerSettings: openMP.map {
        [.linkedLibrary("omp"), .unsafeFlags(["-L", $0, "-Xlinker", "-rpath", "-Xlinker", $0])]
      }),
  ]
)
