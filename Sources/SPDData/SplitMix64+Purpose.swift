import SPD

/// The random numbers of data sets and loaders are made from a purpose and words such as (seed, epoch, image), so what
/// happens to an image depends on nothing else: not on the order in which threads come to it, and not on what was drawn
/// before.
extension SplitMix64 {
  /// What random numbers are for: the same words for another purpose give other numbers.
  package enum Purpose: UInt64, Sendable {
    /// The order of an epoch.
    case order = 1
    /// The augmentation of an image.
    case augmentation
    /// Which images are set apart for validation.
    case split
    /// A drawn image.
    case scene
  }

  /// - Parameter words: what the numbers depend on; their order and their number count.
  package init(_ purpose: Purpose, _ words: UInt64...) {
    self.init(purpose: purpose.rawValue, words: words)
  }
}
