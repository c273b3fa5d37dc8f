import SPD

extension EmitC {
  /// Statements that turn the sums `v` into what is stored; see the templates for the names in scope.
  func epilogue(_ epilogue: Op.Epilogue, width: Int, adds: Bool = false) -> String {
    var parametric = epilogue.parametric
    let statements = epilogue.stages.compactMap { stage -> String? in
      switch stage {
      case .normalizeByPhase: return "v = v * AT(bias + \(width) + phase) + AT(bias + \(5 * width) + phase);"
      case .activate(let activation) where activation.parameter != nil:
        return apply(activation, parameter: "bias + \(parametric.removeFirst().row * width) + channel")
      case .activate(let activation): return apply(activation)
      case .add: return "v += AT(r + residual);"
      case .gatherStatistics: return nil  // of the tile as a whole, once it is stored
      }
    }
    return ((adds ? ["v += AT(to);"] : []) + statements).joined(separator: " ")
  }

  /// Address and layout of the residual, if there is one.
  func residual(_ node: Node) -> (address: String, layout: TensorLayout?) {
    guard let segment = node.operand(.summand)?.segments[0] else { return ("NULL", nil) }
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
