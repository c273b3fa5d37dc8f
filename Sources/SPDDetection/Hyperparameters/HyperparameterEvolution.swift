import Foundation
import SPD
import SPDData

/// A genetic search for better hyperparameters, as in YOLOv5: each generation mutates one of the best so far.
public enum HyperparameterEvolution {
  /// Number of the best generations that a parent is drawn from.
  static let parents = 5

  /// The hyperparameters that a search changes: those with a mutation gain, but not the number of anchors, which would
  /// change the network.
  public static let searched = DetectionHyperparameters.fields.filter { $0.mutationGain > 0 && $0.path != nil }

  /// Returns the hyperparameters of a generation.
  ///
  /// The parent is drawn from the five best earlier generations, with weight fitness − lowest of the five + 1e-6. Each value
  /// is multiplied by v = clip(1 + gain·m·u·N(0, 1)·0.2, 0.3, 3), with m = 1 in 80 % of the values and otherwise 0 and one
  /// u ~ U(0, 1) for all of them, redrawn while every v is 1; it is then clipped to its search range and rounded to five
  /// digits.
  ///
  /// - Parameters:
  ///   - generation: its number, which with the seed decides what is drawn.
  ///   - earlier: hyperparameters and fitness of earlier generations, in their order.
  /// - Precondition: there is an earlier generation.
  public static func next(
    generation: Int, seed: UInt64, after earlier: [(hyperparameters: DetectionHyperparameters, fitness: Double)]
  ) -> DetectionHyperparameters {
    var random = SplitMix64(.hyperparameters, seed, UInt64(generation))
    let best = earlier.enumerated().sorted { ($1.element.fitness, $0.offset) < ($0.element.fitness, $1.offset) }
      .prefix(parents).map(\.element)
    let lowest = best.last!.fitness
    let sampler = ImageSampler(weights: best.map { $0.fitness - lowest + 1e-6 })
    return mutated(best[sampler.draw(&random)].hyperparameters, &random)
  }

  static func mutated(
    _ parent: DetectionHyperparameters, _ random: inout SplitMix64
  ) -> DetectionHyperparameters {
    while true {
      let strength = random.uniform()
      let factors = searched.map {
        random.mutationFactor(strength: strength, probability: 0.8, spread: 0.2 * $0.mutationGain)
      }
      guard factors.contains(where: { $0 != 1 }) else { continue }
      var child = parent
      for (field, factor) in zip(searched, factors) {
        let value = min(
          max(parent[keyPath: field.path!] * factor, field.searchRange.lowerBound), field.searchRange.upperBound)
        child[keyPath: field.path!] = Double(String(format: "%.5g", value))!
      }
      return child
    }
  }
}
