import Foundation
import Testing

/// `spdc val` against PyTorch, OpenCV, NumPy and pycocotools, whose numbers `Tests/Peers/validation.py` recorded.
struct ReferenceValidationTests {
  /// Images of twelve sizes, in rectangular batches; several are scaled by different ratios along x and y.
  @Test func numbersAreTheReferences() async throws {
    let folder = Place.fixtures + "/validation"
    let text = try Data(contentsOf: URL(fileURLWithPath: folder + "/expected.json"))
    let expected = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
    let options = ["size", "batch", "conf", "iou"].flatMap { ["--" + $0, "\(expected[$0] ?? "")"] }
    let found = try await spdc(
      arguments: [
        "val", "yolov5-spd-n", "--data", folder, "--weights",
        Place.repository + "/Examples/weights/yolov5-spd-n-shapes.safetensors", "--json",
      ] + options
    ).succeeded().object()
    for key in ["precision", "recall", "map50", "map50_95"] {
      let (wanted, value) = (try #require(expected[key] as? Double), try #require(found[key] as? Double))
      #expect(abs(value - wanted) < 0.002, "\(key): \(value), not \(wanted)")
    }
    let wanted = try #require(expected["coco"] as? [String: Double])
    let twelve = try #require(found["coco"] as? [String: Double])
    #expect(wanted.count == 12 && Set(wanted.keys) == Set(twelve.keys))
    for (key, value) in wanted { #expect(abs(twelve[key, default: -2] - value) < 0.002, "\(key)") }
  }
}
