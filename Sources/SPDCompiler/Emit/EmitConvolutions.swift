import SPD

extension EmitC {
  /// Statements that turn the sums `v` into what is stored; see the templates for the names in scope.
  func epilogue(_ epilogue: Op.Epilogue, width: Int, adds: Bool = false) -> String {
    var statements = adds ? ["v += AT(to);"] : []
    if epilogue.phaseNorm != nil {
      statements.append("v = v * AT(bias + \(width) + phase) + AT(bias + \(5 * width) + phase);")
    }
    if let activation = epilogue.activation { statements.append(activation.statement) }
    if epilogue.addsResidual { statements.append("v += AT(r + residual);") }
    if let activation = epilogue.finalActivation { statements.append(activation.statement) }
    return statements.joined(separator: " ")
  }

  /// Address and layout of the residual, if there is one.
  func residual(_ node: Node, _ op: Op.Convolution) -> (address: String, layout: TensorLayout?) {
    guard op.epilogue.addsResidual else { return ("NULL", nil) }
    let segment = node.inputs[node.inputs.count - 1].segments[0]
    return (address(segment), layout(segment.node))
  }

  /// One line per run of segments that differ only in where they begin.
  func accumulations(_ segments: [Segment], _ op: Op.Convolution, named name: String = "ACCUMULATE") -> String {
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      let blocks = (segment.channels + channelBlock - 1) / channelBlock / op.groups
      let row = segment.step * layout.rowStride
      let column = segment.step * layout.columnStride
      return "\(blocks), \(layout.blockStride), \(row * op.dilation.height), \(column * op.dilation.width), "
        + "\(row * op.stride.height), \(column * op.stride.width), \(layout.imageStride), \(segment.upsampling)"
    }
    return runs(lines).map { "\(name)(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
  }

  /// Runs of equal lines: where each begins and how long it is.
  func runs(_ lines: [String]) -> [(first: Int, count: Int, line: String)] {
    var result: [(first: Int, count: Int, line: String)] = []
    for (index, line) in lines.enumerated() {
      if result.last?.line == line {
        result[result.count - 1].count += 1
      } else {
        result.append((index, 1, line))
      }
    }
    return result
  }
}

extension Op.Activation {
  /// Applies it to the vector `v`; the functions are the prelude's.
  var statement: String {
    switch self {
    case .relu: "relu(&v);"
    case .leakyReLU(let slope): "leaky_relu(&v, (float)\(slope));"
    case .silu: "silu(&v);"
    case .sigmoid: "sigmoid(&v);"
    case .hardswish: "hard_swish(&v);"
    }
  }
}
