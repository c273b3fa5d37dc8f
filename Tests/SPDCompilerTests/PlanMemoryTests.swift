import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct PlanMemoryTests {
  static let targets = [Target.x86v4, .x86v3, .scalar]

  private func plan(
    _ graph: Graph, target: Target = .x86v4, algorithms: KernelOptions.Algorithms = .fast, reuse: Bool = true
  ) throws -> Plan {
    try LowerToPlan.plan(
      graph, prefix: "net", target: target, kernels: KernelOptions(algorithms: algorithms), reuse: reuse)
  }

  // MARK: - the shipped networks

  @Test(arguments: Shipped.names, [false, true])
  func shippedPlansAreSound(name: String, unfused: Bool) throws {
    for target in Self.targets {
      let plan = try plan(Shipped.lowered(name, unfused: unfused), target: target)
      #expect(plan.faults == [])
    }
  }

  @Test(arguments: Shipped.names)
  func fusedPlansMoveNoData(name: String) throws {
    let plan = try plan(Shipped.lowered(name))
    #expect(!plan.steps.contains { $0.kernel == .copy })
    for node in plan.graph.nodes {
      switch node.op {
      case .input, .convolution, .pool, .globalAveragePool, .decodeBoxes: break
      default: Issue.record("\(node.op.name) \(node.layer) is left")
      }
    }
    // A buffer per convolution and pool, and none for anything that only reindexes.
    let stored = plan.graph.nodes.filter { node in
      switch node.op {
      case .convolution, .pool, .globalAveragePool: true
      default: false
      }
    }
    #expect(plan.buffers.map(\.node) == stored.map(\.id))
  }

  @Test(arguments: Shipped.names)
  func unfusedPlansNeedMore(name: String) throws {
    // Winograd's frequencies are the peak of small networks, fused or not.
    let fused = try plan(Shipped.lowered(name), algorithms: .exact)
    let unfused = try plan(Shipped.lowered(name, unfused: true), algorithms: .exact)
    #expect(unfused.steps.count > 2 * fused.steps.count)
    // Where nothing is reindexed at the peak, fusion saves no memory: there are three halos in it instead of two.
    if name.contains("spd") { #expect(unfused.arenaCount > fused.arenaCount) }
  }

  @Test(arguments: Shipped.names)
  func withoutReuseEverythingStays(name: String) throws {
    let plan = try plan(Shipped.lowered(name), reuse: false)
    #expect(plan.faults == [])
    #expect(plan.buffers.allSatisfy { $0.last == plan.steps.count })
    #expect(plan.arenaCount >= plan.buffers.reduce(0) { $0 + $1.layout.count })
  }

  /// Space-to-depth costs a halo, not a buffer: yolov5-spd-m's largest tensor and the one that is read beside it.
  @Test func theArenaOfYOLOv5SPDm() throws {
    let plan = try plan(Shipped.lowered("yolov5-spd-m"))
    let largest = try #require(plan.buffers.max { $0.layout.count < $1.layout.count })
    #expect(largest.layout.shape == Shape(batch: 1, channels: 96, height: 320, width: 320))
    #expect(plan.arenaCount < 2 * largest.layout.count)
  }

  // MARK: - small networks, any passes

  @Test(arguments: SmallNetwork.all)
  func smallPlansAreSound(network: SmallNetwork) throws {
    let graph = try network.graph()
    for choice in MeaningTests.Choice.all {
      let lowered = try choice.apply(to: graph)
      for target in Target.named { #expect(try plan(lowered, target: target).faults == [], "\(choice)") }
    }
  }

  @Test func outputsFollowEachOther() throws {
    let graph = try traced(16, 4, 4, batch: 2) { image in
      let x = ReLU()(image)
      return [x, x.through(GlobalAveragePool()), SpaceToDepth()(x)]
    }
    let plan = try plan(Pipeline.lowered(graph))
    #expect(plan.outputs.map(\.shape) == [[2, 16, 4, 4], [2, 16], [2, 64, 2, 2]])
    #expect(plan.outputs.map(\.offset) == [0, 512, 544])
    #expect(plan.outputCount == 1056)
    #expect(plan.steps.suffix(3).map(\.kernel) == [.store(output: 0), .store(output: 1), .store(output: 2)])
  }

  @Test func halosAreAsWideAsTheWidestReader() throws {
    let graph = try traced(16, 8, 8) { image in
      let x = ReLU()(image)
      return [
        Conv2D(16, kernel: 5)(x), Conv2D(16, kernel: Size2D(1, 9))(x), x.through(SpaceToDepth(), Conv2D(16, kernel: 3)),
        Conv2D(16, kernel: 4, stride: 3, padding: 1)(x),
      ]
    }
    let lowered = try Pipeline.lowered(graph)
    let halo = try plan(lowered, algorithms: .exact).buffer(of: 1).layout.halo
    #expect([halo.top, halo.bottom, halo.left, halo.right] == [2, 2, 4, 4])
  }

  /// A convolution that does not reach its last column needs no halo there.
  @Test func halosEndWhereTheLastTapDoes() throws {
    let graph = try traced(16, 8, 8) { $0.through(ReLU(), Conv2D(16, kernel: 3, stride: 2)) }
    let halo = try plan(Pipeline.lowered(graph)).buffer(of: 1).layout.halo
    #expect([halo.top, halo.bottom, halo.left, halo.right] == [1, 0, 1, 0])
  }

  /// Winograd's tiles overhang the result, and what they read of the input is a halo too: twice as wide behind an SPD.
  @Test func halosCoverTheTilesThatOverhang() throws {
    let graph = try traced(64, 14, 14) { $0.through(ReLU(), SpaceToDepth(), Conv2D(64, kernel: 3)) }
    let plan = try plan(Pipeline.lowered(graph))
    let step = try #require(plan.steps.first { $0.kernel.winograd != nil })
    let tile = try #require(step.kernel.winograd)
    let beyond = (ChooseTile.ceilDivide(7, tile.size) * tile.size - 7 + 1) * 2
    let halo = plan.buffer(of: step.reads[0]).layout.halo
    #expect([halo.top, halo.bottom, halo.left, halo.right] == [2, beyond, 2, beyond])
  }

  @Test func boxesMustBeTheOnlyOutput() throws {
    let graph = try traced(8, 4, 4) { image in
      let anchors = Detect.Anchors([[(1, 1)]])
      return [Detect(classes: 1, anchors: anchors)(ReLU()(image)), image]
    }
    let error = #expect(throws: KernelError.self) { try plan(Pipeline.lowered(graph)) }
    #expect(
      error?.description
        == "PlanMemoryTests.swift:\(#line - 3): decoded boxes must be the only thing that the network returns (layer 1)"
    )
  }

  // MARK: - the checker finds what is wrong

  /// A sound plan with one thing changed, and the fault that must be found.
  @Test func theCheckerFindsFaults() throws {
    let graph = try traced(3, 8, 8) { image in
      let x = Conv2D(16, kernel: 3)(image)
      let y = Conv2D(32, kernel: 3)(x)
      return concat(x, y).through(Conv2D(16, kernel: 3))
    }
    let sound = try plan(Pipeline.lowered(graph))
    #expect(sound.faults == [])
    #expect(sound.buffers.map(\.node) == [1, 2, 4])

    func expect(_ fault: String, _ change: (inout Plan) -> Void, line: Int = #line) {
      var broken = sound
      change(&broken)
      #expect(broken.faults.contains(fault), "line \(line): \(broken.faults)")
    }
    expect("%1 and %2 overlap") { $0.buffers[1].offset = $0.buffers[0].offset }
    expect("%1 and %4 overlap") { $0.buffers[2].offset = $0.buffers[0].offset + $0.buffers[0].layout.count - 16 }
    expect("%1 and %4 overlap") { $0.buffers[0].layout.shape.channels *= 64 }
    expect("%1 lies outside of the arena") { $0.buffers[0].offset = $0.arenaCount }
    expect("%2 lies outside of the arena") { $0.buffers[1].offset = -16 }
    expect("%4 is not aligned") { $0.buffers[2].offset += 1 }
    expect("the workspace of step 1 lies outside of the arena") {
      $0.workspaces = [.init(step: 1, offset: $0.arenaCount, count: 16)]
    }
    expect("the workspace of step 1 and %2 overlap") {
      $0.workspaces = [.init(step: 1, offset: $0.buffers[1].offset, count: 16)]
    }
    expect("the workspace of step 1 is not aligned") { $0.workspaces = [.init(step: 1, offset: 8, count: 16)] }
    expect("a node has two buffers") { $0.buffers.append($0.buffers[0]) }
    expect("step 2 reads %1, which is gone since step 1") { $0.buffers[0].last = 1 }
    expect("%2 does not live when it is written") { $0.buffers[1].first = 2 }
    expect("step 1 reads %1, which no step has written") { $0.buffers.remove(at: 0) }
    expect("step 2 has no place for its result") { $0.buffers.remove(at: 2) }
    expect("step 0 reads %1, which no step has written") { $0.steps.swapAt(0, 1) }
    expect("the steps are not the nodes in their order") { $0.steps.swapAt(0, 1) }
    expect("step 2 does not say what it reads") { $0.steps[2].reads.removeFirst() }
    expect("%4 is stored in another shape") { $0.buffers[2].layout.shape.channels = 8 }
    expect("%2 reads beyond the halo of %1") { $0.buffers[0].layout.halo.bottom = 0 }
    expect("%4 reads beyond the halo of %2") { $0.buffers[1].layout.halo.left = 0 }
    expect("the packed weights of %2 overlap those before them") { $0.packed[1].offset -= 16 }
    expect("the packed weights of %4 are misplaced") { $0.packed[2].offset += 8 }
    expect("not every node with parameters has packed weights") { $0.packed.remove(at: 1) }
    expect("output 0 has another size") { $0.outputs[0].shape = [1] }
    expect("output 0 does not follow the one before it") { $0.outputs[0].offset = 4 }
  }

  @Test func placementReusesTheLowestGap() {
    func buffer(_ node: Int, _ count: Int, _ life: ClosedRange<Int>) -> Plan.Buffer {
      let layout = TensorLayout(shape: Shape(batch: 1, channels: 16, height: 1, width: count / 16))
      return Plan.Buffer(node: node, layout: layout, offset: -1, first: life.lowerBound, last: life.upperBound)
    }
    var buffers = [buffer(1, 160, 0...1), buffer(2, 320, 1...2), buffer(3, 160, 2...3), buffer(4, 16, 1...1)]
    var none: [Plan.Workspace] = []
    var gradients: [Plan.Gradient] = []
    #expect(PlanMemory.place(&buffers, &none, &gradients) == 496)
    #expect(buffers.map(\.offset) == [320, 0, 320, 480])
    // What one step needs for itself lies beside what lives during it.
    var workspaces = [Plan.Workspace(step: 0, offset: -1, count: 300), Plan.Workspace(step: 2, offset: -1, count: 20)]
    #expect(PlanMemory.place(&buffers, &workspaces, &gradients) == 512)
    #expect(workspaces.map(\.offset) == [0, 480])
    // And a gradient beside what lives until its update.
    gradients = [Plan.Gradient(parameter: "w", count: 100, first: 2, last: 3)]
    #expect(PlanMemory.place(&buffers, &workspaces, &gradients) == 624)
    #expect(gradients[0].offset == 480)
  }
}
