import Foundation
import SPDFormats
import SPDVision
import Testing

/// Examples/swift-train: a program declares, trains, saves, compiles and classifies, with no command involved.
@Suite struct SwiftTrainTests {
  @Test func theProgramTrainsAndClassifies() async throws {
    let scratch = try Scratch()
    try Stripes.write(to: scratch("data"))
    let program = URL(fileURLWithPath: Place.spdc).deletingLastPathComponent().appendingPathComponent("Pets").path
    let run = try await spdc(
      scratch("data"), scratch("data/val/down/13.png"), "8", scratch("pets"), executable: program
    ).succeeded()
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 8 + 3, "\(run.output)")
    #expect(lines.last?.hasPrefix("down ") == true, "\(run.output)")
    let weights = try readCheckpoint(scratch("pets/pets.safetensors"))
    #expect(weights.classNames == Stripes.classes && weights.metadata["input"] == "32x32")
    let source = try String(contentsOfFile: scratch("pets/c/pets.c"), encoding: .utf8)
    #expect(source.contains("pets_infer"))
    #expect(exists(scratch("pets/run/report.html")))
  }

  /// The page shows the program as it is, and it stays short.
  @Test func theProgramIsShort() throws {
    let path = Place.repository + "/Examples/swift-train/Sources/Pets/main.swift"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 61)
  }
}
