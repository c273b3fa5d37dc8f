import SPD
import SPDCompiler

extension Interpreter {
  func concat(_ inputs: [Values], _ shape: Shape) -> Values {
    var result = Values(zeros: shape)
    var first = 0
    for input in inputs {
      for n in 0..<shape.batch {
        for c in 0..<input.shape.channels {
          for y in 0..<shape.height {
            for x in 0..<shape.width { result[n, first + c, y, x] = input[n, c, y, x] }
          }
        }
      }
      first += input.shape.channels
    }
    return result
  }

  func spaceToDepth(_ op: Op.SpaceToDepth, _ input: Values, _ shape: Shape) -> Values {
    var result = Values(zeros: shape)
    for n in 0..<input.shape.batch {
      for c in 0..<input.shape.channels {
        for y in 0..<input.shape.height {
          for x in 0..<input.shape.width {
            let channel = op.outputChannel(c, row: y % op.scale, column: x % op.scale, of: input.shape.channels)
            result[n, channel, y / op.scale, x / op.scale] = input[n, c, y, x]
          }
        }
      }
    }
    return result
  }
}

extension Op.SpaceToDepth {
  /// The output channel of channel c at row phase r and column phase q: the formulas of `Order`, repeated here so that
  /// the oracle does not share them with the passes.
  func outputChannel(_ c: Int, row r: Int, column q: Int, of channels: Int) -> Int {
    switch order {
    case .paper: (r + scale * q) * channels + c
    case .onnx: (scale * r + q) * channels + c
    case .pixelUnshuffle: c * scale * scale + scale * r + q
    }
  }
}
