import Foundation
import Testing

/// Training steps against PyTorch in float64: losses, gradients, and the state after three steps.
@Suite struct TrainingGoldenTests {
  private struct Answer: Decodable {
    var ok: Bool, compared: Int, worst: [String: Double]
  }

  private func verified(_ model: String, _ file: String, _ more: String...) async throws -> Answer {
    let result = try await spdc(arguments: ["verify", model, "--json", "--against", file] + more).succeeded()
    return try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
  }

  @Test func detectorMatches() async throws {
    let answer = try await verified("yolov5-spd-n", Place.fixtures + "/golden/yolov5-spd-n-128-b2-train.json")
    #expect(answer.ok && answer.compared == 1189)
  }

  /// The report is a case itself: what was computed agrees with it.
  @Test func classifierMatchesAndItsReportIsACase() async throws {
    let scratch = try Scratch()
    let answer = try await verified(
      "resnet18-spd", Place.fixtures + "/golden/resnet18-spd-64-b4-train.json", "--report", scratch("report.json"))
    #expect(answer.ok && answer.compared == 415)
    let same = try await verified("resnet18-spd", scratch("report.json"))
    #expect(same.compared == 415 && same.worst.values.allSatisfy { $0 == 0 })
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
