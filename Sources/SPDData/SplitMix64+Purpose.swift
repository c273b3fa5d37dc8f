import SPD

/// Random numbers of data sets and loaders are seeded with a purpose and words such as (seed, epoch, image), so what
/// happens to an image depends on nothing else: not on the order in which threads reach it, and not on earlier draws.
extension SplitMix64 {
  /// The purpose of random numbers: the same words with another purpose give other numbers.
  package enum Purpose: UInt64, Sendable {
    /// The order of an epoch.
    case order = 1
    /// The augmentation of an image.
    case augmentation
    /// The choice of images for validation.
    case split
    /// A drawn scene.
    case scene
    /// The size of a batch's images.
    case imageSize
    /// The search for anchors.
    case anchors
    /// The mutation of hyperparameters.
    case hyperparameters
  }

  /// - Parameter words: seed the numbers; their order and count matter.
  package init(_ purpose: Purpose, _ words: UInt64...) {
    self.init(purpose: purpose.rawValue, words: words)
  }
}
