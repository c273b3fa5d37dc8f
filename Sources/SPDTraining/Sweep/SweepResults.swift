import Foundation
import SPDFormats

/// The result of a trial.
public struct SweepResult: Equatable, Sendable {
  /// Number of the trial, counted from 1.
  public var trial: Int
  /// Values of the searched settings, in the order of the space.
  public var words: [String]
  /// The metric; nil if the trial failed.
  public var metric: Double?
  public var seconds: Double
  /// `finished`, or why it failed.
  public var outcome: String

  public static let finished = "finished"
}

/// sweep.csv: one row per completed trial.
final class SweepResultsFile {
  private(set) var results: [SweepResult]
  private let file: AppendedFile
  private let dimensions: Int

  /// Opens or creates the file and replaces its rows by these results.
  ///
  /// - Throws: `FormatError` if it cannot be written or another process is writing it.
  init(_ path: String, space: SweepSpace, results: [SweepResult]) throws {
    dimensions = space.dimensions.count
    self.results = results
    file = try AppendedFile.replacing(
      path, by: CSV.line(Self.header(space)) + results.map { CSV.line($0.fields) }.joined())
  }

  private static func header(_ space: SweepSpace) -> [String] {
    ["trial"] + space.dimensions.map(\.key) + [space.metric, "seconds", "outcome"]
  }

  /// Reads the results of a file; none if it does not exist.
  ///
  /// - Throws: `FormatError` if the file belongs to another sweep.
  static func read(_ path: String, space: SweepSpace, trials: [SweepTrial]) throws -> [SweepResult] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let header = header(space)
    let lines = CSV.lines(try readText(path))
    func otherSweep(_ line: Int, _ problem: String) -> FormatError {
      FormatError(
        path: path, problem: "is from another sweep: \(problem)", location: "line \(line)",
        remedy: "Use another folder, or the space that this sweep was started with")
    }
    // A table without rows fits any sweep.
    if lines.count > 1, let first = lines.first, first != header {
      throw otherSweep(1, "its columns are \(first.joined(separator: ", ")), not \(header.joined(separator: ", "))")
    }
    return try lines.dropFirst().enumerated().map { index, fields in
      guard let result = SweepResult(fields, dimensions: space.dimensions.count) else {
        throw otherSweep(index + 2, "the row cannot be read")
      }
      // Results beyond a reduced number of trials are kept.
      if result.trial <= trials.count {
        for (word, value) in zip(result.words, trials[result.trial - 1].values) where word != value.word {
          throw otherSweep(
            index + 2, "trial \(result.trial) has \(value.key) \(word), but the space gives \(value.word)")
        }
      }
      return result
    }
  }

  func append(_ result: SweepResult) throws {
    precondition(result.words.count == dimensions, "one word per dimension")
    results.append(result)
    try file.append(Array(CSV.line(result.fields).utf8))
    try file.flush()
  }
}

extension SweepResult {
  fileprivate var fields: [String] {
    [String(trial)] + words + [metric.map { "\($0)" } ?? "", String(format: "%.1f", seconds), outcome]
  }

  fileprivate init?(_ fields: [String], dimensions: Int) {
    guard fields.count == dimensions + 4, let trial = Int(fields[0]), trial > 0,
      let seconds = Double(fields[dimensions + 2])
    else { return nil }
    let metric = fields[dimensions + 1]
    if !metric.isEmpty, Double(metric) == nil { return nil }
    self.init(
      trial: trial, words: Array(fields[1...dimensions]), metric: Double(metric), seconds: seconds,
      outcome: fields[dimensions + 3])
  }
}
