import SPD

/// A genetic search for better anchors.
enum AnchorEvolution {
  /// Improves anchors over some generations. Each multiplies every side by v = clip(1 + m·u·N(0, 1)·0.1, 0.3, 3), with
  /// m = 1 in 90 % of the sides and otherwise 0, one u ~ U(0, 1) for all of them, and redrawn while every v is 1; no side
  /// becomes less than 2 pixels. Better anchors replace their parents.
  static func evolve(
    _ anchors: [SIMD2<Float>], sizes: [SIMD2<Float>], threshold: Double, generations: Int, random: inout SplitMix64
  ) -> [SIMD2<Float>] {
    var best = anchors
    var fitness = AnchorFitness(anchors: best, sizes: sizes, threshold: threshold).fitness
    for _ in 0..<generations {
      let candidate = mutated(best, &random)
      let result = AnchorFitness(anchors: candidate, sizes: sizes, threshold: threshold).fitness
      if result > fitness { (best, fitness) = (candidate, result) }
    }
    return best
  }

  private static func mutated(_ anchors: [SIMD2<Float>], _ random: inout SplitMix64) -> [SIMD2<Float>] {
    while true {
      let strength = random.uniform()
      let factors = anchors.map { _ in SIMD2(factor(strength, &random), factor(strength, &random)) }
      guard factors.contains(where: { $0 != SIMD2(1, 1) }) else { continue }
      return zip(anchors, factors).map { pointwiseMax($0 * $1, SIMD2(2, 2)) }
    }
  }

  private static func factor(_ strength: Double, _ random: inout SplitMix64) -> Float {
    Float(random.mutationFactor(strength: strength, probability: 0.9, spread: 0.1))
  }
}
