import Foundation

/// The deviations of training steps from their reference, by kind.
package struct TrainingComparison: Encodable {
  package var model: String, ok: Bool
  /// Number of compared values.
  package var compared: Int
  /// The largest deviation of each kind: loss, grad_l2, grad_head, after.
  package var worst: [String: Double]
  /// Deviations beyond their limits.
  package var off: [TrainingDeviation]
  private let kinds: [String: [TrainingDeviation]]

  private enum CodingKeys: String, CodingKey { case model, ok, compared, worst, off }

  package init(_ deviations: [TrainingDeviation], model: String) {
    self.model = model
    compared = deviations.count
    off = deviations.filter { !$0.isWithin }
    ok = off.isEmpty
    kinds = Dictionary(grouping: deviations) {
      $0.what.contains("grad_l2")
        ? "grad_l2" : $0.what.contains("grad_head") ? "grad_head" : $0.what.hasPrefix("after") ? "after" : "loss"
    }
    worst = kinds.mapValues { $0.map(\.deviation).max() ?? 0 }
  }

  /// The worst deviation of each kind as a table, and the first ones that are off.
  ///
  /// - Parameter path: path of the case.
  package func text(against path: String) -> String {
    let rows = ["loss", "grad_l2", "grad_head", "after"].compactMap { kind -> [String]? in
      guard let all = kinds[kind], let worst = all.max(by: { $0.deviation / $0.limit < $1.deviation / $1.limit })
      else { return nil }
      return [
        all.allSatisfy(\.isWithin) ? "ok" : "OFF", kind, "\(all.count)", String(format: "%.1e", worst.deviation),
        String(format: "%.1e", worst.limit), worst.what,
      ]
    }
    let table = columns([["", "metric", "count", "worst", "limit", "where"]] + rows, right: [2, 3, 4])
    let first = off.prefix(10).map { "off: \($0.what) is \($0.found), expected \($0.expected)" }
    let sum = "\(compared - off.count) of \(compared) values agree with \(path)"
    return table + "\n" + (first + [sum]).joined(separator: "\n")
  }
}

extension TrainingCase {
  /// Writes the case as JSON.
  package func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    try Files.write(try encoder.encode(self), to: path)
  }
}
