import SPD

// Normalisation with the statistics of the batch, and its backward pass.
extension EmitC {
  func statistics(_ node: Node, _ norm: Op.BatchNorm) -> Invocation {
    let z = node.inputs[0].segments[0]
    let shape = graph.shape(of: node.inputs[0])
    let gathering = graph.gatheringConvolution(of: node)
    let slots =
      gathering.map { convolution in
        PlanMemory.statisticsSlots(convolution, plan.steps.first { $0.node == convolution.id }!.kernel)
      } ?? PlanMemory.chunks(shape)
    let holes =
      extent(shape) + strides("Z", layout(z.node)) + phases(norm, shape)
      + [
        "EPSILON": "\(norm.epsilon)", "MOMENTUM": "\(norm.momentum)", "GATHERED": gathering == nil ? "0" : "1",
        "SLOTS": "\(slots)",
      ]
    return Invocation(holes: holes) {
      "\($0)(\(self.address(z)), \(self.value(norm.weight)), \(self.value(norm.bias)), \(self.value(norm.runningMean)), "
        + "\(self.value(norm.runningVariance)), \(self.address(node.id)), \(self.workspace(node)), thread, threads);\n"
    }
  }

  func normalize(_ node: Node, _ op: Op.Normalize) -> Invocation {
    let z = node.inputs[0].segments[0]
    let residual = op.addsResidual ? node.inputs[node.inputs.count - 1].segments[0] : nil
    var statements: [String] = op.norm == nil ? [] : ["v = scale * v + shift;"]
    if let activation = op.activation { statements.append(activation.statement) }
    if op.addsResidual { statements.append("v += AT(r + at);") }
    if let activation = op.finalActivation { statements.append(activation.statement) }
    var holes =
      extent(node.shape) + strides("Z", layout(z.node)) + strides("R", residual.map { layout($0.node) })
      + strides("Y", layout(node.id)) + [
        "PHASES": "\(op.norm?.phases ?? 1)", "STATEMENTS": statements.joined(separator: " "),
      ]
    holes["CHANNELS"] = nil
    holes = holes + tableEntries(op, ["SCALE": 2, "SHIFT": 3])
    return Invocation(holes: holes) {
      "\($0)(\(self.address(z)), \(op.norm == nil ? "NULL" : self.address(node.inputs[1].segments[0].node)), "
        + "\(residual.map { self.address($0) } ?? "NULL"), \(self.address(node.id)), thread, threads);\n"
    }
  }

  func batchNormBackwardReduce(_ node: Node, _ op: Op.Normalize) -> Invocation {
    guard let norm = op.norm else { preconditionFailure("sums without a normalisation") }
    let (gradient, z, table) = (node.inputs[0].segments[0], node.inputs[1].segments[0], node.inputs[2].segments[0])
    let final = op.finalActivation == nil ? nil : node.inputs[3].segments[0]
    let shape = graph.shape(of: node.inputs[0])
    let holes =
      extent(shape) + strides("G", layout(gradient.node)) + strides("Z", layout(z.node))
      + strides("Y", final.map { layout($0.node) }) + phases(norm, shape) + ["SLOPE": self.final(op) + slope(op)]
    return Invocation(holes: holes) {
      "\($0)(\(self.address(gradient)), \(self.address(z)), \(final.map { self.address($0) } ?? "NULL"), "
        + "\(self.address(table.node)), \(self.gradient(norm.weight)), \(self.gradient(norm.bias)), "
        + "\(self.address(node.id)), \(self.workspace(node)), thread, threads);\n"
    }
  }

