import Foundation

/// Statistics of repeated measurements.
package struct Samples {
  package let sorted: [Double]

  package init(_ values: [Double]) { sorted = values.sorted() }

  package var min: Double { sorted.first ?? 0 }
  package var median: Double { quantile(0.5) }

  package func quantile(_ q: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let position = q * Double(sorted.count - 1)
    let low = Int(position)
    let high = Swift.min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (position - Double(low))
  }

  /// A 95 % confidence interval of the median for any distribution: the number of observations below the median is
  /// binomial with p = 1/2. Nil for fewer than 6 observations, which are too few.
  package var medianInterval: ClosedRange<Double>? {
    let count = Double(sorted.count)
    // A rank counted from 1: exact up to some hundred observations, never too narrow.
    let rank = Int((count + 1) / 2 - 0.98 * count.squareRoot())
    return rank < 1 ? nil : sorted[rank - 1]...sorted[sorted.count - rank]
  }
}

/// Run times in milliseconds, by round.
package struct Times {
  package private(set) var rounds: [[Double]] = []
  package var samples: Samples { Samples(rounds.flatMap { $0 }) }

  package mutating func append(_ milliseconds: Double, in round: Int) {
    if round == rounds.count { rounds.append([]) }
    rounds[round].append(milliseconds)
  }
}

/// Ratio of the run times of two variants, with a 95 % confidence interval.
public struct Ratio: Encodable, Sendable {
  /// Name of the slower variant.
  public var against: String
  public var median: Double
  public var low: Double
  public var high: Double
  /// False if the interval contains 1: the noise is larger than the difference.
  public var conclusive: Bool

  /// Compares the times of two variants that were measured interleaved in the same rounds.
  package init(_ slow: Times, of name: String, over fast: Times) {
    // Two runs in ABBA order make one ratio, which cancels order effects and slow drift of the machine. All ratios of a
    // round share the same memory addresses, so a round is one observation, however long it is.
    func pairs(_ times: [Double]) -> [Double] {
      stride(from: 1, to: times.count, by: 2).map { times[$0 - 1] + times[$0] }
    }
    let samples = Samples(
      zip(slow.rounds, fast.rounds).map { slow, fast in
        Samples(zip(pairs(slow), pairs(fast)).map { $0 / $1 }).median
      })
    let interval = samples.medianInterval ?? 0...Double.infinity
    against = name
    median = samples.median
    (low, high) = (interval.lowerBound, interval.upperBound)
    conclusive = !interval.contains(1)
  }

  /// The ratio with its interval.
  public var text: String {
    let interval = String(format: "%.3f … %.3f", low, high)
    return conclusive ? String(format: "%.2f× (%@)", median, interval) : "not conclusive (\(interval))"
  }
}
