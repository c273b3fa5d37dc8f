import SPD
import SPDCompiler

/// The results of one training step, in double precision.
public struct TrainingResult: Sendable {
  /// The loss that is differentiated, then its terms; see `Op.Loss`.
  public var losses: [Double] = []
  /// Gradients by parameter name, in the parameter's layout.
  public var gradients: [String: [Double]] = [:]
  /// Running statistics after the step.
  public var running: [String: [Double]] = [:]
}

extension Interpreter {
  /// Evaluates a differentiated graph: the oracle for generated training steps. Each operation is written from its
  /// definition, so that finite differences of the loss can verify its gradient.
  ///
  /// - Parameters:
  ///   - input: the images, NCHW.
  ///   - loss: returns the losses, the first of which is differentiated, and its gradient with respect to each input.
  /// - Throws: as `run`.
  public func trainingStep(
    input: [Float], loss: (Op.Loss, [Values]) throws -> (losses: [Double], gradients: [Values])
  ) throws -> TrainingResult {
    try graph.verify()
    var result = TrainingResult()
    var values: [Node.ID: Values] = [:]
    for node in graph.nodes {
      if node.op == .input {
        values[node.id] = Values(node.shape, input.map { Double($0) })
        continue
      }
      let inputs = node.inputs.enumerated().map {
        read($0.element, channels: node.op.inputChannels($0.offset), from: values)
      }
      switch node.op {
      case .training(.gradient):
        values[node.id] = Values(zeros: node.shape)
      case .training(.loss(let op)):
        let (losses, gradients) = try loss(op, inputs)
        result.losses = losses
        for (destination, gradient) in zip(node.destinations ?? [], gradients) {
          write(gradient, to: destination, in: &values)
        }
      case .training(.weightGradient(let op)):
        weightGradient(op, inputs[0], inputs[1], into: &result.gradients)
      case .training(.statistics(let norm)):
        values[node.id] = try statistics(norm, inputs[0], running: &result.running)
      case .training(.normalize(let op)):
        values[node.id] = try normalize(op, inputs)
      case .training(.batchNormBackwardReduce(let op)):
        values[node.id] = try batchNormBackwardReduce(op, inputs, into: &result.gradients)
      case .training(.normalizeGradient(let op)):
        for (destination, gradient) in zip(node.destinations ?? [], try normalizeGradient(op, inputs)) {
          write(gradient, to: destination, in: &values)
        }
      case .training(.poolGradient(let op)):
        write(poolGradient(op, inputs), to: node.destinations![0], in: &values)
      case .training(.globalAverageGradient):
        let area = Double(node.shape.size.area)
        let spread = Values(node.shape) { n, c, _, _ in inputs[0][n, c, 0, 0] / area }
        write(spread, to: node.destinations![0], in: &values)
      case .training(.copyGradient):
        for destination in node.destinations! { write(inputs[0], to: destination, in: &values) }
      case .convolution(let op) where op.adjoint != nil:
        write(try adjoint(op, inputs[0], node.shape), to: node.destinations![0], inRuns: true, in: &values)
      default:
        values[node.id] = try evaluate(node, inputs)
      }
    }
    return result
  }

  /// Stores a tensor to views of gradients, or accumulates it there.
  ///
  /// - Parameter inRuns: whether the tensor has consecutive blocks of channels for each segment, in their order;
  ///   otherwise each segment's channels are where its reader sees them.
  private func write(
    _ tensor: Values, to destination: Destination, inRuns: Bool = false, in values: inout [Node.ID: Values]
  ) {
    for adds in destination.adds ? [true] : [false, true] {
      var first = 0
      for segment in destination.segments {
        for n in 0..<tensor.shape.batch {
          for c in 0..<segment.channels {
            let channel = inRuns ? first + c : segment.target + c * segment.targetStride
            for y in 0..<tensor.shape.height {
              for x in 0..<tensor.shape.width {
                let row = segment.step * (y / segment.upsampling) + segment.rowPhase
                let column = segment.step * (x / segment.upsampling) + segment.columnPhase
                let old = adds ? values[segment.node]![n, segment.first + c, row, column] + tensor[n, channel, y, x] : 0
                values[segment.node]![n, segment.first + c, row, column] = old
              }
            }
          }
        }
        first += (segment.channels + channelBlock - 1) / channelBlock * channelBlock
      }
    }
  }

