import Foundation
import SPDReport

/// The report of a sweep: parallel coordinates of its trials and a table, best first.
public struct SweepReport: Sendable {
  public var space: SweepSpace
  public var results: [SweepResult]

  public init(space: SweepSpace, results: [SweepResult]) {
    self.space = space
    self.results = results
  }

  /// The plot, with an axis per setting and a last one for the metric.
  public var plot: ParallelCoordinates {
    let axes = space.dimensions.map { dimension in
      ParallelCoordinates.Axis(name: dimension.key, kind: Self.kind(dimension.values))
    }
    let lines = results.map { result in
      let values = zip(result.words, axes).map { word, axis -> ParallelCoordinates.Value? in
        if case .words = axis.kind { return .word(word) }
        return Double(word).map { .number($0) }
      }
      let settings = zip(axes, result.words).map { "\($0.name) \($1)" }.joined(separator: "\n")
      let metric = result.metric.map { "\(space.metric) \(AxisScale.short($0))" } ?? result.outcome
      return ParallelCoordinates.Line(
        values: values + [result.metric.map { .number($0) }], label: "trial \(result.trial)\n\(settings)\n\(metric)")
    }
    return ParallelCoordinates(
      title: "\(results.count) trials", axes: axes + [.init(name: space.metric, kind: .linear)], lines: lines,
      width: max(560, Double(axes.count + 1) * 150))
  }

  public var html: String {
    var page = Page(title: "Sweep of \(space.dimensions.map(\.key).joined(separator: ", "))")
    let ranked = space.ranked(results)
    var facts = [(name: "trials", value: "\(results.count) of \(space.trials)")]
    if let best = ranked.first, let metric = best.metric {
      facts.append((space.metric, AxisScale.short(metric)))
      facts += zip(space.dimensions, best.words).map { ($0.key, $1) }
    }
    page.facts(facts)
    page.heading("Trials")
    page.markup(plot.html)
    page.table(
      header: ["trial"] + space.dimensions.map(\.key) + [space.metric, "time", "outcome"],
      rows: ranked.map { result in
        [String(result.trial)] + result.words
          + [
            result.metric.map { String(format: "%.4f", $0) } ?? "", TrainingProgress.duration(result.seconds),
            result.outcome,
          ]
      },
      marked: ranked.first?.metric == nil ? [] : [0])
    return page.html
  }

  private static func kind(_ values: SweepDimension.Values) -> ParallelCoordinates.Axis.Kind {
    switch values {
    case .choices(let words): .words(words)
    case .range(_, let isLogarithmic, _): isLogarithmic ? .logarithmic : .linear
    }
  }
}
