/// SplitMix64, a counter with a mixing function after it: the same numbers for the same seed on every machine and with
/// every version of the standard library.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// - Parameter words: what the numbers depend on; their order and their number count.
  package init(purpose: UInt64, words: [UInt64]) {
    state = purpose
    for word in words { state = Self.mixed(state &+ Self.increment) ^ word }
    state = Self.mixed(state)
  }

  private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  package mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mixed(state)
  }

  // Swift's own `random(in:using:)` may draw differently in a later version; a resumed run must not.

  /// A number in [0, 1), a multiple of 2⁻⁵³.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in [low, high).
  package mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// An integer in 0..<bound. For bounds below 2³² the bias is below 2⁻³².
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "no integer is below \(bound) and not negative")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// True in `probability` of all cases.
  package mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

  /// The integers 0..<count in random order: Fisher–Yates from the end.
  package mutating func permutation(_ count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }
}