  // MARK: - convolution

  /// Input gradient: Σ over outputs o and taps of W[o][i][rows[ky]][columns[kx]] · dy[o, y·s + ky·d − p, x·s + kx·d −
  /// p].
  private func adjoint(_ op: Op.Convolution, _ gradient: Values, _ shape: Shape) throws -> Values {
    guard let adjoint = op.adjoint else { preconditionFailure("no adjoint") }
    let area = adjoint.kernel.area
    let weights = try parameter(op.parts[0].weight, count: adjoint.outputs * adjoint.inputs * area)
    let channels = adjoint.channels
    var result = Values(zeros: shape)
    for n in 0..<shape.batch {
      for (c, input) in channels.enumerated() {
        guard let input else { continue }
        for o in 0..<adjoint.outputs {
          for (ky, row) in adjoint.rows.enumerated() {
            for (kx, column) in adjoint.columns.enumerated() {
              let weight = weights[(o * adjoint.inputs + input) * area + row * adjoint.kernel.width + column]
              for y in 0..<shape.height {
                let sy = y * op.stride.height + ky * op.dilation.height - op.padding.height
                guard (0..<gradient.shape.height).contains(sy) else { continue }
                for x in 0..<shape.width {
                  let sx = x * op.stride.width + kx * op.dilation.width - op.padding.width
                  guard (0..<gradient.shape.width).contains(sx) else { continue }
                  result[n, c, y, x] += weight * gradient[n, o, sy, sx]
                }
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Weight gradient: dW[o][i][ky][kx] = Σ dy[o, y, x] · x[i, y·s + ky·d − p, x·s + kx·d − p], db[o] = Σ dy[o].
  private func weightGradient(
    _ op: Op.Convolution, _ input: Values, _ gradient: Values, into gradients: inout [String: [Double]]
  ) {
    let (shape, inputs) = (gradient.shape, input.shape.channels)
    var result = [Double](repeating: 0, count: op.outputs * inputs * op.kernel.area)
    var bias = [Double](repeating: 0, count: op.outputs)
    for o in 0..<op.outputs {
      for n in 0..<shape.batch {
        for y in 0..<shape.height {
          for x in 0..<shape.width {
            let dy = gradient[n, o, y, x]
            bias[o] += dy
            for ky in 0..<op.kernel.height {
              let sy = y * op.stride.height + ky * op.dilation.height - op.padding.height
              guard (0..<input.shape.height).contains(sy) else { continue }
              for kx in 0..<op.kernel.width {
                let sx = x * op.stride.width + kx * op.dilation.width - op.padding.width
                guard (0..<input.shape.width).contains(sx) else { continue }
                for i in 0..<inputs {
                  result[((o * inputs + i) * op.kernel.height + ky) * op.kernel.width + kx] += dy * input[n, i, sy, sx]
                }
              }
            }
          }
        }
      }
    }
    gradients[op.parts[0].weight] = result
    if let name = op.parts[0].bias { gradients[name] = bias }
  }

  // MARK: - normalisation

  /// The phase whose statistics apply to a value at row y, column x.
  private func phase(_ norm: Op.BatchNorm, _ y: Int, _ x: Int) -> Int {
    guard let op = norm.enclosing else { return 0 }
    return y % op.scale * op.scale + x % op.scale
  }

  /// The parameter index of channel c in a phase.
  private func index(_ norm: Op.BatchNorm, _ phase: Int, _ c: Int, of channels: Int) -> Int {
    guard let op = norm.enclosing else { return c }
    return op.outputChannel(c, row: phase / op.scale, column: phase % op.scale, of: channels)
  }

  private func statistics(
    _ norm: Op.BatchNorm, _ input: Values, running: inout [String: [Double]]
  ) throws -> Values {
    let (shape, phases) = (input.shape, norm.phases)
    var result = Values(zeros: Shape(batch: 4 * phases, channels: shape.channels, height: 1, width: 1))
    let count = Double(shape.batch * shape.size.area / phases)
    var mean = try parameter(norm.runningMean, count: shape.channels * phases)
    var variance = try parameter(norm.runningVariance, count: shape.channels * phases)
    for c in 0..<shape.channels {
      var (sums, squares) = ([Double](repeating: 0, count: phases), [Double](repeating: 0, count: phases))
      forEachPixel(shape) { n, y, x in sums[phase(norm, y, x)] += input[n, c, y, x] }
      forEachPixel(shape) { n, y, x in
        let p = phase(norm, y, x), difference = input[n, c, y, x] - sums[p] / count
        squares[p] += difference * difference
      }
      for p in 0..<phases {
        let i = index(norm, p, c, of: shape.channels)
        result[p, c, 0, 0] = sums[p] / count
        result[phases + p, c, 0, 0] = 1 / (squares[p] / count + norm.epsilon).squareRoot()
        mean[i] += norm.momentum * (sums[p] / count - mean[i])
        variance[i] += norm.momentum * (squares[p] / (count - 1) - variance[i])
      }
    }
    running[norm.runningMean] = mean
    running[norm.runningVariance] = variance
    return result
  }

  /// x̂ and u = γ·x̂ + β of one value, or the value itself without a normalisation.
  private struct Normalised {
    var norm: Op.BatchNorm?
    var gamma: [Double] = []
    var beta: [Double] = []
  }

  private func normalised(_ op: Op.Normalize, channels: Int) throws -> Normalised {
    guard let norm = op.norm else { return Normalised() }
    let count = channels * norm.phases
    return Normalised(
      norm: norm, gamma: try parameter(norm.weight, count: count), beta: try parameter(norm.bias, count: count))
  }

  private func unit(
    _ values: Normalised, _ z: Values, _ statistics: Values, _ n: Int, _ c: Int, _ y: Int, _ x: Int
  ) -> (unit: Double, scaled: Double, gamma: Double, rstd: Double) {
    guard let norm = values.norm else { return (z[n, c, y, x], z[n, c, y, x], 1, 1) }
    let p = phase(norm, y, x), i = index(norm, p, c, of: z.shape.channels)
    let rstd = statistics[norm.phases + p, c, 0, 0]
    let unit = (z[n, c, y, x] - statistics[p, c, 0, 0]) * rstd
    return (unit, values.gamma[i] * unit + values.beta[i], values.gamma[i], rstd)
  }

  private func normalize(_ op: Op.Normalize, _ inputs: [Values]) throws -> Values {
    let z = inputs[0]
    let values = try normalised(op, channels: z.shape.channels)
    return Values(z.shape) { n, c, y, x in
      var v = unit(values, z, inputs[op.norm == nil ? 0 : 1], n, c, y, x).scaled
      if let activation = op.activation { v = activation(v) }
      if op.addsResidual { v += inputs[inputs.count - 1][n, c, y, x] }
      if let activation = op.finalActivation { v = activation(v) }
      return v
    }
  }

  /// The gradients after the residual addition and after the normalisation (g).
  private func gradients(
    _ op: Op.Normalize, _ values: Normalised, _ inputs: [Values], _ n: Int, _ c: Int, _ y: Int, _ x: Int
  ) -> (residual: Double, g: Double) {
    var dy = inputs[0][n, c, y, x]
    // The only final activation is ReLU, whose derivative follows from its result.
    if op.finalActivation != nil { dy *= inputs[inputs.count - 1][n, c, y, x] > 0 ? 1 : 0 }
    let residual = dy
    if let activation = op.activation {
      dy *= activation.derivative(unit(values, inputs[1], inputs[op.norm == nil ? 1 : 2], n, c, y, x).scaled)
    }
    return (residual, dy)
  }

  private func batchNormBackwardReduce(
    _ op: Op.Normalize, _ inputs: [Values], into gradients: inout [String: [Double]]
  ) throws -> Values {
    guard let norm = op.norm else { preconditionFailure("sums without a normalisation") }
    let shape = inputs[0].shape
    let values = try normalised(op, channels: shape.channels)
    var result = Values(zeros: Shape(batch: 4 * norm.phases, channels: shape.channels, height: 1, width: 1))
    for c in 0..<shape.channels {
      forEachPixel(shape) { n, y, x in
        let g = self.gradients(op, values, inputs, n, c, y, x).g, p = phase(norm, y, x)
        result[p, c, 0, 0] += g
        result[norm.phases + p, c, 0, 0] += g * unit(values, inputs[1], inputs[2], n, c, y, x).unit
      }
    }
    var (gamma, beta) = (values.gamma, values.beta)
    for p in 0..<norm.phases {
      for c in 0..<shape.channels {
        beta[index(norm, p, c, of: shape.channels)] = result[p, c, 0, 0]
        gamma[index(norm, p, c, of: shape.channels)] = result[norm.phases + p, c, 0, 0]
      }
    }
    gradients[norm.weight] = gamma
    gradients[norm.bias] = beta
    return result
  }

  /// Computes dz = γ·rstd·(g − Σg/M − x̂·Σ(g·x̂)/M), and the residual's gradient.
  private func normalizeGradient(_ op: Op.Normalize, _ inputs: [Values]) throws -> [Values] {
    let shape = inputs[0].shape
    let values = try normalised(op, channels: shape.channels)
    let count = Double(shape.batch * shape.size.area / (op.norm?.phases ?? 1))
    let dz = Values(shape) { n, c, y, x in
      let g = gradients(op, values, inputs, n, c, y, x).g
      guard let norm = op.norm else { return g }
      let (unit, _, gamma, rstd) = unit(values, inputs[1], inputs[2], n, c, y, x)
      let (sums, p) = (inputs[3], phase(norm, y, x))
      return gamma * rstd * (g - sums[p, c, 0, 0] / count - unit * sums[norm.phases + p, c, 0, 0] / count)
    }
    guard op.addsResidual else { return [dz] }
    return [dz, Values(shape) { gradients(op, values, inputs, $0, $1, $2, $3).residual }]
  }

  // MARK: - pools

  /// Routes the gradient to the first maximum under the kernel, or equally to all elements.
  private func poolGradient(_ op: Op.Pool, _ inputs: [Values]) -> Values {
    let (gradient, input) = (inputs[0], inputs[1])
    var result = Values(zeros: input.shape)
    for n in 0..<gradient.shape.batch {
      for c in 0..<gradient.shape.channels {
        for y in 0..<gradient.shape.height {
          for x in 0..<gradient.shape.width {
            var best: (y: Int, x: Int)?
            for ky in 0..<op.kernel.height {
              for kx in 0..<op.kernel.width {
                let sy = y * op.stride.height + ky - op.padding.height, sx = x * op.stride.width + kx - op.padding.width
                guard (0..<input.shape.height).contains(sy), (0..<input.shape.width).contains(sx) else { continue }
                if op.kind == .average {
                  result[n, c, sy, sx] += gradient[n, c, y, x] / Double(op.kernel.area)
                } else if best.map({ input[n, c, sy, sx] > input[n, c, $0.y, $0.x] }) ?? true {
                  best = (sy, sx)
                }
              }
            }
            if let best { result[n, c, best.y, best.x] += gradient[n, c, y, x] }
          }
        }
      }
    }
    return result
  }

  private func forEachPixel(_ shape: Shape, _ body: (_ n: Int, _ y: Int, _ x: Int) -> Void) {
    for n in 0..<shape.batch { for y in 0..<shape.height { for x in 0..<shape.width { body(n, y, x) } } }
  }
}

extension Op.Activation {
  /// The derivative at u.
  func derivative(_ u: Double) -> Double {
    switch self {
    case .relu: return u > 0 ? 1 : 0
    case .leakyReLU(let slope): return u > 0 ? 1 : slope
    case .silu:
      let s = logistic(u)
      return s * (1 + u * (1 - s))
    case .sigmoid:
      let s = logistic(u)
      return s * (1 - s)
    case .hardswish: return u <= -3 ? 0 : u >= 3 ? 1 : (2 * u + 3) / 6
    }
  }
}
