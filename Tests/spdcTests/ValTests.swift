import Foundation
import SPDFormats
import SPDTraining
import Testing

/// `spdc val`.
@Suite struct ValTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Weights of other formats give the same metrics as in training.
  @Test func weightsOfAnyFormat() async throws {
    try await TinyTraining.train("--epochs", "2", "--out", scratch("run")).succeeded()
    let last = scratch("run/checkpoints/last.safetensors")
    let own = try await spdc("val", Place.tiny, "--weights", last, "--json").succeeded()
    try await spdc("convert", last, scratch("w.npz")).succeeded()
    let other = try await spdc(
      "val", Place.tiny, "--weights", scratch("w.npz"), "--data", "shapes:12", "--batch", "16", "--threads", "1",
      "--set", "limit=160", "--json"
    ).succeeded().object()
    for key in ["top1", "top5", "loss"] { #expect(try own.object()[key] as? Double == other[key] as? Double) }
    // As text: JSONSerialization may read a number of 17 digits as its neighbour.
    let loss = try #require(try TinyTraining.column("val/loss", scratch("run")).last)
    #expect(own.output.contains("\"loss\" : \(loss),"), "\(loss): \(own.output)")
  }

  @Test func classesInAnotherOrder() async throws {
    try await TinyTraining.train("--epochs", "1", "--out", scratch("run")).succeeded()
    let weights = try readSafetensors(scratch("run/checkpoints/last.safetensors"))
    func written(_ names: [String]) throws -> String {
      let tensors = weights.order.filter { !CheckpointFormat.isTrainingState($0) }.map { ($0, weights.tensors[$0]!) }
      let json = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
      try writeSafetensors(tensors, metadata: ["names": json, "nc": "\(names.count)"], to: scratch("w.safetensors"))
      return scratch("w.safetensors")
    }
    func val(_ weights: String) async throws -> Outcome {
      try await spdc("val", Place.tiny, "--weights", weights, "--data", "shapes:12", "--set", "limit=160", "--json")
    }
    let names = try #require(weights.classNames)
    func matrix(_ outcome: Outcome) throws -> [String: Int] {
      let classes = try #require(try outcome.object()["classes"] as? [[String: Any]])
      return Dictionary(uniqueKeysWithValues: classes.map { ($0["name"] as! String, $0["images"] as! Int) })
    }
    let own = try await val(written(names)).succeeded()
    #expect(own.errors.isEmpty)
    // Each image still counts for the class of its name, whatever the weights call their first output.
    let reversed = try await val(written(names.reversed())).succeeded()
    #expect(try matrix(reversed) == matrix(own))
    try await val(written(["circle"] + names.dropFirst())).failed(.data, "the class `\(names[0])` is not among the 10")
  }

  /// The run's own folder is evaluated on its validation split, any other folder on all images.
  @Test func undividedFolders() async throws {
    let folder = try TinyTraining.images(in: scratch) + "/train"
    try await TinyTraining.train("--data", folder, "--epochs", "1", "--seed", "1", "--out", scratch("run")).succeeded()
    let last = scratch("run/checkpoints/last.safetensors")
    func images(_ arguments: String...) async throws -> Int? {
      try await spdc(arguments: ["val", Place.tiny, "--weights", last, "--json"] + arguments).succeeded().object()[
        "images"] as? Int
    }
    #expect(try await images() == 4)
    #expect(try await images("--preset", "default") == 4)
    #expect(try await images("--data", folder + "/") == 4)
    #expect(try await images("--data", scratch("images/../images/train"), "--set", "limit=3") == 3)
    #expect(
      try await images("--data", scratch("images/val"), "--config", scratch("run/config.yaml")) == 4)
    #expect(try await images("--data", scratch("images/val")) == 48)
    #expect(try await images("--data", scratch("images/val"), "--set", "val-fraction=0.25") == 12)
  }

  @Test func mistakesAreExplained() async throws {
    try await TinyTraining.train("--epochs", "1", "--out", scratch("run")).succeeded()
    let whole = try bytes(scratch("run/checkpoints/last.safetensors"))
    let torn = try scratch.write(Array(whole.dropLast(100)), "torn.safetensors")
    try await spdc("val", Place.tiny, "--weights", torn).failed(.data, "torn.safetensors: ")
    let folder = try TinyTraining.images(in: scratch)
    for name in scratch.names where name.hasPrefix("images/val/") && name.hasSuffix(".ppm") {
      _ = try scratch.write("P6", name)
    }
    try await spdc("val", Place.tiny, "--weights", "synthetic", "--data", folder).failed(
      .data, "none of its 48 images can be read")
    try await spdc("val", Place.tiny, "--data", "shapes:12").failed(.usage, "no weights: give --weights")
    try await spdc("val", Place.tiny, "--weights", "synthetic").failed(.usage, "no data set: give --data")
    try await spdc("val", Place.tiny, "--weights", "synthetic", "--data", Place.repository + "/templates").failed(
      .data, "is no data set; looked for")
    try await spdc("val", Place.tiny, "--weights", "/no/such", "--data", "shapes:12", "--set", "limit=20").failed(
      .noInput, "/no/such: no such weight file")
  }

  /// A graph has one size and one batch, and is measured with them.
  @Test func aGraphInPlaceOfAModel() async throws {
    try await spdc("compile", Place.tiny, "--emit", "graph", "-o", scratch("g.json")).succeeded()
    let weights = [
      "--weights", Place.fixtures + "/weights/good.safetensors", "--data", "shapes:32", "--set", "limit=20",
    ]
    let answers = try await [Place.tiny, scratch("g.json")].asyncMap {
      try await spdc(arguments: ["val", $0, "--json"] + weights).succeeded().object()["loss"] as? Double
    }
    #expect(answers[0] != nil && abs(answers[0]! - answers[1]!) < 1e-4)
    try await spdc(arguments: ["train", scratch("g.json"), "--data", "shapes:32", "--out", scratch("run")]).failed(
      .usage, "another batch requires the model file; use --batch 1")
  }
}

extension Array {
  fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await body(element)) }
    return results
  }
}
