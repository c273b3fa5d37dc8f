import SPD

/// Turns a lowered graph into a plan. Each stage decides one thing, for good: nothing is decided twice, and no stage guesses what a
/// later one will do.
public enum LowerToPlan {
  /// - Parameters:
  ///   - updatesInBackward: of training: each parameter is updated as soon as its gradient is there.
  ///   - reuse: false keeps every result until the end, for looking at them.
  /// - Throws: `KernelError` for a node that no kernel computes.
  public static func plan(
    _ graph: Graph, prefix: String, target: Target, kernels: KernelOptions = KernelOptions(),
    mode: Mode = .inference, maxTargets: Int = 0, updatesInBackward: Bool = false, reuse: Bool = true
  ) throws -> Plan {
    let context = KernelContext(graph: graph, target: target, maxTargets: maxTargets)
    var plan = Plan(graph: graph, prefix: prefix, target: target, mode: mode)
    try plan.chooseKernels(kernels)
    // Results are written last; a network that trains returns losses alone.
    if mode == .inference { plan.storeOutputs() }
    // Updates are steps too, so they come before anything has a place in time.
    if updatesInBackward { plan.insertUpdates() }
    plan.placeInTime(reuse: reuse)
    // Halos and what shares memory decide the layouts …
    plan.layOut(context)
    let owners = mode == .training ? plan.shareMemory() : Array(plan.buffers.indices)
    // … layouts decide whether images can be joined, which decides how the work is cut …
    plan.joinImages()
    // … and with it what memory the steps need.
    let needs = plan.steps.map { plan.needs(of: $0, context) }
    plan.addWorkspaces(needs)
    plan.placeInMemory(owners)
    plan.placePackedWeights(needs)
    if mode == .training { plan.addState(maxTargets: maxTargets) }
    return plan
  }
}

extension Plan {
  /// A plan in which nothing is decided.
  fileprivate init(graph: Graph, prefix: String, target: Target, mode: Mode) {
    self.init(
      graph: graph, prefix: prefix, target: target, mode: mode, steps: [], buffers: [], packed: [], arenaCount: 0,
      scratchCount: 0, outputs: [])
  }

  fileprivate mutating func chooseKernels(_ options: KernelOptions) throws {
    var options = options
    options.packsWeights = mode == .training
    let choose = ChooseKernels(graph: graph, target: target, options: options)
    for node in graph.nodes {
      guard let kernel = try choose.kernel(for: node) else { continue }
      let reads = node.inputs.flatMap(\.segments).map(\.node)
      let writes = (node.destinations ?? []).flatMap(\.segments).map(\.node)
      steps.append(Step(node: node.id, kernel: kernel, reads: reads, writes: writes))
    }
  }

  fileprivate mutating func storeOutputs() {
    for (index, operand) in graph.outputs.enumerated() {
      let shape = graph.shape(of: operand)
      var seen = [shape.batch, shape.channels, shape.height, shape.width]
      if graph[operand.segments[0].node].op.writesOutput {
        seen = [shape.batch, shape.height, shape.width]
      } else {
        if shape.height == 1, shape.width == 1 { seen = [shape.batch, shape.channels] }
        steps.append(Step(node: nil, kernel: .store(output: index), reads: operand.segments.map(\.node)))
      }
      outputs.append(Output(shape: seen, offset: outputs.last.map { $0.offset + $0.count } ?? 0))
    }
  }

  /// Buffers, each from the step that writes it first to the one that reads it last; layouts follow.
  fileprivate mutating func placeInTime(reuse: Bool) {
    var lifetimes: [Node.ID: ClosedRange<Int>] = [:]
    for (index, step) in steps.enumerated() {
      let written = step.writes + (step.node.map { graph[$0].destinations == nil ? [$0] : [] } ?? [])
      for node in written where lifetimes[node] == nil { lifetimes[node] = index...(reuse ? index : steps.count) }
      for read in step.reads + step.writes {
        if let life = lifetimes[read] { lifetimes[read] = life.lowerBound...max(life.upperBound, index) }
      }
    }
    buffers = graph.nodes.compactMap { node in
      guard let life = lifetimes[node.id], !node.op.writesOutput else { return nil }
      let layout = TensorLayout(shape: node.shape, halo: TensorLayout.Halo())
      return Buffer(node: node.id, layout: layout, offset: 0, first: life.lowerBound, last: life.upperBound)
    }
  }

  fileprivate mutating func layOut(_ context: KernelContext) {
    let halos = PlanMemory.haloSizes(self, context)
    for index in buffers.indices { buffers[index].layout.halo = halos[buffers[index].node] ?? TensorLayout.Halo() }
  }

  fileprivate mutating func addWorkspaces(_ needs: [KernelNeeds]) {
    workspaces = steps.indices.compactMap { index in
      if let gathering = gatheringStep(for: steps[index]) {
        return Workspace(first: gathering, step: index, offset: 0, count: gatheredCount(steps[gathering]))
      }
      // Training packs weights in every step, into memory of that step.
      let count = PlanMemory.roundUp(needs[index].shared) + (mode == .training ? needs[index].packed : 0)
      return count > 0 ? Workspace(step: index, offset: 0, count: count) : nil
    }
    scratchCount = PlanMemory.roundUp(needs.map(\.scratch).max() ?? 0)
  }

  fileprivate mutating func placePackedWeights(_ needs: [KernelNeeds]) {
    var end = 0
    for (index, step) in steps.enumerated() {
      let count = needs[index].packed
      guard count > 0, let id = step.node else { continue }
      if mode == .training, let workspace = workspaces.first(where: { $0.step == index }) {
        end = workspace.offset + workspace.count - count
      }
      packed.append(PackedBlock(node: id, offset: end, count: count))
      end += count
    }
  }

  func needs(of step: Step, _ context: KernelContext) -> KernelNeeds {
    step.node.map { step.kernel.module.needs(of: graph[$0], in: context) } ?? KernelNeeds()
  }
}

extension Op {
  /// Whether its kernel writes the network's output itself, so that its result has no place in the arena.
  fileprivate var writesOutput: Bool { if case .decodeBoxes = self { true } else { false } }
}
