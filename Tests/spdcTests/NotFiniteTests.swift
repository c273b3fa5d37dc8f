import Foundation
import SPDDriver
import SPDFormats
import Testing

/// Weights and outputs with NaN or infinity give an error instead of a class.
@Suite struct NotFiniteTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func weights(_ key: String, _ index: Int, _ value: Float) throws -> String {
    let file = try readSafetensors(Place.fixtures + "/weights/good.safetensors")
    var tensors: [NamedTensor] = file.order.map { ($0, file.tensors[$0]!) }
    tensors[tensors.firstIndex { $0.name == key }!].tensor.values[index] = value
    try writeSafetensors(tensors, metadata: [:], to: scratch("w.safetensors"))
    return scratch("w.safetensors")
  }

  @Test func theFirstIsKnown() {
    let found = NotFinite([1, .nan, 2, -.infinity])
    #expect(found.count == 2 && found.total == 4 && found.first?.index == 1)
    #expect(NotFinite([0, -1]).first == nil)
  }

  @Test func severalOutputsAreToldApart() throws {
    let error = #expect(throws: OutputNotFinite.self) {
      try OutputNotFinite.check([0, 1, .infinity, .nan, 4], [[1, 2], [1, 3]], of: "net")
    }
    #expect(
      error?.description.contains("net: output is not finite (output 1: 2 of 3 values, the first infinity at 0)")
        == true)
    try OutputNotFinite.check([0, 1], [[2]], of: "net")
  }

  @Test func everyCommandSaysSo() async throws {
    let weights = try weights("0.weight", 5, .nan)
    let image = Place.shapes + "/000.jpg"
    let warning = "warning: \(weights): 1 parameter not finite: 0.weight[0, 0, 1, 2] is NaN"
    let run = try await spdc(
      "run", Place.tiny, "--weights", weights, "--input", "synthetic", "--output", scratch("y.npy"))
    #expect(run.code == Exit.data.rawValue && exists(scratch("y.npy")))
    #expect(run.errors.contains(warning) && run.errors.contains("tiny-spd: output is not finite (10 of 10 values"))
    let classify = try await spdc("classify", Place.tiny, "--weights", weights, "--json", image)
    #expect(classify.code == Exit.data.rawValue && classify.errors.contains("\(image): tiny-spd: output is not finite"))
    let val = try await spdc(
      "val", Place.tiny, "--weights", weights, "--data", "shapes:32", "--set", "limit=20", "--batch", "10")
    #expect(val.code == Exit.data.rawValue && val.output.isEmpty)
    #expect(val.errors.contains("tiny-spd: output is not finite for 20 of 20 images"), "\(val.errors)")
  }
}
