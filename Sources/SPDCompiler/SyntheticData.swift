import SPD

// Weights and inputs that a formula makes from names alone, so that a case needs no stored weights.

/// `count` numbers in [0, 1), multiples of 2⁻²⁴: SplitMix64, seeded with the FNV-1a hash of `name`.
public func uniform(_ name: String, _ count: Int) -> [Float] {
  var random = SplitMix64(seed: fnv1a(name.utf8))
  return (0..<count).map { _ in Float(Double(random.next() >> 40) / 0x1p24) }
}

/// The values of a parameter by its name and role, in row-major order, such that activations neither vanish nor explode.
///
/// A constant keeps the architecture's values. The variance of a weight is 1.44 over the elements of one filter.
public func syntheticParameter(_ parameter: Parameter) -> [Float] {
  let count = parameter.count
  func values(_ formula: (Double) -> Double) -> [Float] {
    uniform(parameter.name, count).map { Float(formula(Double($0))) }
  }
  switch parameter.role {
  case .weight:
    let bound = (3 / Double(count / parameter.shape[0])).squareRoot()
    return values { (2 * $0 - 1) * bound * 1.2 }
  case .bias: return values { 0.2 * $0 - 0.1 }
  case .normWeight, .runningVariance: return values { 0.5 + $0 }
  case .normBias, .runningMean: return values { 0.4 * $0 - 0.2 }
  case .slope: return values { 0.5 * $0 }
  case .batchesTracked: return [0]
  case .constant(let values): return values
  }
}

/// An image, or a batch of them, in NCHW order.
public func syntheticInput(_ shape: Shape) -> [Float] { uniform("input", shape.count) }
