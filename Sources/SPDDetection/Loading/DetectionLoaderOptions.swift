import SPDData

/// How a ``DetectionLoader`` iterates over a data set.
public struct DetectionLoaderOptions: Codable, Sendable, Equatable {
  /// Batch size.
  public var batchSize: Int
  /// The longer side of an image in pixels, and both sides of an input unless batches are rectangular.
  public var imageSize: Int
  /// Whether images are augmented.
  public var augments: Bool
  /// Whether a batch has the smallest shape that its images fit in; order is then by aspect ratio, without mosaics.
  public var isRectangular: Bool
  /// Additional sides of rectangular batches in units of ``stride``: 0.5 for validation in the reference.
  public var rectangularPad: Double
  /// Whether every batch has its own size, from half to one and a half of ``imageSize``.
  public var isMultiScale: Bool
  /// Probability of CutMix, which is not part of the reference.
  public var cutMix: Double
  /// The network's largest stride, which divides all sizes.
  public var stride: Int
  /// Whether every epoch has its own random order; otherwise data set order. Rectangular batches keep theirs.
  public var shuffles: Bool
  /// Random seed for order, sizes and augmentation.
  public var seed: UInt64
  /// Whether a broken image is an error; otherwise it is skipped and reported.
  public var isStrict: Bool
  /// Number of threads that decode and augment. It does not affect the batches.
  public var threads: Int
  /// Number of batches to prefetch, including those in the making.
  public var prefetch: Int

  public init(
    batchSize: Int, imageSize: Int = 640, augments: Bool = true, isRectangular: Bool = false,
    rectangularPad: Double = 0, isMultiScale: Bool = false, cutMix: Double = 0, stride: Int = 32, shuffles: Bool = true,
    seed: UInt64 = 0, isStrict: Bool = false, threads: Int = 1, prefetch: Int? = nil
  ) {
    self.batchSize = batchSize
    self.imageSize = imageSize
    self.augments = augments
    self.isRectangular = isRectangular
    self.rectangularPad = rectangularPad
    self.isMultiScale = isMultiScale
    self.cutMix = cutMix
    self.stride = stride
    self.shuffles = shuffles
    self.seed = seed
    self.isStrict = isStrict
    self.threads = threads
    // One in the making per thread, and one or two that are ready: a batch of 64 at 640 has 300 MB.
    self.prefetch = prefetch ?? threads + 2
  }

  /// Options for validation: every image once, in rectangular batches padded by half a stride, without augmentation.
  public static func validation(
    batchSize: Int, imageSize: Int = 640, isRectangular: Bool = true, stride: Int = 32, isStrict: Bool = false,
    threads: Int = 1
  ) -> DetectionLoaderOptions {
    DetectionLoaderOptions(
      batchSize: batchSize, imageSize: imageSize, augments: false, isRectangular: isRectangular,
      rectangularPad: isRectangular ? 0.5 : 0, stride: stride, shuffles: false, isStrict: isStrict, threads: threads)
  }

  func validate(_ name: String) throws(DataError) {
    let limits = [
      ("batch size", batchSize, 1...100_000), ("image size", imageSize, 32...16_384),
      ("stride", stride, 1...1024), ("number of loader threads", threads, 1...256),
      ("number of batches to prefetch", prefetch, 1...10_000),
    ]
    for (what, value, range) in limits where !range.contains(value) {
      throw DataError(
        path: name, what: "the \(what) is \(value)",
        remedy: "choose one from \(range.lowerBound) to \(range.upperBound)")
    }
    guard imageSize % stride == 0 else {
      throw DataError(
        path: name, what: "the image size \(imageSize) is not a multiple of the stride \(stride)",
        remedy: "choose \((imageSize + stride - 1) / stride * stride)")
    }
    guard (0...1).contains(cutMix), (0...8).contains(rectangularPad) else {
      throw DataError(
        path: name, what: "the probability of CutMix is \(cutMix), the pad of rectangular batches \(rectangularPad)",
        remedy: "choose a probability from 0 to 1 and a pad from 0 to 8 strides")
    }
    guard !(isMultiScale && isRectangular) else {
      throw DataError(
        path: name, what: "batches are both rectangular and multi-scale", remedy: "choose one of the two")
    }
  }
}
