import Foundation

/// What repeated measurements say.
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

  /// Encloses the true median with a probability of at least 95 %, whatever the distribution: of n observations as many
  /// lie below it as n tosses of a coin show heads. Nil for fewer than 6, which cannot say that much.
  package var medianInterval: ClosedRange<Double>? {
    let count = Double(sorted.count)
    // Exact up to some hundreds, and never too narrow; counted from 1.
    let rank = Int((count + 1) / 2 - 0.98 * count.squareRoot())
    return rank < 1 ? nil : sorted[rank - 1]...sorted[sorted.count - rank]
  }
}

/// Milliseconds of rounds, by sitting.
package struct Times {
  package private(set) var sittings: [[Double]] = []
  package var samples: Samples { Samples(sittings.flatMap { $0 }) }

  package mutating func append(_ milliseconds: Double, in sitting: Int) {
    if sitting == sittings.count { sittings.append([]) }
    sittings[sitting].append(milliseconds)
  }
}

/// How many times as long one variant takes as another, with a 95 % interval.
package struct Ratio: Encodable {
  package var against: String
  package var median: Double
  package var low: Double
  package var high: Double
  /// False if the interval contains 1: the noise is larger than the difference.
  package var conclusive: Bool

  /// - Parameters: times of both variants in the same rounds of the same sittings.
  package init(_ slow: Times, of name: String, over fast: Times) {
    // Two rounds, which went there and back, make one ratio: what it costs to run second, and a slow drift of the
    // machine, cancel in it. Ratios of one sitting share what the places in memory do to them, so a sitting is one
    // observation, however long it is.
    func pairs(_ times: [Double]) -> [Double] {
      stride(from: 1, to: times.count, by: 2).map { times[$0 - 1] + times[$0] }
    }
    let samples = Samples(
      zip(slow.sittings, fast.sittings).map { slow, fast in
        Samples(zip(pairs(slow), pairs(fast)).map { $0 / $1 }).median
      })
    let interval = samples.medianInterval ?? 0...Double.infinity
    against = name
    median = samples.median
    (low, high) = (interval.lowerBound, interval.upperBound)
    conclusive = !interval.contains(1)
  }

  package var text: String {
    let interval = String(format: "%.3f … %.3f", low, high)
    return conclusive ? String(format: "%.2f× (%@)", median, interval) : "not conclusive (\(interval))"
  }
}
