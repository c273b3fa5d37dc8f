import SPD
import SPDData
import SPDVision

/// The random choices about the geometry of a sample: a mosaic or a single image, pasted copies, and a transform.
struct CompositionPlan: Sendable, Equatable {
  /// The image whose turn it is.
  var index: Int
  /// Nil for a single, letterboxed image.
  var mosaic: MosaicPlan?
  /// Nil without copy-paste, which belongs to mosaics.
  var copyPaste: CopyPastePlan?
  var perspective: PerspectivePlan

  /// An image, resized as for training, and its labels.
  typealias Tile = (image: Image, labels: LabelledImage)

  init(
    index: Int, size: Int, isMosaic: Bool, parameters: DetectionHyperparameters, sampler: ImageSampler,
    random: inout SplitMix64
  ) {
    self.index = index
    if isMosaic {
      mosaic = MosaicPlan(index: index, size: size, sampler: sampler, random: &random)
      copyPaste =
        parameters.copyPaste > 0 ? CopyPastePlan(fraction: parameters.copyPaste, seed: random.next()) : nil
    }
    perspective = PerspectivePlan(parameters, random: &random)
  }

  /// Makes the sample; nil where the image is broken. A broken partner in a mosaic leaves its quarter grey.
  func sample(
    width: Int, height: Int, tile: (Int) throws(DataError) -> Tile?
  ) throws(DataError) -> AugmentedSample? {
    var composed: AugmentedSample
    if let mosaic {
      var tiles: [Tile?] = []
      for image in mosaic.images {
        let made = try tile(image)
        if made == nil && image == index { return nil }
        tiles.append(made)
      }
      composed = mosaic.canvas(tiles)
    } else {
      guard let (image, labels) = try tile(index) else { return nil }
      let (boxed, fit) = letterbox(image, height: height, width: width)
      composed = AugmentedSample(
        image: boxed,
        objects: labels.pixelObjects(
          width: fit.ratio * Double(image.width), height: fit.ratio * Double(image.height),
          offset: SIMD2(fit.halfPadX, fit.halfPadY)))
    }
    if let copyPaste { composed = copyPaste.apply(to: composed) }
    return perspective.apply(to: composed, width: width, height: height)
  }
}
