import SPD
import SPDCompiler

/// Initial weights: PyTorch's default initialisation, drawn from a seed.
///
/// Weights and biases of convolutions and linear layers are U(−1/√f, 1/√f) with the fan-in f (inputs / groups · kernel
/// area). Normalisations have γ = 1, β = 0, mean 0, variance 1; PReLU has 0.25. Values depend only on the seed and the parameter's name.
package struct InitialWeights {
  package var graph: Graph
  package var seed: UInt64

  /// Returns the row-major values of a parameter.
  package func values(of parameter: Parameter) -> [Float] {
    switch parameter.role {
    case .weight: return drawn(parameter, inputs: inputs(of: parameter))
    case .bias:
      let weight = graph.parameter(String(parameter.name.dropLast("bias".count)) + "weight")
      // A bias without a weight has no fan-in.
      guard let weight, weight.role == .weight else { return zeros(parameter) }
      return drawn(parameter, inputs: inputs(of: weight))
    case .normWeight, .runningVariance: return Array(repeating: 1, count: parameter.count)
    case .normBias, .runningMean, .batchesTracked: return zeros(parameter)
    case .slope: return Array(repeating: 0.25, count: parameter.count)
    case .constant(let values): return values
    }
  }

  private func inputs(of weight: Parameter) -> Int { weight.shape.dropFirst().reduce(1, *) }

  private func zeros(_ parameter: Parameter) -> [Float] { Array(repeating: 0, count: parameter.count) }

  private func drawn(_ parameter: Parameter, inputs: Int) -> [Float] {
    let bound = 1 / Float(max(1, inputs)).squareRoot()
    return uniform("initial \(seed) \(parameter.name)", parameter.count).map { bound * (2 * $0 - 1) }
  }
}
