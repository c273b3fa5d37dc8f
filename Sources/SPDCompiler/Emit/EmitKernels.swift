import SPD

// The kernel functions, one per distinct instance of a template, and the calls that make up a run.
extension EmitC {
  struct Kernels {
    var functions = ""
    /// One block of statements per step.
    var calls: [String] = []

    /// Whether something calls a function of a template that is instantiated once; of those whose functions need no caller, yes.
    func uses(_ template: String) -> Bool {
      let functions = [
        "halo": ["zero_halo("], "pack_training": ["pack_direct(", "pack_winograd("],
        "pack_training_direct": ["pack_direct("], "pack_training_winograd": ["pack_winograd("],
        "pack_training_image": ["pack_image("], "pack_training_bias": ["pack_bias("],
        "composed_math": ["composed_loss("],
      ]
      guard let functions = functions[template] else { return true }
      return functions.contains { name in calls.contains { $0.contains(name) } }
    }
  }

  func emitKernels() throws -> Kernels {
    var result = Kernels()
    // Steps that differ in nothing but addresses share a function: less text to read and to compile.
    var known: [String: Int] = [:]
    var names: [String] = []
    var users: [[Plan.Step]] = []
    var bodies: [(template: String, holes: [String: String])] = []
    var invocations: [(Invocation, Int)] = []
    for step in plan.steps {
      let invocation = try invocation(of: step)
      let text = try templates.fill(step.kernel.template, invocation.holes.merging(["NAME": "_"]) { a, _ in a })
      if let index = known[text] {
        users[index].append(step)
        invocations.append((invocation, index))
      } else {
        known[text] = names.count
        invocations.append((invocation, names.count))
        names.append(functionName(step))
        users.append([step])
        bodies.append((step.kernel.template, invocation.holes))
      }
    }
    var supported: Set<String> = []
    for support in invocations.flatMap(\.0.support) {
      let text = try templates.fill(support.template, support.holes)
      if supported.insert(text).inserted { result.functions += text + "\n" }
    }
    var introduced: Set<String> = []
    for (index, body) in bodies.enumerated() {
      let preamble = templates.preamble(body.template)
      if !preamble.isEmpty, introduced.insert(body.template).inserted { result.functions += preamble + "\n" }
      var holes = body.holes
      holes["NAME"] = names[index]
      result.functions += provenance(users[index], template: body.template)
      result.functions += try templates.fill(body.template, holes) + "\n"
    }
    for (step, (invocation, index)) in zip(plan.steps, invocations) {
      result.calls.append(comment(step) + invocation.prelude + invocation.call(names[index]))
    }
    return result
  }

  /// How a step calls its kernel.
  struct Invocation {
    var holes: [String: String]
    /// Functions that the kernel calls, of templates that are instantiated once for each set of values.
    var support: [Support] = []
    /// Statements before the call.
    var prelude = ""
    var call: (_ function: String) -> String
  }

  struct Support {
    var template: String
    var holes: [String: String]
  }

  private func invocation(of step: Plan.Step) throws -> Invocation {
    guard let id = step.node else {
      switch step.kernel {
      case .store(let output): return storeInvocation(output: output)
      case .update(let parameters): return update(parameters)
      default: preconditionFailure("a step without node")
      }
    }
    let node = graph[id]
    var result: Invocation
    switch (step.kernel, node.op) {
    case (.convDirect(let tile), .convolution(let op)): result = direct(node, op, tile)
    case (.convWinograd, .convolution(let op)), (.convImageWinograd, .convolution(let op)):
      result = winograd(node, op, step.kernel)
    case (.convImage(let tile, let scale), .convolution(let op)): result = image(node, op, tile, scale: scale)
    case (.convDepthwise, .convolution(let op)): result = grouped(node, op, depthwise: true)
    case (.convGrouped, .convolution(let op)): result = grouped(node, op, depthwise: false)
    case (.pointwise, _): result = pointwise(node)
    case (.maxPool, .pool(let op)), (.averagePool, .pool(let op)): result = pool(node, op)
    case (.globalAverage, _): result = globalAverage(node)
    case (.softmax, _): result = softmax(node)
    case (.flatten, _): result = flatten(node)
    case (.decode, .decodeBoxes(let op)): result = decode(node, op)
    case (.copy, _): result = copy(node)
    case (_, .training(let op)): result = training(node, op, step.kernel)
    default: preconditionFailure("\(step.kernel) cannot compute \(node.op.name)")
    }
    result.prelude = haloes(of: step)
    if plan.mode == .training, let packing = try trainingPacking(of: step) { result.prelude += packing + "BARRIER\n" }
    return result
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
    guard let node = step.node else {
      guard case .store(let output) = step.kernel else { return "\(prefix)_\(step.kernel.template)_parameter" }
      return "\(prefix)_output\(output)_\(step.kernel.template)"
    }
    let number = String(node)
    let padded = String(repeating: "0", count: max(0, 3 - number.count)) + number
    return "\(prefix)_n\(padded)_\(step.kernel.template)"
  }

