import Foundation
import SPDDriver
import SPDReport

extension TrainingRun {
  /// Training throughput; nil before the first step.
  package var imagesPerSecond: Double? { times.training > 0 ? Double(times.images) / times.training : nil }
  /// Time that this process spent on the run.
  package var seconds: Double { times.training + times.validation }
  /// Fraction of the time spent waiting for images.
  package var waiting: Double { seconds > 0 ? times.waiting / seconds : 0 }
  package var parameterCount: Int { modules.graph.parameters.filter(\.role.isTrainable).reduce(0) { $0 + $1.count } }

  /// Writes the report.
  package func writeReport() throws {
    if evaluation == nil { evaluation = try evaluate() }
    var report = TrainingReport(
      title: "\(modules.graph.name) on \(data.trainingName)", state: state, task: Task.self)
    report.facts = [
      ("parameters", grouped(parameterCount)),
      ("images", "\(grouped(data.trainingCount)) for training, \(grouped(data.validationCount)) for validation"),
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
