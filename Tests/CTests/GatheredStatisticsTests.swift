import SPD
import SPDCompiler
import SPDRuntime
import Testing

@testable import SPDDriver

/// Statistics that a convolution gathers while it stores, compared with those of a separate pass.
@Suite struct GatheredStatisticsTests {
  /// Direct convolutions of whole and narrow strips, of images that are one tall image, with a stride, behind a concat and an
  /// upsampling; Winograd's with tiles that overhang, few and many.
  private static let model = Model("gathered", input: .image(3, 28, 20), classes: 5) { image, classes in
    let stem = image.through(Conv2D(16, kernel: 1))
    let wide = stem.through(conv(40, 1), conv(72, 3), conv(24, 3, stride: 2))
    let low = wide.through(conv(16, 3), conv(80, 3, stride: 2), conv(64, 3))
    let joined = concat(low.upsampled(2).through(conv(32, 1)), wide).through(conv(48, 1))
    return joined.through(
      conv(64, 3, stride: 2), conv(64, 3, stride: 2), conv(96, 1), conv(64, 3), GlobalAveragePool(), Flatten(),
      Linear(classes))
  }

  /// A convolution whose running statistics are those of the last batch.
  private static func conv(_ outputs: Int, _ kernel: Int, stride: Int = 1) -> Conv {
    Conv(outputs, kernel: Size2D(kernel, kernel), stride: Size2D(stride, stride), norm: BatchNorm(momentum: 1))
  }

  private static func compiled(_ target: String, gathers: Bool = true) async throws -> (Plan, TrainableNetwork) {
    var options = Pipeline.Options()
    options.mode = .training
    if !gathers { options.disabled = ["fuse-statistics"] }
    let builder = try Builder(target: target)
    let compiled = try builder.compile(try model.graph(batch: 6), options: options)
    return (compiled.plan, try await builder.loadTrainable(compiled))
  }

  /// Far from zero, where a mean could take the digits of the variance.
  private static let input: [Float] = (0..<6 * 3 * 28 * 20).map { (index: Int) -> Float in
    40 + 0.5 * Float((index * 7919) % 101) / 101
  }

  private static func statistics(_ network: TrainableNetwork, _ graph: Graph, threads: Int) throws -> [String: [Float]]
  {
    let trainer = try network.trainer(threads: threads)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    _ = try trainer.gradients(input, .labels([0, 3, 4, 1, 2, 0]))
    return Dictionary(
      uniqueKeysWithValues: network.parameters.filter { $0.name.contains("running") }.map {
        ($0.name, trainer.values(of: $0.name)!)
      })
  }

  /// On the widest target; `TrainingTests` has the others beside the interpreter.
  @Test func theyAreThoseOfAPassOfTheirOwn() async throws {
    let target = Variant.targets[0]
    let (plan, network) = try await Self.compiled(target)
    let gathering = plan.steps.filter { step in
      if let node = step.node, case .convolution(let op) = plan.graph[node].op {
        op.epilogue.stages.gathersStatistics
      } else {
        false
      }
    }
    #expect(gathering.count == 12)
    #expect(gathering.contains { $0.kernel.winograd != nil })
    let joinsImages = gathering.contains {
      if case .convDirect(let tile) = $0.kernel { tile.joinsImages } else { false }
    }
    // Narrow tiles are full without the next image.
    #expect(joinsImages || target != "x86-64-v4")
    let found = try Self.statistics(network, plan.graph, threads: 1)
    for threads in 2...3 { #expect(try Self.statistics(network, plan.graph, threads: threads) == found) }
    let (apart, other) = try await Self.compiled(target, gathers: false)
    let expected = try Self.statistics(other, apart.graph, threads: 1)
    #expect(found.count == expected.count)
    for (name, wanted) in expected {
      // Where a mean is far from zero, its rounding is what the next layer sees as noise.
      let floor: Float = name.hasSuffix("running_mean") ? 1 : 0
      for (a, b) in zip(found[name]!, wanted) {
        #expect(abs(a - b) <= 1e-4 * max(floor, abs(b)), "\(name): \(a) \(b)")
      }
    }
  }
}
