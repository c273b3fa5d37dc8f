import SPD

extension EmitC {
  /// Address and layout of the residual, if there is one.
  func residual(_ node: Node) -> (address: String, layout: TensorLayout?) {
    guard let segment = node.operand(.summand)?.segments[0] else { return ("NULL", nil) }
    return (address(segment), layout(segment.node))
  }

  /// One line per run of segments that differ only in where they begin.
  func accumulations(_ segments: [Segment], _ op: Op.Convolution) -> String {
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      let blocks = (segment.channels + channelBlock - 1) / channelBlock / op.groups
      let row = segment.step * layout.rowStride
      let column = segment.step * layout.columnStride
      return "\(blocks), \(layout.blockStride), \(row * op.dilation.height), \(column * op.dilation.width), "
        + "\(row * op.stride.height), \(column * op.stride.width), \(layout.imageStride), \(segment.upsampling)"
    }
    return runs(lines).map { "ACCUMULATE(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
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
