import ArgumentParser
import Foundation
import SPDDriver

/// Implements `spdc verify MODEL --against CASE.json`: runs a training case and compares it with its reference.
struct VerifyTraining {
  var options: ModelOptions
  var threads: Int
  var json: Bool
  /// Path of the computed results, written in the format of a case.
  var report: String?

  func run(_ path: String) async throws {
    let wanted = try TrainingCase.read(path)
    let (network, found) = try await wanted.run(options.model, options.compile, threads: threads, path: path)
    if let report {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
      try Files.write(try encoder.encode(found), to: report)
    }
    try print(wanted.deviations(of: found), model: network, path)
  }

  private func print(_ deviations: [TrainingDeviation], model: String, _ path: String) throws {
    let off = deviations.filter { !$0.isWithin }
    let kinds = Dictionary(grouping: deviations) {
      $0.what.contains("grad_l2")
        ? "grad_l2"
        : $0.what.contains("grad_head") ? "grad_head" : $0.what.hasPrefix("after") ? "after" : "loss"
    }
    if json {
      struct Answer: Encodable {
        var model: String, ok: Bool, compared: Int, worst: [String: Double], off: [TrainingDeviation]
      }
      try Console.print(
        json: Answer(
          model: model, ok: off.isEmpty, compared: deviations.count,
          worst: kinds.mapValues { $0.map(\.deviation).max() ?? 0 }, off: off))
    } else {
      let rows = ["loss", "grad_l2", "grad_head", "after"].compactMap { kind -> [String]? in
        guard let all = kinds[kind], let worst = all.max(by: { $0.deviation / $0.limit < $1.deviation / $1.limit })
        else {
          return nil
        }
        return [
          all.allSatisfy(\.isWithin) ? "ok" : "OFF", kind, "\(all.count)", String(format: "%.1e", worst.deviation),
          String(format: "%.1e", worst.limit), worst.what,
        ]
      }
      Console.print(columns([["", "metric", "count", "worst", "limit", "where"]] + rows, right: [2, 3, 4]))
      for one in off.prefix(10) {
        Console.print("off: \(one.what) is \(one.found), expected \(one.expected)")
      }
      Console.print("\(deviations.count - off.count) of \(deviations.count) values agree with \(path)")
    }
    if !off.isEmpty { throw ExitCode(Failure.Code.different.rawValue) }
  }
}
