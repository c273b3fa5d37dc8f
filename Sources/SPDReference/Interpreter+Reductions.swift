import SPD
import SPDCompiler

extension Interpreter {
  /// Computes the maximum under the kernel, with padding −∞, or the mean, with padding of zeros that count.
  func pool(_ op: Op.Pool, _ input: Values, _ shape: Shape) -> Values {
    Values(shape) { n, c, y, x in
      var largest = -Double.infinity
      var sum = 0.0
      for ky in 0..<op.kernel.height {
        for kx in 0..<op.kernel.width {
          let inputY = y * op.stride.height + ky - op.padding.height
          let inputX = x * op.stride.width + kx - op.padding.width
          guard (0..<input.shape.height).contains(inputY), (0..<input.shape.width).contains(inputX) else { continue }
          largest = max(largest, input[n, c, inputY, inputX])
          sum += input[n, c, inputY, inputX]
        }
      }
      return op.kind == .max ? largest : sum / Double(op.kernel.area)
    }
  }

  func globalAveragePool(_ input: Values, _ shape: Shape) -> Values {
    Values(shape) { n, c, _, _ in
      var sum = 0.0
      for y in 0..<input.shape.height {
        for x in 0..<input.shape.width { sum += input[n, c, y, x] }
      }
      return sum / Double(input.shape.size.area)
    }
  }

  /// Computes y = W·x + b.
  func linear(_ op: Op.Linear, _ input: Values, _ shape: Shape) throws -> Values {
    let channels = input.shape.channels
    let weight = try parameter(op.weight, count: op.outputs * channels)
    let bias = try op.bias.map { try parameter($0, count: op.outputs) }
    return Values(shape) { n, output, _, _ in
      (0..<channels).reduce(bias?[output] ?? 0) { $0 + weight[output * channels + $1] * input[n, $1, 0, 0] }
    }
  }

  /// Decodes the boxes of all levels: rows are ordered by level, then anchor, then y, then x.
  func decodeBoxes(_ op: Op.DecodeBoxes, _ levels: [Values], _ shape: Shape) throws -> Values {
    let anchors = try parameter(op.anchors, count: levels.count * op.anchorsPerLevel * 2)
    var result = Values(zeros: shape)
    var row = 0
    for (level, scores) in levels.enumerated() {
      let stride = Double(op.strides[level])
      for anchor in 0..<op.anchorsPerLevel {
        let anchorWidth = anchors[(level * op.anchorsPerLevel + anchor) * 2]
        let anchorHeight = anchors[(level * op.anchorsPerLevel + anchor) * 2 + 1]
        for y in 0..<scores.shape.height {
          for x in 0..<scores.shape.width {
            for n in 0..<shape.batch {
              let s = (0..<op.classes + 5).map { scores[n, anchor * (op.classes + 5) + $0, y, x] }
              result[n, 0, row, 0] = (2 * s[0] - 0.5 + Double(x)) * stride
              result[n, 0, row, 1] = (2 * s[1] - 0.5 + Double(y)) * stride
              result[n, 0, row, 2] = (2 * s[2]) * (2 * s[2]) * anchorWidth * stride
              result[n, 0, row, 3] = (2 * s[3]) * (2 * s[3]) * anchorHeight * stride
              for i in 4..<op.classes + 5 { result[n, 0, row, i] = s[i] }
            }
            row += 1
          }
        }
      }
    }
    return result
  }
}
