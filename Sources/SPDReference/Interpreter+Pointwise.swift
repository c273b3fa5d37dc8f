import SPD
import SPDCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The parameters of a batch normalisation.
struct Normalisation {
  var weight: [Double]
  var bias: [Double]
  var mean: [Double]
  var variance: [Double]
  var epsilon: Double
  /// Number of channels of the tensor that is normalised.
  var channels: Int
  var behind: Op.SpaceToDepth?

  /// Computes γ·(value − mean)/√(variance + ε) + β for a value of channel c at row y and column x.
  ///
  /// If hoisted above a space-to-depth, the parameters are those of the channel that the value becomes.
  func callAsFunction(_ value: Double, _ c: Int, _ y: Int, _ x: Int) -> Double {
    var i = c
    if let op = behind { i = op.outputChannel(c, row: y % op.scale, column: x % op.scale, of: channels) }
    return weight[i] * (value - mean[i]) / (variance[i] + epsilon).squareRoot() + bias[i]
  }

  /// γ/√(variance + ε) of channel c.
  func scale(_ c: Int) -> Double { weight[c] / (variance[c] + epsilon).squareRoot() }
}

extension Interpreter {
  func normalisation(_ op: Op.BatchNorm, channels: Int) throws -> Normalisation {
    let count = channels * (op.enclosing.map { $0.scale * $0.scale } ?? 1)
    return Normalisation(
      weight: try parameter(op.weight, count: count), bias: try parameter(op.bias, count: count),
      mean: try parameter(op.runningMean, count: count), variance: try parameter(op.runningVariance, count: count),
      epsilon: op.epsilon, channels: channels, behind: op.enclosing)
  }

  func batchNorm(_ op: Op.BatchNorm, _ input: Values) throws -> Values {
    let norm = try normalisation(op, channels: input.shape.channels)
    return Values(input.shape) { n, c, y, x in norm(input[n, c, y, x], c, y, x) }
  }

  /// Computes eˣ / Σ eˣ over channels; the maximum is subtracted first to keep the exponentials in range.
  func softmax(_ input: Values) -> Values {
    var result = input
    for n in 0..<input.shape.batch {
      for y in 0..<input.shape.height {
        for x in 0..<input.shape.width {
          let values = (0..<input.shape.channels).map { input[n, $0, y, x] }
          let exponentials = values.map { exp($0 - values.max()!) }
          let sum = exponentials.reduce(0, +)
          for c in 0..<input.shape.channels { result[n, c, y, x] = exponentials[c] / sum }
        }
      }
    }
    return result
  }
}

extension Interpreter {
  /// Applies an activation to each number of a tensor.
  func activate(_ activation: Op.Activation, _ input: Values) throws -> Values {
    let parameters = try values(of: activation.parameter, channels: input.shape.channels)
    return input.map(activation.formula, parameters: parameters)
  }

  /// The values of an activation's parameter, one for each channel.
  func values(of parameter: String?, channels: Int) throws -> [Double]? {
    guard let parameter else { return nil }
    let count = graph.parameter(parameter)?.count ?? channels
    let values = try self.parameter(parameter, count: count)
    return count == 1 ? Array(repeating: values[0], count: channels) : values
  }
}

extension Values {
  /// The values of a term, by default the result, for each number of the tensor.
  ///
  /// - Parameter parameters: of a formula that has one, its value for each channel.
  func map(_ formula: ScalarExpression, at root: Int? = nil, parameters: [Double]? = nil) -> Values {
    var result = self
    let area = shape.size.area
    result.elements.withUnsafeMutableBufferPointer { elements in
      guard let parameters else { return formula.apply(to: elements, at: root) }
      for plane in 0..<shape.batch * shape.channels {
        formula.apply(
          to: UnsafeMutableBufferPointer(rebasing: elements[plane * area..<(plane + 1) * area]),
          parameter: parameters[plane % shape.channels], at: root)
      }
    }
    return result
  }
}
