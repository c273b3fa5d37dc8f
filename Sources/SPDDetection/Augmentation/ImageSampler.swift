import SPD

/// Draws image indices with replacement: uniformly, or with image weights.
enum ImageSampler: Sendable {
  case uniform(count: Int)
  /// Running sums of the weights.
  case weighted(sums: [Double])

  /// - Precondition: there is a weight; weights are finite and not negative, and one is positive.
  init(weights: [Double]) {
    var sum = 0.0
    self = .weighted(
      sums: weights.map { weight in
        sum += weight
        return sum
      })
    precondition(sum > 0 && sum.isFinite, "image weights need a positive, finite sum")
  }

  func draw(_ random: inout SplitMix64) -> Int {
    switch self {
    case .uniform(let count): return random.below(count)
    case .weighted(let sums):
      let wanted = random.uniform() * sums.last!
      // The first running sum above the number drawn; images of weight 0 are never it.
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] > wanted { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }
}
