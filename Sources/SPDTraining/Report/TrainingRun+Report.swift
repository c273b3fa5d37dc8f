import Foundation
import SPDDriver
import SPDReport

extension TrainingRun {
  /// Images per second while training; nil before the first step.
  package var imagesPerSecond: Double? { times.training > 0 ? Double(times.images) / times.training : nil }
  /// Seconds of this process's share of the run.
  package var seconds: Double { times.training + times.validation }
  /// Part of the time in which nothing was computed because images were not ready.
  package var waiting: Double { seconds > 0 ? times.waiting / seconds : 0 }
  package var parameterCount: Int { modules.graph.parameters.filter(\.role.isTrainable).reduce(0) { $0 + $1.count } }

  /// Writes the page with curves, what the task shows, and the configuration.
  package func writeReport() throws {
    if evaluation == nil { evaluation = try evaluate() }
    var report = TrainingReport(
      title: "\(modules.graph.name) on \(data.training.name)", state: state, metrics: Task.metrics,
      bestMetric: Task.bestMetric)
    report.facts = [
      ("parameters", grouped(parameterCount)),
      ("images", "\(grouped(data.training.count)) for training, \(grouped(data.validation.count)) for validation"),
      ("input", "\(data.size.height)×\(data.size.width), batch \(configuration.batch)"),
      ("processor", "\(Machine.processorName), \(configuration.computeThreads) threads"),
    ]
    if let speed = imagesPerSecond {
      report.facts.append(("speed", String(format: "%.0f images/s while training", speed)))
      report.facts.append(("waiting for images", String(format: "%.1f %% of the time", waiting * 100)))
    }
    if let evaluation { report.sections = try task.sections(evaluation, data) }
    try writing { try report.write(to: folder.report) }
  }
}