  func normalizeGradient(_ node: Node, _ op: Op.Normalize) -> Invocation {
    let (gradient, z) = (node.inputs[0].segments[0], node.inputs[1].segments[0])
    let tables = op.norm == nil ? [] : [node.inputs[2].segments[0].node, node.inputs[3].segments[0].node]
    let final = op.finalActivation == nil ? nil : node.inputs[node.inputs.count - 1].segments[0]
    let to = node.destinations![0].segments.first
    let residual = node.destinations!.count > 1 ? node.destinations![1].segments.first : nil
    func store(_ pointer: String, _ value: String, _ adds: Bool) -> String {
      "PUT(\(pointer), \(adds ? "AT(\(pointer)) + " : "")\(value));"
    }
    var stores: [String] = []
    if to != nil { stores.append(store("dz + to", op.norm == nil ? "g" : "d", node.destinations![0].adds)) }
    if residual != nil { stores.append(store("dr + other", "h", node.destinations![1].adds)) }
    var holes =
      extent(node.shape) + strides("G", layout(gradient.node)) + strides("Z", layout(z.node))
      + strides("Y", final.map { layout($0.node) }) + strides("D", to.map { layout($0.node) })
      + strides("R", residual.map { layout($0.node) })
    holes =
      holes + [
        "PHASES": "\(op.norm?.phases ?? 1)", "FINAL": self.final(op), "SLOPE": slope(op),
        "STORE": stores.joined(separator: " "),
      ]
    holes["CHANNELS"] = nil
    holes = holes + tableEntries(op, ["SCALE": 2, "SHIFT": 3])
    for (name, row) in ["K0": 2, "K1": 3] {
      holes[name] = op.norm == nil ? "SPLAT(0.0f)" : "AT(sum + (\(row) * \(op.norm!.phases) + phase) * WIDTH)"
    }
    return Invocation(holes: holes) {
      "\($0)(\(self.address(gradient)), \(self.address(z)), \(final.map { self.address($0) } ?? "NULL"), "
        + (tables.isEmpty ? "NULL, NULL, " : tables.map { self.address($0) + ", " }.joined())
        + "\(to.map { self.address($0) } ?? "NULL"), \(residual.map { self.address($0) } ?? "NULL"), thread, threads);\n"
    }
  }

  // MARK: - holes

  private func extent(_ shape: Shape) -> [String: String] {
    [
      "IMAGES": "\(shape.batch)", "ROWS": "\(shape.height)", "COLS": "\(shape.width)", "CHANNELS": "\(shape.channels)",
      "BLOCKS": "\(ChooseTile.ceilDivide(shape.channels, channelBlock))",
    ]
  }

  /// Parameters by phase, and how rows are cut into chunks.
  private func phases(_ norm: Op.BatchNorm, _ shape: Shape) -> [String: String] {
    var sequences = [(first: 0, stride: 1)]
    if let enclosing = norm.enclosing {
      sequences = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
        enclosing.outputChannels(rowPhase: $0.0, columnPhase: $0.1, of: shape.channels)
      }
    }
    return [
      "PHASES": "\(norm.phases)", "FIRST": sequences.map { "\($0.first)" }.joined(separator: ", "),
      "STRIDE": sequences.map { "\($0.stride)" }.joined(separator: ", "),
      "CHUNK": "\(PlanMemory.chunkRows(shape))",
    ]
  }

  /// Vectors of the statistics' table by its rows; neutral ones without a normalisation.
  private func tableEntries(_ op: Op.Normalize, _ rows: [String: Int]) -> [String: String] {
    guard let norm = op.norm else { return ["SCALE": "SPLAT(1.0f)", "SHIFT": "SPLAT(0.0f)"] }
    return rows.mapValues { "AT(line + (\($0) * \(norm.phases) + phase) * WIDTH)" }
  }

  /// Multiplies g by the slope of the final ReLU, which its result y tells.
  private func final(_ op: Op.Normalize) -> String {
    op.finalActivation == nil ? "" : "g = SELECT(AT(y + at) > 0.0f, g, SPLAT(0.0f)); "
  }

  /// Multiplies g by the slope of the activation at u.
  private func slope(_ op: Op.Normalize) -> String { op.activation.map { "\($0.slope) g *= u;" } ?? "" }
}

extension Op.Activation {
  /// Turns the vector u, its argument, into its derivative there.
  fileprivate var slope: String {
    switch self {
    case .relu: "relu_slope(&u);"
    case .leakyReLU(let slope): "leaky_relu_slope(&u, (float)\(slope));"
    case .silu: "silu_slope(&u);"
    case .sigmoid: "sigmoid_slope(&u);"
    case .hardswish: "hard_swish_slope(&u);"
    }
  }
}
