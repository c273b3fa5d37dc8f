import Foundation
import SPDDetection
import SPDFormats

/// evolve.csv: one row per generation, with its metrics and then its hyperparameters under YOLOv5's names.
final class EvolutionFile {
  private(set) var generations: [Generation]
  private let file: AppendedFile

  private static let metrics =
    [DetectionTask.bestMetric]
    + DetectionTask.metrics.filter(\.isValidation).map(\.name).filter { $0 != DetectionTask.bestMetric }
  private static let fields = DetectionHyperparameters.fields.filter { $0.path != nil }
  private static let header =
    ["generation"] + metrics + fields.map(\.key) + ["seconds", "outcome"]

  /// Opens or creates the file and replaces its rows.
  ///
  /// - Throws: `FormatError` if it cannot be written or another process is writing it.
  init(_ path: String, _ generations: [Generation]) throws {
    self.generations = generations
    file = try AppendedFile.replacing(
      path, by: CSV.line(Self.header) + generations.map { CSV.line(Self.fields(of: $0)) }.joined())
  }

  func append(_ generation: Generation) throws {
    generations.append(generation)
    try file.append(Array(CSV.line(Self.fields(of: generation)).utf8))
    try file.flush()
  }

  private static func fields(of generation: Generation) -> [String] {
    [String(generation.number)] + metrics.map { name in generation.values[name].map { "\($0)" } ?? "" }
      + fields.map { "\(generation.hyperparameters[keyPath: $0.path!])" }
      + [String(format: "%.1f", generation.seconds), generation.outcome]
  }

  /// Reads the generations of a file; none if it does not exist. A last row without a line end is incomplete and left out.
  ///
  /// - Parameter start: hyperparameters that are not in the file.
  /// - Throws: `FormatError` for another table.
  static func read(_ path: String, _ start: DetectionHyperparameters) throws -> [Generation] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let lines = CSV.lines(try readText(path))
    func refusal(_ line: Int, _ problem: String) -> FormatError {
      FormatError(
        path: path, problem: problem, location: "line \(line)",
        remedy: "Use another folder, or remove this file to begin again")
    }
    guard let first = lines.first else { return [] }
    guard first == header else { throw refusal(1, "is not the table of an evolution of this version") }
    return try lines.dropFirst().enumerated().map { index, words in
      guard words.count == header.count, let number = Int(words[0]), number == index + 1,
        let generation = Generation(number, words, metrics, fields, start)
      else { throw refusal(index + 2, "the row cannot be read") }
      return generation
    }
  }
}

extension Generation {
  /// - Parameter words: the fields of a row.
  fileprivate init?(
    _ number: Int, _ words: [String], _ metrics: [String], _ fields: [HyperparameterField],
    _ start: DetectionHyperparameters
  ) {
    self.number = number
    outcome = words.last!
    values = [:]
    for (name, word) in zip(metrics, words.dropFirst()) where !word.isEmpty {
      guard let value = Double(word) else { return nil }
      values[name] = value
    }
    hyperparameters = start
    for (field, word) in zip(fields, words.dropFirst(1 + metrics.count)) {
      guard let value = Double(word), field.limits.contains(value) else { return nil }
      hyperparameters[keyPath: field.path!] = value
    }
    guard let time = Double(words[words.count - 2]) else { return nil }
    seconds = time
  }
}
