import Foundation
import SPD

extension SplitMix64 {
  /// Draws the factor by which a genetic search multiplies a value: clip(1 + m·u·N(0, 1)·spread, 0.3, 3), with m = 1 with
  /// a probability and otherwise 0.
  ///
  /// - Parameter strength: u, which YOLOv5 draws once for all values of a candidate.
  mutating func mutationFactor(strength: Double, probability: Double, spread: Double) -> Double {
    let isChanged = chance(probability)
    // Box–Muller; 1 − u is never 0.
    let radius = (-2 * log(1 - uniform())).squareRoot()
    let normal = radius * cos(2 * .pi * uniform())
    return isChanged ? min(max(1 + strength * normal * spread, 0.3), 3) : 1
  }
}
