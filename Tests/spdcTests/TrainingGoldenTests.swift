import Foundation
import Testing

/// Training steps against PyTorch in float64: losses, gradients, and the state after three steps.
@Suite struct TrainingGoldenTests {
  private struct Answer: Decodable {
    var ok: Bool, compared: Int, worst: [String: Double]
  }

  @Test(arguments: [
    ("resnet18-spd", "resnet18-spd-64-b4-train", 415), ("yolov5-spd-n", "yolov5-spd-n-128-b2-train", 1189),
  ]) func matches(_ model: String, _ file: String, _ count: Int) async throws {
    let scratch = try Scratch()
    let result = try await spdc(
      arguments: [
        "verify", model, "--against", Place.fixtures + "/golden/\(file).json", "--report", scratch("report.json"),
        "--json",
      ]
    ).succeeded()
    let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    #expect(answer.ok && answer.compared == count)
    // The report is a case itself: what was computed agrees with it.
    let again = try await spdc(arguments: ["verify", model, "--against", scratch("report.json"), "--json"]).succeeded()
    let same = try JSONDecoder().decode(Answer.self, from: Data(again.output.utf8))
    #expect(same.compared == count && same.worst.values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [
    ("{", "is not JSON"), (#"{"model": "x"}"#, "is missing"),
    (
      #"{"model":"x","hw":[8],"batch":1,"labels":[0],"optimizer":{"lr":1},"steps":[],"after":{}}"#,
      "hw must be height and width"
    ),
    (#"{"model":"x","hw":[8,8],"batch":1,"optimizer":{"lr":1},"steps":[],"after":{}}"#, "either labels or targets"),
    (#"{"model":"x","hw":[8,8],"batch":1,"labels":[0],"optimizer":{"lr":1},"steps":[],"after":{}}"#, "has no steps"),
  ]) func refuses(_ text: String, _ message: String) async throws {
    let scratch = try Scratch()
    try text.write(toFile: scratch("case.json"), atomically: true, encoding: .utf8)
    let result = try await spdc(arguments: ["verify", "resnet18-spd", "--against", scratch("case.json")])
    #expect(result.code == 65)
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}
