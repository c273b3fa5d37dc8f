import Foundation
import SPDFormats
import SPDReport

/// The report of a run as one HTML file: curves, confusion matrix, misclassified images, configuration.
public struct TrainingReport: Sendable {
  public var title: String
  public var state: TrainingState
  /// Further facts at the top of the page, such as the number of parameters.
  public var facts: [(name: String, value: String)] = []
  /// Sections of the task.
  public var sections: [ReportSection] = []
  private let metrics: [TrainingMetric]
  private let bestMetric: String
  private let learningRates: [String]

  /// - Parameter task: provides metrics and learning rates.
  public init<Task: TrainingTask>(title: String, state: TrainingState, task: Task.Type) {
    self.title = title
    self.state = state
    metrics = task.metrics
    bestMetric = task.bestMetric
    learningRates = task.learningRates.map(\.name)
  }

  /// Writes the page atomically.
  ///
  /// - Throws: `FormatError` on a write error, `ImageError` for an image that cannot be encoded.
  public func write(to path: String) throws {
    let html = try html()
    try writeAtomically(to: path) { try $0.write(Array(html.utf8)) }
  }

  public func html() throws -> String {
    var page = Page(title: title)
    page.facts(headFacts)
    page.heading("Curves")
    page.markup("<div class=\"charts\">\(charts.map(\.html).joined(separator: "\n"))</div>")
    for section in sections { page.section(section) }
    page.heading("Configuration")
    addConfiguration(to: &page)
    return page.html
  }

  private var headFacts: [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = [
      ("epochs", "\(state.epoch) of \(state.configuration.epochs)")
    ]
    for metric in metrics where metric.isValidation && metric.unit == .fraction {
      if let last = state.history.series(metric.name).last {
        facts.append(("\(metric.title), last", metric.valueText(last.value)))
      }
      if metric.name == bestMetric, let best = state.best {
        facts.append(("\(metric.title), best", "\(metric.valueText(best.metric)) (epoch \(best.epoch))"))
      }
    }
    let seconds = state.history.series("seconds").reduce(0) { $0 + $1.value }
    if seconds > 0 { facts.append(("time", TrainingProgress.duration(seconds))) }
    return facts + self.facts
  }

  /// Charts of losses, accuracies and learning rate over epochs.
  private var charts: [LineChart] {
    func series(_ names: [String], scale: Double = 1) -> [LineChart.Series] {
      names.map { name in
        LineChart.Series(name: name, points: state.history.series(name).map { (Double($0.epoch), $0.value * scale) })
      }.filter { !$0.points.isEmpty }
    }
    func names(_ unit: TrainingMetric.Unit) -> [String] { metrics.filter { $0.unit == unit }.map(\.name) }
    return [
      ("Loss", series(names(.loss))), ("Accuracy, %", series(names(.fraction), scale: 100)),
      ("Learning rate", series(learningRates)),
    ].map { LineChart(title: $0, xLabel: "epoch", series: $1, width: 404, height: 260) }
  }

  private func addConfiguration(to page: inout Page) {
    let settings = state.configuration.settings
    let preset = TrainingPreset.configuration(
      named: state.configuration.preset, model: state.configuration.model)?.settings
    let changed = preset.map { preset in Set(settings.indices.filter { settings[$0].value != preset[$0].value }) } ?? []
    let help = state.configuration.settingHelp
    page.paragraph("Settings that differ from the preset \(state.configuration.preset) are bold.")
    page.table(
      header: ["setting", "value", "meaning"],
      rows: zip(settings, help).map { [$0.key, $0.value, $1.help] }, marked: changed)
  }
}
