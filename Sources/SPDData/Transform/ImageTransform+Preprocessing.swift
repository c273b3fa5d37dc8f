import SPD
import SPDVision

extension ImageTransform {
  /// The preprocessing of validation and prediction, as a checkpoint records it.
  public var preprocessing: ImagePreprocessing {
    ImagePreprocessing(
      valueRange: standardisation.scale == .unit ? .unit : .byte, mean: standardisation.mean.map { Double($0) },
      std: standardisation.std.map { Double($0) }, fit: fit == .crop ? .crop : .stretch)
  }

  /// The transform for a network's input, without augmentation.
  public init(_ preprocessing: ImagePreprocessing, size: Size2D) {
    self.init(
      height: size.height, width: size.width, fit: preprocessing.fit == .crop ? .crop : .stretch,
      standardisation: Standardisation(
        scale: preprocessing.valueRange == .unit ? .unit : .byte, mean: preprocessing.mean.map { Float($0) },
        std: preprocessing.std.map { Float($0) }))
  }

  /// Converts one image to the network's input: 3×height×width, channels R, G, B.
  public func input(_ image: Image) -> [Float] {
    normalised([image.fitted(fit, width: width, height: height)], standardisation.normalisation)
  }
}
