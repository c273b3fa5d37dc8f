import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDRuntime

/// `spdc verify MODEL --against CASE.json`: runs a training case and compares it with its reference.
struct VerifyTraining {
  var options: ModelOptions
  var threads: Int
  var json: Bool
  /// Where to write what was computed, in the form of a case.
  var report: String?

  func run(_ path: String) async throws {
    let wanted = try TrainingCase.read(path)
    var options = options
    options.weights = options.weights ?? "synthetic"
    options.classes = options.classes ?? wanted.classes
    let weighted = try await options.load(size: Size2D(wanted.hw[0], wanted.hw[1]), batch: wanted.batch)
    let builder = try Builder(target: options.target)
    var pipeline = options.pipeline(for: .training)
    pipeline.maxTargets = max(1, wanted.targets?.count ?? 1)
    let network = try await builder.loadTrainable(try builder.compile(weighted.graph, options: pipeline))
    let rule = try rule(wanted.optimizer, path)
    let trainer = try network.trainer(threads: threads, rule: rule)
    let values = weighted.weights.values(of: weighted.graph)
    try trainer.load { try values($0.name) }
    let found = try compute(wanted, trainer, rule, input: syntheticInput(weighted.graph.input.shape))
    if let report {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
      try Files.write(try encoder.encode(found), to: report)
    }
    try print(wanted.deviations(of: found), model: network.name, path)
  }

  private func rule(_ optimizer: TrainingCase.Optimizer, _ path: String) throws -> Update.Rule {
    switch optimizer.name?.lowercased() ?? "sgd" {
    case "sgd": return .sgd
    case "adam": return .adam
    case "adamw": return .adamW
    case let other: throw Failure(.data, "\(path): optimizer.name must be sgd, adam or adamw, not \(other)")
    }
  }

  private func compute(
    _ wanted: TrainingCase, _ trainer: Trainer, _ rule: Update.Rule, input: [Float]
  ) throws -> TrainingCase {
    var found = wanted
    found.float32_deviation = nil
    for index in wanted.steps.indices {
      let optimizer = wanted.optimizer
      var update = Update(
        rule: rule, learningRate: optimizer.lr, momentum: optimizer.momentum ?? (rule == .sgd ? 0 : 0.9),
        weightDecay: optimizer.weight_decay ?? 0)
      update.nesterov = optimizer.nesterov ?? false
      update.step = index + 1
      let losses = try gradients(wanted, trainer, input)
      found.steps[index] = TrainingCase.Step(
        loss: Double(losses[0]), items: wanted.targets == nil ? [] : losses.dropFirst().map { Double($0) })
      if index == 0 {
        let trained = trainer.network.parameters.filter { $0.group != .constant }
        let gradients = trained.map { ($0.name, trainer.values(of: $0.name, in: .gradients) ?? []) }
        found.steps[0].grad_l2 = Dictionary(uniqueKeysWithValues: gradients.map { ($0, norm($1)) })
        found.steps[0].grad_head = Dictionary(
          uniqueKeysWithValues: gradients.map { ($0, $1.prefix(4).map { Double($0) }) })
      }
      try trainer.update(update)
    }
    found.after = Dictionary(
      uniqueKeysWithValues: trainer.network.parameters.map { ($0.name, norm(trainer.values(of: $0.name) ?? [])) })
    return found
  }

  private func gradients(_ wanted: TrainingCase, _ trainer: Trainer, _ input: [Float]) throws -> [Float] {
    if let labels = wanted.labels {
      return try trainer.gradients(input, .labels(labels, smoothing: wanted.label_smoothing ?? 0))
    }
    var rates = DetectionRates()
    if let hyp = wanted.hyp {
      rates.box = hyp.box ?? rates.box
      rates.objectness = hyp.obj ?? rates.objectness
      rates.classes = hyp.cls ?? rates.classes
      rates.anchorLimit = hyp.anchor_t ?? rates.anchorLimit
      rates.focalGamma = hyp.fl_gamma ?? rates.focalGamma
      rates.labelSmoothing = hyp.label_smoothing ?? rates.labelSmoothing
      rates.objectnessWeight = hyp.obj_pw ?? rates.objectnessWeight
      rates.classWeight = hyp.cls_pw ?? rates.classWeight
      rates.autobalance = hyp.autobalance ?? rates.autobalance
    }
    return try trainer.gradients(input, .boxes(wanted.targets ?? [], rates: rates))
  }

  private func norm(_ values: [Float]) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
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
      Console.print(columns([["", "figure", "count", "worst", "limit", "where"]] + rows, right: [2, 3, 4]))
      for one in off.prefix(10) {
        Console.print("off: \(one.what) is \(one.found), expected \(one.expected)")
      }
      Console.print("\(deviations.count - off.count) of \(deviations.count) figures agree with \(path)")
    }
    if !off.isEmpty { throw ExitCode(Failure.Code.different.rawValue) }
  }
}
