import Foundation
import SPDVision
import Testing

/// A checkpoint brings the input size, the normalisation and the class names of its run wherever its weights are used.
@Suite(.serialized) struct CheckpointInputTests {
  private static let scratch = try! Scratch()
  private var scratch: Scratch { Self.scratch }
  private var best: String { scratch("run/checkpoints/best.safetensors") }

  /// One run for all tests: 24×24 where the model declares 32×32, images of 48×32.
  private static let run = Task {
    try Stripes.write(to: scratch("data"), width: 48)
    return try await spdc(
      "train", Place.tiny, "--data", scratch("data"), "--size", "24", "--epochs", "6", "--batch", "12", "--lr", "0.05",
      "--out", scratch("run"))
  }

  init() async throws { try await Self.run.value.succeeded() }

  private struct Answer: Decodable {
    struct Class: Decodable { var name: String, probability: Double }
    var image: String, classes: [Class]
  }

  private func classify(_ arguments: String...) async throws -> (wrong: Int, count: Int, notes: String) {
    let images = Stripes.classes.flatMap { name in (12..<16).map { scratch("data/val/\(name)/\($0).png") } }
    let outcome = try await spdc(
      arguments: ["classify", Place.tiny, "--json", "--top", "1"] + arguments + images
    ).succeeded()
    let answers = try JSONDecoder().decode([Answer].self, from: Data(outcome.output.utf8))
    return (
      answers.count { !$0.image.contains("/\($0.classes[0].name)/") }, answers.count, outcome.errors
    )
  }

  /// What `val` counts and what `classify` says of the same images agree, with nothing but defaults.
  @Test func classifyAgreesWithVal() async throws {
    let val = try await spdc("val", Place.tiny, "--weights", best, "--json").succeeded().object()
    let found = try await classify("--weights", best)
    #expect(found.count == 12)
    #expect(val["top1"] as? Double == Double(12 - found.wrong) / 12)
    #expect(val["input"] as? [Int] == [24, 24])
    // It says what it took.
    #expect(found.notes.contains("input 24×24") && found.notes.contains("mean 0.5 0.5 0.5"), "\(found.notes)")
    #expect(found.notes.contains("3 class names"))
  }

  /// Conversion to plain safetensors keeps it.
  @Test func conversionKeepsIt() async throws {
    try await spdc("convert", best, scratch("plain.safetensors")).succeeded()
    let (a, b) = (try await classify("--weights", best), try await classify("--weights", scratch("plain.safetensors")))
    #expect(a.wrong == b.wrong && b.notes.contains("input 24×24"))
  }

  @Test func everyCommandCompilesWhatWasTrained() async throws {
    for arguments in [["compile", Place.tiny, "--emit", "graph", "-o", scratch("g.json")]] {
      try await spdc(arguments: arguments + ["--weights", best]).succeeded()
    }
    let graph = try String(contentsOfFile: scratch("g.json"), encoding: .utf8)
    #expect(graph.contains("\"classNames\":[\"across\",\"down\",\"plain\"]") && graph.contains("\"preprocessing\""))
    try await spdc("compile", Place.tiny, "--weights", best, "--emit", "c", "-o", scratch("c")).succeeded()
    let header = try String(contentsOfFile: scratch("c/include/tiny_spd.h"), encoding: .utf8)
    for line in [
      "TINY_SPD_WIDTH 24", "TINY_SPD_INPUT_RANGE 1.0f", "TINY_SPD_INPUT_MEAN {0.5f, 0.5f, 0.5f}",
      "TINY_SPD_INPUT_STD {0.25f, 0.25f, 0.25f}", "TINY_SPD_CLASS_NAMES {\"across\", \"down\", \"plain\"}",
    ] { #expect(header.contains("#define " + line + "\n"), "\(line)") }
    try await spdc("export", Place.tiny, "--weights", best, "-o", scratch("m.onnx")).succeeded()
    let onnx = String(decoding: try bytes(scratch("m.onnx")), as: UTF8.self)
    #expect(onnx.contains("value_range") && onnx.contains("{0: 'across', 1: 'down', 2: 'plain'}"))
    let run = try await spdc(
      "run", Place.tiny, "--weights", best, "--input", "synthetic", "--output", scratch("y.npy"))
    #expect(run.code == 0 && run.errors.contains("input 24×24"), "\(run.errors)")
    // Unless told otherwise.
    let other = try await spdc(
      "compile", Place.tiny, "--weights", best, "--size", "40x40", "--emit", "graph", "-o", scratch("h.json"))
    #expect(other.code == 0 && !other.errors.contains("input 24×24"), "\(other.errors)")
  }

  /// A data set with some of the classes, numbered differently there, is mapped by name.
  @Test func someOfTheClasses() async throws {
    for name in Stripes.classes.dropFirst() {
      try FileManager.default.createDirectory(atPath: scratch("part"), withIntermediateDirectories: true)
      try? FileManager.default.copyItem(atPath: scratch("data/val/\(name)"), toPath: scratch("part/\(name)"))
    }
    let whole = try await spdc("val", Place.tiny, "--weights", best, "--json").succeeded().object()
    let part = try await spdc("val", Place.tiny, "--weights", best, "--data", scratch("part"), "--json").succeeded()
      .object()
    func top1(_ report: [String: Any]) throws -> [String: Double] {
      let classes = try #require(report["classes"] as? [[String: Any]])
      return Dictionary(uniqueKeysWithValues: classes.map { ($0["name"] as! String, $0["top1"] as? Double ?? -1) })
    }
    let (all, some) = (try top1(whole), try top1(part))
    #expect(Set(some.keys) == ["down", "plain"])
    for (name, value) in some { #expect(value == all[name]) }
    // A class that the network does not know is an error that names it.
    try FileManager.default.moveItem(atPath: scratch("part/plain"), toPath: scratch("part/zebra"))
    try await spdc("val", Place.tiny, "--weights", best, "--data", scratch("part")).failed(.data, "`zebra`", "across")
  }

  /// Images of one size do not change the network's: that is the model's, unless asked.
  @Test func theModelsSizeIsTaken() async throws {
    let run = try await spdc(
      "train", Place.tiny, "--data", scratch("data"), "--epochs", "1", "--batch", "12", "--out", scratch("declared"),
      "--json"
    ).succeeded().object()
    #expect(run["input"] as? [Int] == [32, 32])
    let first = try await Self.run.value
    #expect(first.errors.contains("images of 48×32 are scaled and cropped to 24×24"), "\(first.errors)")
  }
}
