import Foundation
import SPDFormats
import TestSupport
import Testing

/// Every shipped network against PyTorch in float64, with weights and input from the formula.
@Suite struct GoldenTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var file: String
    var model: String
    var options: [String]
    var testDescription: String { file }

    init(_ file: String, _ model: String, _ size: String, batch: Int = 1, classes: Int? = nil) {
      self.file = file
      self.model = model
      options = ["--size", size, "--batch", "\(batch)"] + (classes.map { ["--classes", "\($0)"] } ?? [])
    }
  }

  /// Each kind of network, with several images, classes and oblong inputs.
  static let cases = [
    Case("resnet18-spd-64-b2", "resnet18-spd", "64x64", batch: 2),
    Case("yolov5-spd-n-128x96-b1-c5", "yolov5-spd-n", "128x96", classes: 5),
    Case("resnet50-spd-32x32-b3-c100", "resnet50-spd", "32x32", batch: 3, classes: 100),
    Case("resnet18-spd-96x32-b1", "resnet18-spd", "96x32"),
    Case("yolov5n-64x64-b1", "yolov5n", "64x64"),
    Case("resnet18-32x32-b1", "resnet18", "32x32"),
    Case("resnet50-32x32-b1", "resnet50", "32x32"),
  ]

  /// More sizes of the same networks.
  static let long =
    [
      Case("yolov5-spd-n-320-b1", "yolov5-spd-n", "320x320"),
      Case("resnet50-spd-32-b2", "resnet50-spd", "32x32", batch: 2),
      Case("resnet18-spd-64x64-b4-c7", "resnet18-spd", "64x64", batch: 4, classes: 7),
    ]
    + ["yolov5-spd-n", "yolov5-spd-s", "yolov5-spd-m", "yolov5-spd-l", "yolov5s", "yolov5m", "yolov5l"]
    .map { Case("\($0)-64x64-b1", $0, "64x64") }
    + ["resnet18-spd", "resnet50-spd"].map { Case("\($0)-32x32-b1", $0, "32x32") }

  @Test(arguments: cases) func matches(_ item: Case) async throws { try await agrees(item) }

  @Test(.enabled(if: testsLongMatrix, "the long matrix: make test-all"), arguments: long) func matchesInMoreSizes(
    _ item: Case
  ) async throws { try await agrees(item) }

  private func agrees(_ item: Case) async throws {
    let scratch = try Scratch()
    let expected = try readNPY(Place.fixtures + "/golden/\(item.file).npy")
    try await spdc(
      arguments: ["run", item.model] + item.options
        + ["--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy")]
    ).succeeded()
    let found = try readNPY(scratch("y.npy"))
    #expect(excess(found, expected) <= 0, "shape \(found.shape), expected \(expected.shape)")
  }
}
