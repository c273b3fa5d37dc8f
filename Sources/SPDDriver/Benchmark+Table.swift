import Foundation

extension Benchmark {
  /// Maximum length of an expression in the table. `--json` prints expressions in full.
  private static let longestText = 80

  /// Formats step times as a table.
  ///
  /// - Parameter peak: FMA peak of this machine in GFLOP/s; nil if it was not measured.
  package static func table(_ steps: [Benchmark.Step], peak: Double?) -> String {
    let header =
      ["step", "min ms", "median", "GFLOP/s"] + (peak == nil ? [] : ["% peak"]) + ["kernel", "node", "layer"]
    let rows = steps.map { step in
      let share = peak.map { [String(format: "%.0f", 100 * step.gflops / $0)] } ?? []
      let text = step.text.count > longestText ? "\(step.text.prefix(longestText - 1))…" : step.text
      return ["\(step.step)"] + [String(format: "%.3f", step.minMs), String(format: "%.3f", step.medianMs)]
        + [String(format: "%.0f", step.gflops)] + share + [step.kernel, text, step.layer]
    }
    return columns([header] + rows, right: Set(0..<header.count - 3))
  }
}