  /// The graph's own text of a step, for the comment above its call.
  private func comment(_ step: Plan.Step) -> String {
    guard let id = step.node else { return "/* \(CText.comment(step.purpose)) */\n" }
    return "/* %\(id) = \(CText.comment(graph.expression(of: graph[id]))) */\n"
  }

  private func provenance(_ steps: [Plan.Step], template: String) -> String {
    var lines: [String] = []
    for step in steps {
      guard let id = step.node else {
        lines.append(step.purpose)
        continue
      }
      let node = graph[id]
      lines.append("%\(id) = \(graph.expression(of: node))      \(node.shape)      \(node.layer)  \(node.source)")
    }
    lines.append("    templates/kernels/\(template).c")
    return "/* " + lines.map(CText.comment).joined(separator: "\n * ") + " */\n"
  }

  // MARK: - addresses

  /// The first pixel of a node's result.
  func address(_ node: Node.ID) -> String {
    let buffer = plan.buffer(of: node)
    return "arena + \(buffer.offset + buffer.layout.origin)"
  }

  func layout(_ node: Node.ID) -> TensorLayout { plan.buffer(of: node).layout }

  /// The first pixel of what a segment shows, `rows` rows and `columns` columns of the reader before its first one.
  func address(_ segment: Segment, rowsBefore rows: Int = 0, columnsBefore columns: Int = 0) -> String {
    let buffer = plan.buffer(of: segment.node)
    let layout = buffer.layout
    let offset =
      buffer.offset + layout.origin + segment.first / channelBlock * layout.blockStride
      + (segment.rowPhase - rows * segment.step) * layout.rowStride
      + (segment.columnPhase - columns * segment.step) * layout.columnStride
    return "arena + \(offset)"
  }

  /// Compound literal of the addresses that a kernel takes as `x`.
  func pointers(_ addresses: [String]) -> String {
    "(const float *const[]){" + addresses.joined(separator: ", ") + "}"
  }

  func packedAddress(_ node: Node.ID, plus offset: Int = 0) -> String {
    guard let block = plan.packedBlock(of: node) else { return "NULL" }
    return "\(plan.mode == .training ? "arena" : "weights") + \(block.offset + offset)"
  }

  func strides(_ name: String, _ layout: TensorLayout?) -> [String: String] {
    [
      "\(name)_IMAGE": "\(layout?.imageStride ?? 0)", "\(name)_ROW": "\(layout?.rowStride ?? 0)",
      "\(name)_BLOCK": "\(layout?.blockStride ?? 0)",
    ]
  }
}

extension Plan.Step {
  /// A description of a step without a node.
  public var purpose: String {
    switch kernel {
    case .store: "the network's output"
    case .update(let parameters): "update of \(parameters.joined(separator: ", "))"
    default: ""
    }
  }
}

extension Dictionary where Key == String, Value == String {
  static func + (a: Self, b: Self) -> Self { a.merging(b) { _, _ in preconditionFailure("a hole is filled twice") } }
}
