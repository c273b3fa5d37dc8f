#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Returns the `k` most probable classes, best first; equal logits keep class order. All classes if there are fewer.
///
/// A NaN logit counts as -∞: probability 0.
public func softmaxTop(_ logits: [Float], k: Int) -> [(index: Int, probability: Float)] {
  let values = logits.map { $0.isNaN ? -Double.infinity : Double($0) }
  guard let largest = values.max(), k > 0 else { return [] }
  // exp(0) = 1 for the largest itself; the difference would be NaN where both are infinite.
  let powers = values.map { $0 == largest ? 1 : exp($0 - largest) }
  let sum = powers.reduce(0, +)
  let order = values.indices.sorted { values[$0] == values[$1] ? $0 < $1 : values[$0] > values[$1] }
  return order.prefix(k).map { (index: $0, probability: Float(powers[$0] / sum)) }
}
