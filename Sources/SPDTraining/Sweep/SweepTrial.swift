import SPD

/// A point of a sweep's space.
public struct SweepTrial: Equatable, Sendable {
  /// Number of the trial, counted from 1.
  public let number: Int
  /// Searched settings and their values, in the order of the space.
  public let values: [(key: String, word: String)]
  /// The configuration with those values.
  public let configuration: TrainingConfiguration

  public static func == (first: Self, second: Self) -> Bool {
    first.number == second.number && first.configuration == second.configuration
      && first.values.elementsEqual(second.values) { $0 == $1 }
  }
}

extension SweepSpace {
  /// Samples distinct trials at random without conflicting settings. A small grid may give fewer than `trials`.
  ///
  /// The result is a function of space and seed; a larger `trials` only appends to it.
  public func sampled(over base: TrainingConfiguration) -> [SweepTrial] {
    var random = SplitMix64(seed: seed)
    var result: [SweepTrial] = []
    func tryOut(_ words: [String]) {
      let settings = zip(dimensions, words).map { Setting(key: $0.key, value: .word($1), source: .commandLine) }
      var configuration = base
      guard (try? configuration.apply(settings)) != nil else { return }
      result.append(
        SweepTrial(
          number: result.count + 1, values: Array(zip(dimensions.map(\.key), words)), configuration: configuration))
    }

    if let count = gridCount {
      // A partial Fisher–Yates shuffle.
      var order = Array(0..<count)
      for index in order.indices where result.count < trials {
        order.swapAt(index, index + random.below(count - index))
        tryOut(words(at: order[index]))
      }
      return result
    }
    var seen: Set<[String]> = []
    // Bound the search in a space with mostly conflicting settings, or with fewer points than trials.
    var attempts = 0
    while result.count < trials, attempts < 10_000 {
      let words = dimensions.map { dimension in dimension.sample(&random) }
      let before = result.count
      if seen.insert(words).inserted { tryOut(words) }
      attempts = result.count > before ? 0 : attempts + 1
    }
    return result
  }

  /// Number of combinations; nil if it is infinite or too large.
  private var gridCount: Int? {
    dimensions.reduce(1) { product, dimension in
      guard let product, let count = dimension.count else { return nil }
      let larger = product.multipliedReportingOverflow(by: count)
      return larger.overflow || larger.partialValue > 1 << 20 ? nil : larger.partialValue
    }
  }

  private func words(at index: Int) -> [String] {
    var rest = index
    return dimensions.reversed().map { dimension in
      let count = dimension.count!
      defer { rest /= count }
      return dimension.word(rest % count)
    }.reversed()
  }
}
