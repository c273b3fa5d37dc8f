import SPD

// The kernel functions, one per distinct instance of a template, and the calls that make up a run.
extension EmitC {
  struct Kernels {
    var functions = ""
    /// One block of statements per step.
    var calls: [String] = []

    /// Templates whose functions the calls and their preludes call.
    var helpers: Set<String> = []
  }

  func emitKernels() throws -> Kernels {
    var result = Kernels()
    var layers = ""
    for step in plan.steps {
      let invocation = try invocation(of: step)
      for support in invocation.support { instances.require(support.template, support.holes) }
      var function = ""
      if let holes = invocation.holes {
        // Steps that differ in nothing but addresses share a function: less text to read and to compile.
        function = instances.function(step.kernel.template, holes, named: functionName(step), for: provenance(step))
      } else {
        layers += "/* " + CText.comment(provenance(step)) + " */\n" + invocation.layer + "\n"
      }
      result.calls.append(comment(step) + invocation.prelude + invocation.call(function))
      result.helpers.formUnion(invocation.helpers)
    }
    result.functions = try instances.text(templates)
    if !layers.isEmpty {
      result.functions += "/* ---- the layers " + String(repeating: "-", count: 98) + " */\n\n" + layers
    }
    return result
  }

  /// How a step calls its kernel.
  struct Invocation {
    /// What makes the function of the step's template; nil if a constant describes the step to functions that steps share.
    var holes: [String: String]?
    /// The constant.
    var layer = ""
    /// Texts of templates that are there once for each set of values, before the function.
    var support: [Support] = []
    /// Templates without holes whose functions the call and what is before it call.
    var helpers: Set<String> = []
    /// Statements before the call.
    var prelude = ""
    var call: (_ function: String) -> String

    init(
      holes: [String: String], support: [Support] = [], helpers: Set<String> = [], call: @escaping (String) -> String
    ) {
      (self.holes, self.support, self.helpers, self.call) = (holes, support, helpers, call)
    }

    init(layer: String, call: @escaping () -> String) {
      self.layer = layer
      self.call = { _ in call() }
    }
  }

  struct Support {
    var template: String
    var holes: [String: String]
  }

  private func invocation(of step: Plan.Step) throws -> Invocation {
    var result = step.kernel.module.invocation(of: step, in: self)
    guard let id = step.node else { return result }
    result.prelude = haloes(of: step)
    if !result.prelude.isEmpty { result.helpers.insert("halo") }
    guard plan.mode == .training, let block = plan.packedBlock(of: id) else { return result }
    guard let kernel = step.kernel.module as? any TrainingPackingKernel else {
      preconditionFailure("\(step.kernel) is not packed in training")
    }
    result.prelude += kernel.trainingPacking(of: graph[id], to: block, in: self) + "BARRIER\n"
    result.helpers.formUnion(kernel.trainingHelpers)
    return result
  }

  /// What kernels may know of a plan in the making.
  var context: KernelContext { KernelContext(graph: graph, target: plan.target, maxTargets: plan.maxTargets) }

  /// The node that a step computes.
  func node(of step: Plan.Step) -> Node {
    guard let id = step.node else { preconditionFailure("\(step.kernel) has no node") }
    return graph[id]
  }

  /// Statements that write the zeros around what a step is the first to write to.
  private func haloes(of step: Plan.Step) -> String {
    guard let position = plan.steps.firstIndex(of: step) else { preconditionFailure("a step of another plan") }
    // What is cleared is cleared with its halo: another thread would write the same zeros at the same time.
    let own = step.kernel == .clear ? [] : step.node.map { [$0] } ?? []
    let written = step.writes + own
    return plan.buffers.filter { written.contains($0.node) && $0.first == position && !$0.layout.halo.isEmpty }.map {
      let layout = $0.layout
      let halo = layout.halo
      return
        "zero_halo(\(address($0.node)), \(layout.shape.batch), \(layout.shape.height), \(halo.top), \(halo.bottom), "
        + "\(halo.left), \(halo.right), \(layout.imageStride), \(layout.rowStride), \(layout.blockStride), thread, threads);\n"
    }.joined()
  }

  func functionName(_ step: Plan.Step) -> String {
    guard let node = step.node else { return "\(prefix)_\(step.standalone.functionName)" }
    let number = String(node)
    let padded = String(repeating: "0", count: max(0, 3 - number.count)) + number
    return "\(prefix)_n\(padded)_\(step.kernel.template)"
  }

  /// The graph's own text of a step, for the comment above its call.
  private func comment(_ step: Plan.Step) -> String {
    guard let id = step.node else { return "/* \(CText.comment(step.purpose)) */\n" }
    return "/* %\(id) = \(CText.comment(graph.expression(of: graph[id]))) */\n"
  }

  /// What a step computes and where the model file says so.
  private func provenance(_ step: Plan.Step) -> String {
    guard let id = step.node else { return step.purpose }
    let node = graph[id]
    return "%\(id) = \(graph.expression(of: node))      \(node.shape)      \(node.layer)  \(node.source)"
  }

  // MARK: - addresses

  /// The first pixel of a node's result.
  func address(_ node: Node.ID) -> String { "arena + \(name("T", node))" }

  func layout(_ node: Node.ID) -> TensorLayout { plan.buffer(of: node).layout }

  /// The first pixel of what a segment shows, `rows` rows and `columns` columns of the reader before its first one.
  func address(_ segment: Segment, rowsBefore rows: Int = 0, columnsBefore columns: Int = 0) -> String {
    "arena + \(place(of: segment, rowsBefore: rows, columnsBefore: columns))"
  }

  /// Compound literal of the addresses that a kernel takes as `x`.
  func pointers(_ addresses: [String]) -> String {
    "(const float *const[]){" + addresses.joined(separator: ", ") + "}"
  }

  /// The memory that all threads share in a node's step.
  func workspace(_ node: Node) -> String {
    let step = plan.steps.firstIndex { $0.node == node.id }
    return plan.workspaces.contains { $0.step == step } ? "arena + \(name("S", node.id))" : "NULL"
  }

  /// What packed weights are counted from: a buffer of their own, or in training, which packs in every step, the arena.
  var packedBase: String { plan.mode == .training ? "arena" : "weights" }

  /// The packed weights of a node.
  func packedAddress(_ node: Node.ID) -> String {
    plan.packedBlock(of: node) == nil ? "NULL" : "\(packedBase) + \(name("W", node))"
  }

  func strides(_ name: String, _ layout: TensorLayout?) -> [String: String] {
    [
      "\(name)_IMAGE": "\(layout?.imageStride ?? 0)", "\(name)_ROW": "\(layout?.rowStride ?? 0)",
      "\(name)_BLOCK": "\(layout?.blockStride ?? 0)",
    ]
  }
}

extension Plan.Step {
  /// The kernel of a step without a node.
  fileprivate var standalone: any StandaloneKernel {
    guard let module = kernel.module as? any StandaloneKernel else { preconditionFailure("\(kernel) has no node") }
    return module
  }

  /// A description of a step without a node.
  public var purpose: String { standalone.purpose }
}

extension Dictionary where Key == String, Value == String {
  static func + (a: Self, b: Self) -> Self { a.merging(b) { _, _ in preconditionFailure("a hole is filled twice") } }
}
