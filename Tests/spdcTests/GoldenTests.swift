import Foundation
import SPDFormats
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

  static let cases =
    [
      Case("yolov5-spd-n-320-b1", "yolov5-spd-n", "320x320"),
      Case("resnet18-spd-64-b2", "resnet18-spd", "64x64", batch: 2),
      Case("resnet50-spd-32-b2", "resnet50-spd", "32x32", batch: 2),
      Case("yolov5-spd-n-128x96-b1-c5", "yolov5-spd-n", "128x96", classes: 5),
      Case("resnet18-spd-64x64-b4-c7", "resnet18-spd", "64x64", batch: 4, classes: 7),
      Case("resnet50-spd-32x32-b3-c100", "resnet50-spd", "32x32", batch: 3, classes: 100),
      Case("resnet18-spd-96x32-b1", "resnet18-spd", "96x32"),
    ]
    + ["yolov5-spd-n", "yolov5-spd-s", "yolov5-spd-m", "yolov5-spd-l", "yolov5n", "yolov5s", "yolov5m", "yolov5l"]
    .map { Case("\($0)-64x64-b1", $0, "64x64") }
    + ["resnet18-spd", "resnet50-spd", "resnet18", "resnet50"].map { Case("\($0)-32x32-b1", $0, "32x32") }

  @Test(arguments: cases) func matches(_ item: Case) async throws {
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
