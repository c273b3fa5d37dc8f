import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct TuningProblemTests {
  private func problems(
    _ graph: Graph, _ target: Target = .x86v3, _ algorithms: KernelOptions.Algorithms = .fast
  ) throws -> [TuningProblem] {
    TuningProblem.all(
      in: try Pipeline.lowered(graph), target: target, kernels: KernelOptions(algorithms: algorithms))
  }

  // MARK: - keys

  @Test func aKeySaysWhatTheProcessorSees() throws {
    let graph = try traced(3, 16, 16) {
      $0.through(Conv(32, kernel: 3), SpaceToDepth(order: .onnx), Conv(24, kernel: 1))
    }
    #expect(
      try problems(graph).map(\.key) == [
        "conv2d(image 3×16×16) k=3 p=1 3→32 *bn +silu → 32×16×16, fast, x86-64-v3 8×16",
        "conv2d(32×16×16[::2,::2] ++ 32×16×16[::2,1::2] ++ 32×16×16[1::2,::2] ++ 32×16×16[1::2,1::2]) k=1 128→24 *bn "
          + "+silu → 24×8×8, fast, x86-64-v3 8×16",
      ])
  }

  @Test func namesAndNumbersAreNotInIt() throws {
    let plain = try traced(3, 8, 8) { $0.through(Conv(16, kernel: 3), Conv(24, kernel: 3)) }
    let other = try traced(3, 8, 8) { image in
      let x = Conv(16, kernel: 3).named("stem")(image)
      return x.through(MaxPool(1), Conv(24, kernel: 3).named("second"))
    }
    #expect(try problems(plain).map(\.key) == problems(other).map(\.key))
  }

  @Test func convolutionsOfOneKeyAreOneProblem() throws {
    let graph = try traced(16, 8, 8) {
      $0.through(ReLU(), Conv(16, kernel: 3), Conv(16, kernel: 3), Conv(16, kernel: 3), Conv(16, kernel: 1))
    }
    #expect(try problems(graph).map(\.nodes.count) == [3, 1])
  }

  @Test func whateverDecidesSpeedMakesAnotherProblem() throws {
    func key(
      batch: Int = 1, _ target: Target = .x86v3, _ algorithms: KernelOptions.Algorithms = .fast,
      body: @escaping @Sendable (Tensor) -> Tensor
    ) throws -> String? {
      try problems(traced(16, 16, 16, batch: batch) { body(ReLU()($0)) }, target, algorithms).last?.key
    }
    let plain: @Sendable (Tensor) -> Tensor = { $0.through(Conv2D(16, kernel: 3)) }
    let keys = [
      try key(body: plain), try key(batch: 2, body: plain), try key(.x86v4, body: plain),
      try key(.x86v3, .exact, body: plain), try key(.x86v3, .lowMemory, body: plain),
      try key { $0.through(Conv2D(32, kernel: 3)) },
      try key { $0.through(Conv2D(16, kernel: 1)) }, try key { $0.through(Conv2D(16, kernel: 3, stride: 2)) },
      try key { $0.through(Conv2D(16, kernel: 3, dilation: 2)) }, try key { $0.through(Conv2D(16, kernel: 3), ReLU()) },
      try key { $0 + $0.through(Conv2D(16, kernel: 3)) }, try key { $0.through(SpaceToDepth(), Conv2D(16, kernel: 3)) },
      try key { $0.through(Conv2D(16, kernel: 3), SpaceToDepth(), BatchNorm()) },
    ]
    #expect(Set(keys.compactMap { $0 }).count == keys.count)
  }

  // MARK: - what was learned

  @Test func aLearnedKernelIsTakenIfItIsACandidate() throws {
    let graph = try Pipeline.lowered(traced(32, 16, 16) { $0.through(ReLU(), Conv2D(32, kernel: 3)) })
    func kernel(_ learned: [String: Kernel]) throws -> Kernel? {
      var options = KernelOptions()
      options.learned = learned
      return try LowerToPlan.plan(graph, prefix: "net", target: .x86v4, kernels: options).steps
        .first { $0.node == graph.nodes.last?.id }?.kernel
    }
    let problem = TuningProblem.all(in: graph, target: .x86v4, kernels: KernelOptions())[0]
    #expect(try kernel([:]) == problem.candidates[0])
    for candidate in problem.candidates { #expect(try kernel([problem.key: candidate]) == candidate) }
    #expect(try kernel(["another problem": problem.candidates[1]]) == problem.candidates[0])
    // Of another version, or edited.
    #expect(try kernel([problem.key: .convDepthwise]) == problem.candidates[0])
    if case .convWinograd(var tile) = problem.candidates[0] {
      tile.tiles += 1
      #expect(try kernel([problem.key: .convWinograd(tile)]) == problem.candidates[0])
    }
  }

  // MARK: - candidates

  @Test(arguments: SmallNetwork.custom, KernelOptions.Algorithms.allCases)
  func everyCandidateMakesASoundPlan(_ network: SmallNetwork, _ algorithms: KernelOptions.Algorithms) throws {
    let graph = try Pipeline.lowered(network.graph())
    for target in [Target.x86v4, .x86v3, .x86, .scalar] {
      let plain = KernelOptions(algorithms: algorithms)
      let problems = TuningProblem.all(in: graph, target: target, kernels: plain)
      let first = try LowerToPlan.plan(graph, prefix: "net", target: target, kernels: plain)
      for problem in problems {
        #expect((2...12).contains(problem.candidates.count))
        for (index, candidate) in problem.candidates.enumerated() {
          #expect(!problem.candidates[..<index].contains(candidate), "\(problem.key)")
        }
      }
      for round in 0..<(problems.map(\.candidates.count).max() ?? 0) {
        var options = plain
        for problem in problems where round < problem.candidates.count {
          options.learned[problem.key] = problem.candidates[round]
        }
        let plan = try LowerToPlan.plan(graph, prefix: "net", target: target, kernels: options)
        #expect(plan.faults == [])
        if round == 0 { #expect(plan == first) }
        for problem in problems where round < problem.candidates.count {
          let kernels = plan.steps.filter { $0.node.map(problem.nodes.contains) ?? false }.map(\.kernel)
          #expect(kernels.allSatisfy { $0 == problem.candidates[round] || round == 0 && $0.joinsImages })
        }
        if algorithms == .lowMemory { #expect(plan.packedCount <= first.packedCount) }
        if algorithms == .exact { #expect(!plan.steps.contains { $0.kernel.template == "conv_winograd" }) }
      }
    }
  }
}

extension Kernel {
  /// The plan may widen the model's own choice over the images of a batch.
  fileprivate var joinsImages: Bool {
    if case .convDirect(let tile) = self { tile.joinsImages } else { false }
  }
}
