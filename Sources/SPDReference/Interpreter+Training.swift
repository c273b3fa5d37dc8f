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
      let inputs = Operands(
        node, node.inputs.enumerated().map { read($1, channels: node.op.inputChannels($0), from: values) })
      switch node.op {
      case .training(.gradient):
        values[node.id] = Values(zeros: node.shape)
      case .training(.loss(let op)):
        let (losses, gradients) = try loss(op, inputs.all)
        result.losses = losses
        for (destination, gradient) in zip(node.destinations ?? [], gradients) {
          write(gradient, to: destination, in: &values)
        }
      case .training(.weightGradient(let op)):
        weightGradient(op, inputs[.input], inputs[.gradient], into: &result.gradients)
      case .training(.statistics(let norm)):
        values[node.id] = try statistics(norm, inputs[.input], running: &result.running)
      case .training(.normalize(let op)):
        values[node.id] = try normalize(op, inputs)
      case .training(.batchNormBackwardReduce(let op)):
        values[node.id] = try batchNormBackwardReduce(op, inputs, into: &result.gradients)
      case .training(.normalizeGradient(let op)):
        for (destination, gradient) in zip(node.destinations ?? [], try normalizeGradient(op, inputs)) {
          write(gradient, to: destination, in: &values)
        }
      case .training(.activationGradient(let activation)):
        let gradient = try activationGradient(activation, inputs, into: &result.gradients)
        write(gradient, to: node.destinations![0], in: &values)
      case .training(.poolGradient(let op)):
        write(poolGradient(op, inputs), to: node.destinations![0], in: &values)
      case .training(.globalAverageGradient):
        let area = Double(node.shape.size.area)
        let gradient = inputs[.gradient]
        let spread = Values(node.shape) { n, c, _, _ in gradient[n, c, 0, 0] / area }
        write(spread, to: node.destinations![0], in: &values)
      case .training(.copyGradient):
        for destination in node.destinations! { write(inputs[.gradient], to: destination, in: &values) }
      case .convolution(let op) where op.adjoint != nil:
        write(try adjoint(op, inputs[.input], node.shape), to: node.destinations![0], inRuns: true, in: &values)
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

  /// A normalisation and what follows it, applied to single values.
  private struct Normalised {
    var op: Op.Normalize
    var z: Values
    var statistics: Values?
    var gamma: [Double] = []
    var beta: [Double] = []
    /// The activation's slope at each value.
    var slopes: Values?
  }

  private func normalised(_ op: Op.Normalize, _ inputs: Operands) throws -> Normalised {
    var result = Normalised(op: op, z: inputs[.input])
    if let norm = op.norm {
      let count = result.z.shape.channels * norm.phases
      result.statistics = inputs[.statistics]
      result.gamma = try parameter(norm.weight, count: count)
      result.beta = try parameter(norm.bias, count: count)
    }
    return result
  }

  /// x̂ and u = γ·x̂ + β of one value, or the value itself without a normalisation.
  private func unit(
    _ values: Normalised, _ n: Int, _ c: Int, _ y: Int, _ x: Int
  ) -> (unit: Double, scaled: Double, gamma: Double, rstd: Double) {
    let z = values.z[n, c, y, x]
    guard let norm = values.op.norm, let statistics = values.statistics else { return (z, z, 1, 1) }
    let p = phase(norm, y, x), i = index(norm, p, c, of: values.z.shape.channels)
    let rstd = statistics[norm.phases + p, c, 0, 0]
    let unit = (z - statistics[p, c, 0, 0]) * rstd
    return (unit, values.gamma[i] * unit + values.beta[i], values.gamma[i], rstd)
  }

  private func normalize(_ op: Op.Normalize, _ inputs: Operands) throws -> Values {
    var result = scaled(try normalised(op, inputs))
    for stage in op.stages {
      switch stage {
      case .activate(let activation): result = result.map(activation.formula)
      case .add:
        let summand = inputs[.summand]
        for index in result.elements.indices { result.elements[index] += summand.elements[index] }
      case .normalizeByPhase, .gatherStatistics: preconditionFailure("\(stage) in training's normalisation")
      }
    }
    return result
  }

  /// γ·x̂ + β.
  private func scaled(_ values: Normalised) -> Values {
    Values(values.z.shape) { unit(values, $0, $1, $2, $3).scaled }
  }

  /// The same with the activation's slopes, for the gradients.
  private func normalisedWithSlopes(_ op: Op.Normalize, _ inputs: Operands) throws -> Normalised {
    var result = try normalised(op, inputs)
    if let activation = op.stages.activation {
      let (derivative, slope, _) = activation.formula.differentiated()
      result.slopes = scaled(result).map(derivative, at: slope)
    }
    return result
  }

  /// The gradients after the sum and after the normalisation (g), from that of the result and, with a final activation, the result.
  private func gradients(
    _ values: Normalised, _ gradient: Values, _ result: Values?, _ n: Int, _ c: Int, _ y: Int, _ x: Int
  ) -> (residual: Double, g: Double) {
    var dy = gradient[n, c, y, x]
    // The only final activation is ReLU, whose derivative follows from its result.
    if let result { dy *= result[n, c, y, x] > 0 ? 1 : 0 }
    let residual = dy
    if let slopes = values.slopes { dy *= slopes[n, c, y, x] }
    return (residual, dy)
  }

  private func batchNormBackwardReduce(
    _ op: Op.Normalize, _ inputs: Operands, into gradients: inout [String: [Double]]
  ) throws -> Values {
    guard let norm = op.norm else { preconditionFailure("sums without a normalisation") }
    let (gradient, final) = (inputs[.gradient], op.stages.finalActivation == nil ? nil : inputs[.result])
    let shape = gradient.shape
    let values = try normalisedWithSlopes(op, inputs)
    var result = Values(zeros: Shape(batch: 4 * norm.phases, channels: shape.channels, height: 1, width: 1))
    for c in 0..<shape.channels {
      forEachPixel(shape) { n, y, x in
        let g = self.gradients(values, gradient, final, n, c, y, x).g, p = phase(norm, y, x)
        result[p, c, 0, 0] += g
        result[norm.phases + p, c, 0, 0] += g * unit(values, n, c, y, x).unit
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

  /// Computes dz = γ·rstd·(g − Σg/M − x̂·Σ(g·x̂)/M), and the summand's gradient.
  private func normalizeGradient(_ op: Op.Normalize, _ inputs: Operands) throws -> [Values] {
    let (gradient, final) = (inputs[.gradient], op.stages.finalActivation == nil ? nil : inputs[.result])
    let shape = gradient.shape
    let values = try normalisedWithSlopes(op, inputs)
    let count = Double(shape.batch * shape.size.area / (op.norm?.phases ?? 1))
    let sums = op.norm == nil ? nil : inputs[.sums]
    let dz = Values(shape) { n, c, y, x in
      let g = gradients(values, gradient, final, n, c, y, x).g
      guard let norm = op.norm, let sums else { return g }
      let (unit, _, gamma, rstd) = unit(values, n, c, y, x)
      let p = phase(norm, y, x)
      return gamma * rstd * (g - sums[p, c, 0, 0] / count - unit * sums[norm.phases + p, c, 0, 0] / count)
    }
    guard op.stages.addsSummand else { return [dz] }
    return [dz, Values(shape) { gradients(values, gradient, final, $0, $1, $2, $3).residual }]
  }

  /// Computes dx = dy·∂f/∂x and, of the parameter a, Σ dy·∂f/∂a.
  private func activationGradient(
    _ activation: Op.Activation, _ inputs: Operands, into gradients: inout [String: [Double]]
  ) throws -> Values {
    let (gradient, x) = (inputs[.gradient], inputs[.input])
    guard let name = activation.parameter, let values = try values(of: name, channels: x.shape.channels) else {
      preconditionFailure("\(activation.name) has no parameter")
    }
    let (formula, slope, byParameter) = activation.formula.differentiated()
    var sums = [Double](repeating: 0, count: values.count)
    for c in sums.indices {
      forEachPixel(x.shape) { n, y, column in
        sums[c] += gradient[n, c, y, column] * formula.evaluate(x[n, c, y, column], values[c], at: byParameter)
      }
    }
    gradients[name] = graph.parameter(name)?.count == 1 ? [sums.reduce(0, +)] : sums
    return Values(x.shape) { n, c, y, column in
      gradient[n, c, y, column] * formula.evaluate(x[n, c, y, column], values[c], at: slope)
    }
  }

  // MARK: - pools

  /// Routes the gradient to the first maximum under the kernel, or equally to all elements.
  private func poolGradient(_ op: Op.Pool, _ inputs: Operands) -> Values {
    let (gradient, input) = (inputs[.gradient], inputs[.input])
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
