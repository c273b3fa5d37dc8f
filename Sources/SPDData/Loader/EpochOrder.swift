import Foundation
import SPD

/// The order in which an epoch visits a data set. The last two orders are cached, since threads work across the
/// boundary between epochs.
package final class EpochOrder: @unchecked Sendable {
  private let count: Int
  private let seed: UInt64
  private let shuffles: Bool
  private let lock = NSLock()
  private var known: [(epoch: Int, order: [Int32])] = []

  package init(count: Int, seed: UInt64, shuffles: Bool) {
    self.count = count
    self.seed = seed
    self.shuffles = shuffles
  }

  /// Returns the data set indices at the positions `range` of an epoch.
  package func indices(epoch: Int, _ range: Range<Int>) -> [Int] {
    guard shuffles else { return Array(range) }
    return lock.withLock {
      if let order = known.first(where: { $0.epoch == epoch })?.order { return order[range].map(Int.init) }
      var random = SplitMix64(.order, seed, UInt64(epoch))
      let order = random.permutation(count)
      known = known.suffix(1) + [(epoch, order)]
      return order[range].map(Int.init)
    }
  }
}
