import Foundation
import Models
import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing

@testable import SPDDriver

/// A network of the tests.
struct Sample: Sendable, Hashable, CustomTestStringConvertible {
  var name: String
  var size: Size2D?
  var batch = 1

  static let resnet18SPD = Sample(name: "resnet18-spd", size: 32)
  static let yolov5SPD = Sample(name: "yolov5-spd-n", size: 64)
  static let yolov5 = Sample(name: "yolov5n", size: 64)
  static let resnet50SPD = Sample(name: "resnet50-spd", size: 32)
  static let everyOp = Sample(name: "every-op", batch: 2)
  /// The second network of a program with two.
  static let second = Sample(name: "second")
  static let minimal = Sample(name: "minimal")
  static let average = Sample(name: "average", batch: 2)
  static let shipped = [yolov5SPD, yolov5, resnet18SPD, resnet50SPD]

  /// Networks that train.
  static let everyTrained = Sample(name: "every-trained-op", batch: 2)
  static let yolov5Trained = Sample(name: "yolov5n", size: 64, batch: 2)

  var testDescription: String { name }
  var prefix: String { Builder.prefix(name) }
  func prefix(_ variant: Variant) -> String { Builder.prefix(name, variant.mode) }

  func graph() throws -> Graph {
    let models =
      [CTests.everyOp, everyTrainedOp, secondModel, minimalModel, averageModel] + shippedModels
      + KernelTable.all.map(\.model)
    let model = try #require(models.first { $0.name == name })
    return try model.graph(size: size, batch: batch)
  }

  /// The problems that `--tune` chooses kernels for.
  func problems(_ variant: Variant) throws -> [TuningProblem] {
    let lowered = try Pipeline.run(graph(), options: variant.options).graph
    let target = try Builder(target: variant.target).target
    return TuningProblem.all(in: lowered, target: target, kernels: variant.options.kernels)
  }

  func code(_ variant: Variant) throws -> EmitC.Result { try compiled(variant).code }

  func compiled(_ variant: Variant) throws -> Builder.Compiled {
    let (builder, graph) = (try Builder(target: variant.target), try graph())
    var options = variant.options
    if let table = KernelTable.all.first(where: { $0.name == name }) { options = try table.options(variant) }
    if variant.candidate > 0 {
      let problems = try problems(variant).filter { variant.candidate < $0.candidates.count }
      // Otherwise this would be the default network once more.
      try #require(!problems.isEmpty)
      for problem in problems { options.kernels.learned[problem.key] = problem.candidates[variant.candidate] }
    }
    return try builder.compile(graph, options: options)
  }
}

/// The options that a network is compiled with.
struct Variant: Sendable, Hashable, CustomTestStringConvertible {
  var target: String
  var unfused = false
  var disabled: [String] = []
  /// Index of the candidate that computes each convolution that has so many.
  var candidate = 0
  var mode = Mode.inference
  var largestTile = 2
  var updatesInBackward = false

  var options: Pipeline.Options {
    var options = Pipeline.Options()
    options.unfused = unfused
    options.disabled = Set(disabled)
    options.mode = mode
    options.maxTargets = 64
    options.updatesInBackward = updatesInBackward
    if mode == .training { options.kernels.largestTile = largestTile }
    return options
  }

  var flags: [String] { (try? Machine.target(named: target).flags) ?? [] }

  var testDescription: String {
    target + (mode == .training ? ", training" : "") + (updatesInBackward ? ", updates in backward" : "")
      + (unfused ? ", unfused" : "")
      + (disabled.isEmpty ? "" : " without " + disabled.joined(separator: ", "))
      + (candidate == 0 ? "" : ", candidate \(candidate)")
  }

  /// The targets whose code this machine runs, the best first.
  static let targets = ["x86-64-v4", "x86-64-v3", "x86-64", "aarch64", "scalar"].filter {
    (try? Machine.runs(Machine.target(named: $0))) ?? false
  }
  static let best = Variant(target: targets[0])
  static let bestUnfused = Variant(target: targets[0], unfused: true)
  static let both = [best, bestUnfused]
  static let bestTraining = Variant(target: targets[0], mode: .training)
}

/// The interpreter's results, each computed once.
actor Reference {
  static let shared = Reference()
  private var tasks: [Sample: Task<[Float], any Error>] = [:]

  func output(_ sample: Sample) async throws -> [Float] {
    if tasks[sample] == nil {
      tasks[sample] = Task.detached {
        let graph = try sample.graph()
        let interpreter = Interpreter(graph: graph, parameters: syntheticParameters(of: graph))
        return try interpreter.outputs(input: syntheticInput(graph.input.shape)).flatMap { $0 }
      }
    }
    return try await tasks[sample]!.value
  }
}

/// The difference of results from the expected ones.
struct Comparison: CustomStringConvertible {
  var worst: Float = 0
  var index = 0
  var description: String { "\(worst) of what is allowed at value \(index)" }

  /// `worst` is the largest |a − e| / (5e-4 + 1e-5 |e|), infinite where one is NaN.
  init(_ actual: [Float], _ expected: [Float]) {
    guard actual.count == expected.count else {
      worst = .infinity
      return
    }
    for (index, (a, e)) in zip(actual, expected).enumerated() {
      let ratio = abs(a - e) / (5e-4 + 1e-5 * abs(e))
      if !(ratio <= worst) { (worst, self.index) = (ratio.isNaN ? .infinity : ratio, index) }
    }
  }
}
