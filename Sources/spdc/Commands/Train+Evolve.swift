import ArgumentParser
import SPDDetection
import SPDDriver
import SPDTraining

extension Train {
  /// The document of `--evolve --json`.
  private struct Answer: Encodable {
    struct Row: Encodable {
      var generation: Int, metrics: [String: Double], seconds: Double, outcome: String
    }
    var folder: String, best: Int, fitness: Double, hyp: String, generations: [Row]
  }

  /// Searches hyperparameters with a training per generation.
  func evolve(_ count: Int, _ configuration: TrainingConfiguration) async throws {
    let evolution = Evolution(
      folder: out ?? "runs/evolve", generations: count, base: configuration,
      weights: identification(ofWeights: options.weights))
    let runner = EvolutionRunner(configuration, model: options.model, options: options.compile)
    let generations = try await evolution.run(
      writing: Files.writing,
      begin: { if !json { Console.note("generation \($0) of \(count)") } },
      report: { if !json { Console.note(line($0) + ($0.number == $1.best?.number ? "  best" : "")) } },
      train: { configuration, folder in
        let trained = try await runner.run(
          configuration, in: folder, observer: TrainingDisplay(json ? .nothing : .progress))
        if let trained { return trained }
        Console.note("stopped; the same command resumes")
        throw ExitCode(130)
      })
    guard let best = generations.best, let fitness = best.fitness else {
      throw Failure(
        .diverged, "all \(generations.count) generations failed; generation 1: \(generations[0].outcome)")
    }
    if json {
      try Console.print(
        json: Answer(
          folder: evolution.folder, best: best.number, fitness: fitness, hyp: evolution.best,
          generations: generations.map {
            Answer.Row(generation: $0.number, metrics: $0.values, seconds: $0.seconds, outcome: $0.outcome)
          }))
    } else {
      Console.print(
        "best: \(line(best))\n\(evolution.best); evolve.csv and evolve.html are in \(evolution.folder)")
    }
  }

  private func line(_ generation: Generation) -> String {
    let metrics = DetectionTask.metrics.filter { $0.isValidation && $0.unit == .fraction }.compactMap { metric in
      generation.values[metric.name].map(metric.text)
    }
    let outcome = metrics.isEmpty ? generation.outcome : metrics.joined(separator: "  ")
    return "generation \(generation.number): \(outcome)  \(TrainingProgress.duration(generation.seconds))"
  }
}
