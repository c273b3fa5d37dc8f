import Dispatch
import SPD
import SPDCompiler

extension Interpreter {
  /// Computes y = stages(bn(W ∗ x + b)); where sums start from a tensor,
  /// start + γ/√(var + ε)·(W ∗ x) replaces bn(W ∗ x + b).
  func convolution(_ op: Op.Convolution, _ inputs: Operands, _ shape: Shape) throws -> Values {
    let input = inputs[.input]
    let filters = try op.parts.flatMap { try self.filters($0, of: op, inputChannels: input.shape.channels) }
    let phaseNorm = try op.epilogue.stages.phaseNorm.map { try normalisation($0, channels: shape.channels) }
    let start = op.epilogue.addsAccumulator ? inputs[.start] : nil
    var result = sums(op, filters, input, shape)
    forEach(shape) { n, c, y, x in
      var value = result[n, c, y, x]
      if let start {
        if let (norm, channel) = filters[c].norm { value *= norm.scale(channel) }
        value += start[n, c, y, x]
      } else {
        value += filters[c].bias
        if let (norm, channel) = filters[c].norm { value = norm(value, channel, y, x) }
      }
      result[n, c, y, x] = value
    }
    for stage in op.epilogue.stages {
      switch stage {
      case .normalizeByPhase: forEach(shape) { result[$0, $1, $2, $3] = phaseNorm!(result[$0, $1, $2, $3], $1, $2, $3) }
      case .activate(let activation): result = try activate(activation, result)
      case .add:
        let summand = inputs[.summand]
        for index in result.elements.indices { result.elements[index] += summand.elements[index] }
      case .gatherStatistics: continue
      }
    }
    return result
  }

  private func forEach(_ shape: Shape, _ body: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Void) {
    for n in 0..<shape.batch {
      for c in 0..<shape.channels {
        for y in 0..<shape.height { for x in 0..<shape.width { body(n, c, y, x) } }
      }
    }
  }

  /// The parameters of one output channel.
  private struct Filter {
    /// (inputs / groups, kernel height, kernel width)
    var weights: [Double]
    var bias: Double
    /// The part's batch normalisation, and the channel within the part.
    var norm: (Normalisation, channel: Int)?
    /// The first input channel of the group.
    var firstInput: Int
  }

  /// Makes one filter per output channel of a part. Each part is divided into the convolution's groups separately.
  private func filters(_ part: Op.Convolution.Part, of op: Op.Convolution, inputChannels: Int) throws -> [Filter] {
    let channels = inputChannels / op.groups
    let size = channels * op.kernel.area
    let weights = try parameter(part.weight, count: part.outputs * size)
    let bias = try part.bias.map { try parameter($0, count: part.outputs) }
    let norm = try part.batchNorm.map { try normalisation($0, channels: part.outputs) }
    guard part.outputs % op.groups == 0 else {
      throw InterpreterError("\(op.groups) groups do not divide the \(part.outputs) outputs of \(part.weight)")
    }
    return (0..<part.outputs).map { channel in
      Filter(
        weights: Array(weights[channel * size..<(channel + 1) * size]), bias: bias?[channel] ?? 0,
        norm: norm.map { ($0, channel) }, firstInput: channel / (part.outputs / op.groups) * channels)
    }
  }

  /// Computes W ∗ x. One thread computes all output channels of a row, so that its input rows stay in cache.
  private func sums(_ op: Op.Convolution, _ filters: [Filter], _ input: Values, _ shape: Shape) -> Values {
    let columns = op.columns(input: input.shape.width, output: shape.width)
    var result = Values(zeros: shape)
    result.elements.withUnsafeMutableBufferPointer { buffer in
      // Every iteration writes other rows.
      nonisolated(unsafe) let sums = buffer.baseAddress!
      input.elements.withUnsafeBufferPointer { elements in
        nonisolated(unsafe) let values = elements.baseAddress!
        DispatchQueue.concurrentPerform(iterations: shape.batch * shape.height) { iteration in
          let (n, y) = iteration.quotientAndRemainder(dividingBy: shape.height)
          for (c, filter) in filters.enumerated() {
            let row = sums + ((n * shape.channels + c) * shape.height + y) * shape.width
            filter.weights.withUnsafeBufferPointer { weights in
              op.add(values, input.shape, image: n, from: filter.firstInput, weights, to: row, y, columns)
            }
          }
        }
      }
    }
    return result
  }
}

extension Op.Convolution {
  /// For each column kx of the kernel, the output columns x whose input column is valid:
  /// 0 ≤ x·stride + kx·dilation − padding < input.
  fileprivate func columns(input: Int, output: Int) -> [Range<Int>] {
    (0..<kernel.width).map { kx in
      let shift = kx * dilation.width - padding.width
      let low = max(0, (-shift + stride.width - 1) / stride.width)
      let high = min(output, shift < input ? (input - 1 - shift) / stride.width + 1 : 0)
      return low..<max(low, high)
    }
  }

  /// Adds Σ W[c, ky, kx] · input[c, y·stride + ky·dilation − padding, x·stride + kx·dilation − padding] to row y of one
  /// output channel; values outside the input are zero.
  fileprivate func add(
    _ input: UnsafePointer<Double>, _ shape: Shape, image n: Int, from first: Int,
    _ weights: UnsafeBufferPointer<Double>, to sums: UnsafeMutablePointer<Double>, _ y: Int, _ columns: [Range<Int>]
  ) {
    for c in 0..<weights.count / kernel.area {
      for ky in 0..<kernel.height {
        let inputY = y * stride.height + ky * dilation.height - padding.height
        guard (0..<shape.height).contains(inputY) else { continue }
        let row = input + ((n * shape.channels + first + c) * shape.height + inputY) * shape.width
        for kx in 0..<kernel.width {
          let weight = weights[(c * kernel.height + ky) * kernel.width + kx]
          let shift = kx * dilation.width - padding.width
          if stride.width == 1 {
            let row = row + shift
            for x in columns[kx] { sums[x] += weight * row[x] }
          } else {
            for x in columns[kx] { sums[x] += weight * row[x &* stride.width &+ shift] }
          }
        }
      }
    }
  }
}
