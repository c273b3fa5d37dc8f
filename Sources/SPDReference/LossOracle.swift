import SPD
import SPDCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Losses and optimisers in double precision, by their formulas: the oracle for generated C.
///
/// All are pure functions. Only decisions that depend on rounding, such as the cells assigned to a box on a border, are
/// made in single precision, as the reference makes them.
public enum LossOracle {
  /// Computes binary cross-entropy of a logit x against a target t in [0, 1], and its derivative with respect to x.
  ///
  /// loss = w·t·ln(1 + e⁻ˣ) + (1 − t)·ln(1 + eˣ). With γ > 0 it is the focal loss: the same times
  /// (t/4 + ¾(1 − t))·(1 − pₜ)^γ, where pₜ = t·p + (1 − t)(1 − p) and p = σ(x).
  ///
  /// - Parameter weight: w, the weight of the positive term.
  public static func binaryCrossEntropy(_ x: Double, target t: Double, weight: Double = 1, gamma: Double = 0)
    -> (loss: Double, slope: Double)
  {
    let (p, q) = (sigmoid(x), sigmoid(-x))
    let loss = weight * t * softplus(-x) + (1 - t) * softplus(x)
    let slope = (1 - t) * p - weight * t * q
    guard gamma > 0 else { return (loss, slope) }
    let wrong = t * q + (1 - t) * p
    let alpha = 0.25 * t + 0.75 * (1 - t)
    let factor = alpha * pow(wrong, gamma)
    let factorSlope = alpha * gamma * pow(wrong, gamma - 1) * (1 - 2 * t) * p * q
    return (factor * loss, factor * slope + factorSlope * loss)
  }

  /// 1 / (1 + e⁻ˣ)
  static func sigmoid(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }

  /// ln(1 + eˣ)
  static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
