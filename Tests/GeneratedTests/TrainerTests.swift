import Foundation
import SPD
import SPDCompiler
import SPDRuntime
import Testing
import tiny_spd
import tiny_spd_train

@testable import SPDDriver

/// A Swift program that trains with committed C, as in the README.
@Suite(.serialized) struct TrainerTests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Examples/tiny-spd.swift").path
  private static let runs = (try? Machine.runs(Machine.target(named: "x86-64-v3"))) ?? false

  @Test(arguments: [Mode.inference, .training]) func isUpToDate(_ mode: Mode) async throws {
    var options = Pipeline.Options()
    options.mode = mode
    options.maxTargets = mode == .training ? 128 * 16 : 0
    let graph = try await graph(batch: mode == .training ? 16 : 1)
    let compiled = try Builder(target: "x86-64-v3").compile(graph, options: options)
    let folder = URL(fileURLWithPath: Self.file).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Generated/\(compiled.prefix)")
    for (name, text) in [
      ("\(compiled.prefix).c", compiled.code.source), ("include/\(compiled.prefix).h", compiled.code.header),
    ] {
      let same = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) == text
      #expect(same, "Generated/\(compiled.prefix)/\(name) is out of date, run `make generated`")
    }
  }

  /// Images of one colour each, with noise, and the colour's number as label.
  private static func batch(_ number: Int) -> (images: [Float], labels: [Int32]) {
    let labels = (0..<16).map { Int32(($0 * 7 + number) % 10) }
    let noise = uniform("noise \(number)", 16 * 3 * 32 * 32)
    let images = noise.indices.map { index in
      let (image, channel) = (index / (3 * 32 * 32), index / (32 * 32) % 3)
      return 0.5 * noise[index] + Float((Int(labels[image]) * (channel + 1) * 5) % 11) / 11
    }
    return (images, labels)
  }

  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func trainsAndInfers() async throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let trainer = try network.trainer(threads: 1)
    let graph = try await graph(batch: 16)
    let parameters = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0) })
    try trainer.load { syntheticParameter(parameters[$0.name]!) }
    var losses: [Float] = []
    for number in 0..<60 {
      let (images, labels) = Self.batch(number)
      losses.append(try trainer.step(images, .labels(labels), Update(learningRate: 0.05, momentum: 0.9))[0])
    }
    #expect(losses[0] > 1.5 && losses.suffix(5).allSatisfy { $0 < 0.3 }, "\(losses)")

    // What was learned goes straight into the inference module.
    let file = try ParameterFile(graphHash: network.graphHash, parameters: graph.storedParameters) {
      trainer.values(of: $0.name)!
    }
    let inference = try Network(module: tiny_spd_module())
    let session = try inference.session(try inference.pack(file), threads: 1)
    let (images, labels) = Self.batch(1000)
    let right = try labels.indices.count { index in
      let scores = try session.infer(Array(images[index * 3072..<(index + 1) * 3072]))
      return scores.firstIndex(of: scores.max()!) == Int(labels[index])
    }
    #expect(right >= 14, "\(right) of 16")
  }

  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func refusesWhatDoesNotFit() throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let trainer = try network.trainer(threads: 1)
    let (images, labels) = Self.batch(0)
    #expect(throws: RuntimeError.labelCount(network: "tiny-spd", expected: 16, got: 3)) {
      try trainer.gradients(images, .labels([1, 2, 3]))
    }
    #expect(throws: RuntimeError.inputCount(network: "tiny-spd", expected: 49152, shape: [16, 3, 32, 32], got: 4)) {
      try trainer.gradients([1, 2, 3, 4], .labels(labels))
    }
    #expect(throws: RuntimeError.targetRow(network: "tiny-spd", got: 2)) {
      try trainer.gradients(images, .boxes([[0, 1]]))
    }
    let wrong = labels.map { $0 + 10 }
    #expect {
      try trainer.gradients(images, .labels(wrong))
    } throws: { "\($0)".contains("a target names an image or class that does not exist") }
    // Adam needs an array that this trainer was made without.
    #expect { try trainer.update(Update(rule: .adam, learningRate: 0.1)) } throws: {
      "\($0)".contains("a pointer is NULL")
    }
    #expect(try network.trainer(threads: 1, rule: .adam).step(images[...], .labels(labels), adam()).count == 4)
    #expect { try network.trainer(threads: 0) } throws: { "\($0)".contains("asked to run on 0 threads") }
    #expect { try trainer.load { _ in [1] } } throws: { "\($0)".contains("values where") }
  }

  private func adam(_ change: (inout Update) -> Void = { _ in }) -> Update {
    var update = Update(rule: .adam, learningRate: 0.01, momentum: 0.9)
    change(&update)
    return update
  }

  /// Hyperparameters that would make all weights NaN give a status and leave the weights unchanged.
  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func refusesHyperparametersThatCannotBe() async throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let trainer = try network.trainer(threads: 1, rule: .adam, averages: true)
    let graph = try await graph(batch: 16)
    try trainer.load { syntheticParameter(graph.parameter($0.name)!) }
    let before = Array(trainer[.values]!)
    let (images, labels) = Self.batch(0)
    let changes: [(inout Update) -> Void] = [
      { $0.step = 0 }, { $0.step = -5 }, { $0.step = .min }, { $0.secondMomentum = 1 }, { $0.secondMomentum = -0.1 },
      { $0.secondMomentum = .nan }, { $0.epsilon = 0 }, { $0.epsilon = .nan }, { $0.epsilon = 1e-300 },
      { $0.weights.momentum = 1 }, { $0.biases.momentum = -1 }, { $0.scales.learningRate = .nan },
      { $0.weights.learningRate = .infinity }, { $0.weights.learningRate = -1 }, { $0.biases.weightDecay = .nan },
      { $0.gradientScale = .infinity }, { $0.maxNorm = .nan }, { $0.maxNorm = -1 }, { $0.averageDecay = 1.5 },
      { $0.averageDecay = .nan },
    ]
    for change in changes {
      for body in [{ try trainer.update($0) }, { _ = try trainer.step(images, .labels(labels), $0) }]
        as [(Update) throws -> Any]
      {
        #expect {
          _ = try body(adam(change))
        } throws: { "\($0)".contains("(status 9)") }
      }
    }
    for smoothing in [-0.1, 1.1, .nan, .infinity] {
      #expect { try trainer.gradients(images, .labels(labels, smoothing: smoothing)) } throws: {
        "\($0)".contains("(status 9)")
      }
    }
    #expect(Array(trainer[.values]!).elementsEqual(before))
    var monitored = adam()
    monitored.maxNorm = .infinity
    _ = try trainer.gradients(images, .labels(labels))
    #expect(try trainer.update(monitored) > 0)
  }

  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func aStepIsOfItsOwnBatch() async throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let graph = try await graph(batch: 16)
    let parameters = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0) })
    let update = Update(learningRate: 0.05, momentum: 0.9)
    func trained(accumulates: Bool) throws -> [Float] {
      let trainer = try network.trainer(threads: 1, accumulates: accumulates)
      try trainer.load { syntheticParameter(parameters[$0.name]!) }
      let (images, labels) = Self.batch(0)
      _ = try trainer.gradients(images, .labels(labels))
      if accumulates { try trainer.accumulate(begins: true) }
      let (others, otherLabels) = Self.batch(1)
      try trainer.step(others, .labels(otherLabels), update)
      return Array(trainer[.values]!)
    }
    #expect(try trained(accumulates: true) == trained(accumulates: false))
  }

  /// Adam's t is counted if it is not given.
  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func updatesAreCounted() async throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let graph = try await graph(batch: 16)
    let parameters = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0) })
    func trained(_ steps: [Int?]) throws -> [Float] {
      let trainer = try network.trainer(threads: 1, rule: .adam)
      try trainer.load { syntheticParameter(parameters[$0.name]!) }
      let (images, labels) = Self.batch(0)
      var update = Update(rule: .adam, learningRate: 0.01, momentum: 0.9)
      for step in steps {
        update.step = step
        try trainer.step(images, .labels(labels), update)
      }
      #expect(trainer.updates == steps.count)
      return Array(trainer[.values]!)
    }
    let counted = try trained([nil, nil, nil])
    #expect(try counted == trained([1, 2, 3]))
    #expect(try counted != trained([1, 1, 1]))
  }

  /// One update with the mean gradient of two batches is w − lr·(½(g₁ + g₂) + decay·w).
  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"))
  func accumulatedBatchesUpdateWithTheirMean() async throws {
    let network = try TrainableNetwork(module: tiny_spd_train_module())
    let graph = try await graph(batch: 16)
    let trainer = try network.trainer(threads: 1, accumulates: true)
    // From a file, which holds the parameters as they are.
    try trainer.load(
      try ParameterFile(graphHash: network.graphHash, parameters: graph.storedParameters) {
        syntheticParameter(graph.parameter($0.name)!)
      })
    let before = Array(trainer[.values]!)
    var sum = [Float](repeating: 0, count: network.stateCount)
    for number in 0..<2 {
      let (images, labels) = Self.batch(number)
      _ = try trainer.gradients(images, .labels(labels))
      try trainer.accumulate(begins: number == 0)
      for parameter in network.parameters where parameter.group != .constant {
        for index in parameter.range { sum[index] += trainer[.gradients]![index] }
      }
    }
    // Running statistics have moved, parameters have not.
    for parameter in network.parameters where parameter.group != .constant {
      #expect(trainer[.values]![parameter.range].elementsEqual(before[parameter.range]))
    }
    var update = Update(learningRate: 0.05, momentum: 0.9, weightDecay: 0.01)
    update.gradientScale = 0.5
    try trainer.update(update)
    var moved = 0
    for parameter in network.parameters where parameter.group != .constant {
      for index in parameter.range {
        let wanted = before[index] - 0.05 * (0.5 * sum[index] + 0.01 * before[index])
        let found = trainer[.values]![index]
        #expect(abs(found - wanted) <= 1e-6 * max(1, abs(wanted)), "\(parameter.name): \(found), \(wanted)")
        moved += found == before[index] ? 0 : 1
      }
    }
    #expect(moved > 20_000)
  }

  private func graph(batch: Int) async throws -> Graph {
    try await LoadedModel.load(Self.file).graph(batch: batch)
  }
}
