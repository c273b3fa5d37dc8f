import SPD
import SPDVision

/// Converts a stored image to a network's input: fit, augment, standardise, in this order.
public struct ImageTransform: Codable, Sendable, Equatable {
  /// The network's input, in pixels.
  public var height, width: Int
  /// How images of another size are fitted.
  public var fit: Fit
  /// Random changes, in this order. For training only.
  public var augmentations: [Augmentation]
  public var standardisation: Standardisation

  public init(
    height: Int, width: Int, fit: Fit = .crop, augmentations: [Augmentation] = [],
    standardisation: Standardisation = .plain
  ) {
    self.height = height
    self.width = width
    self.fit = fit
    self.augmentations = augmentations
    self.standardisation = standardisation
  }

  /// The transform without random changes, as validation and prediction use it.
  public var evaluation: ImageTransform {
    var copy = self
    copy.augmentations = []
    return copy
  }

  /// Returns the 8-bit input image before its values are standardised.
  ///
  /// Random numbers depend on seed, epoch and image alone.
  public func image(_ image: Image, seed: UInt64, epoch: Int, index: Int) -> Image {
    var random = SplitMix64(.augmentation, seed, UInt64(epoch), UInt64(index))
    var result = image.fitted(fit, width: width, height: height)
    for augmentation in augmentations { result = augmentation.applied(to: result, using: &random) }
    return result
  }

  /// Validates values that may come from a configuration file.
  ///
  /// - Throws: `DataError` whose path is "the image transform".
  public func validate() throws(DataError) {
    func refused(_ what: String, _ remedy: String) -> DataError {
      DataError(path: "the image transform", what: what, remedy: remedy)
    }
    guard height > 0, width > 0 else {
      throw refused("the input is \(height)×\(width) pixels", "give a positive height and width")
    }
    guard standardisation.isValid else {
      throw refused("mean and std must have three finite values each, and no std may be 0", "correct them")
    }
  }
}
