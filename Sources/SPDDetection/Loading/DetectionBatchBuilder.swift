import SPD
import SPDData
import SPDVision

/// Builds any batch of a run from its position alone.
struct DetectionBatchBuilder: Sendable {
  let images: ImageCache
  let options: DetectionLoaderOptions
  let parameters: DetectionHyperparameters
  let batchesPerEpoch: Int
  private let rectangles: RectangularBatches?
  private let order: EpochOrder
  private let sampler: ImageSampler
  private let isWeighted: Bool
  private let pool: FloatPool

  init(
    _ images: ImageCache, parameters: DetectionHyperparameters, options: DetectionLoaderOptions, weights: [Double]?
  ) {
    self.images = images
    self.options = options
    self.parameters = parameters
    let dataset = images.dataset
    batchesPerEpoch = (dataset.count + options.batchSize - 1) / options.batchSize
    rectangles =
      options.isRectangular
      ? RectangularBatches(
        sizes: (0..<dataset.count).map { index in
          let labels = dataset.labels(index)
          return (labels.width, labels.height)
        }, batchSize: options.batchSize, imageSize: options.imageSize, stride: options.stride,
        pad: options.rectangularPad) : nil
    order = EpochOrder(
      count: dataset.count, seed: options.seed, shuffles: options.shuffles && !options.isRectangular)
    sampler = weights.map { ImageSampler(weights: $0) } ?? .uniform(count: dataset.count)
    isWeighted = weights != nil
    pool = FloatPool(limit: options.prefetch)
  }

  /// Builds a batch; it has no images where all of them are broken.
  ///
  /// - Throws: with `isStrict`, the first broken image's error; always, an error that is not the image's own.
  func batch(at position: BatchPosition) throws(DataError) -> DetectionBatch {
    let square = RectangularBatches.Shape(height: options.imageSize, width: options.imageSize)
    let shape = rectangles?.shapes[position.batch] ?? square
    var samples: [AugmentedSample] = []
    var indices: [Int] = []
    var fits: [ImageFit] = []
    var broken: [BrokenImage] = []
    let wanted = imageIndices(at: position)
    for (slot, index) in wanted.enumerated() {
      if options.augments {
        let plan = plan(index, slot: slot, at: position, shape)
        let sample = try plan.sample(width: shape.width, height: shape.height) { index throws(DataError) in
          try resized(index, &broken).map { (image: $0.image, labels: images.dataset.labels(index)) }
        }
        guard let sample else { continue }
        samples.append(sample)
      } else {
        guard let resized = try resized(index, &broken) else { continue }
        let (sample, fit) = letterboxed(resized, images.dataset.labels(index), shape)
        samples.append(sample)
        fits.append(fit)
      }
      indices.append(index)
    }
    let size = multiScaleSize(at: position)
    let (height, width) = size.map { ($0, $0) } ?? (shape.height, shape.width)
    let storage = pool.take(count: options.batchSize * 3 * height * width)
    fill(storage.values, samples, height: height, width: width)
    return DetectionBatch(
      position: position, rows: options.batchSize, height: height, width: width, indices: indices,
      targets: samples.enumerated().flatMap { row, sample in targets(of: sample, row: row) }, fits: fits,
      broken: broken, storage: storage, pool: pool)
  }

  /// The images of a batch.
  private func imageIndices(at position: BatchPosition) -> [Int] {
    let first = position.batch * options.batchSize
    let range = first..<min(first + options.batchSize, images.dataset.count)
    if let rectangles { return Array(rectangles.order[range]) }
    if isWeighted {
      var random = SplitMix64(.order, options.seed, UInt64(position.epoch), UInt64(position.batch))
      return range.map { _ in sampler.draw(&random) }
    }
    return order.indices(epoch: position.epoch, range)
  }

  private func plan(
    _ index: Int, slot: Int, at position: BatchPosition, _ shape: RectangularBatches.Shape
  ) -> AugmentationPlan {
    var random = SplitMix64(.augmentation, options.seed, UInt64(position.epoch), UInt64(index))
    if isWeighted {
      // An image may occur several times in an epoch, each time augmented in its own way.
      let place = position.batch * options.batchSize + slot
      random = SplitMix64(.augmentation, options.seed, UInt64(position.epoch), UInt64(index), UInt64(place))
    }
    return AugmentationPlan(
      index: index, width: shape.width, height: shape.height, parameters: parameters,
      usesMosaic: !options.isRectangular, cutMix: options.cutMix, sampler: sampler, random: &random)
  }

  /// Returns an image, or nil and a report where it is broken.
  private func resized(_ index: Int, _ broken: inout [BrokenImage]) throws(DataError) -> ResizedImage? {
    do throws(DataError) {
      return try images.image(index)
    } catch {
      if options.isStrict || error.isOfTheMachine { throw error }
      if !broken.contains(where: { $0.index == index }) { broken.append(BrokenImage(index: index, error: error)) }
      return nil
    }
  }

  private func letterboxed(
    _ resized: ResizedImage, _ labels: LabelledImage, _ shape: RectangularBatches.Shape
  ) -> (AugmentedSample, ImageFit) {
    let image = resized.image
    let (boxed, fit) = letterbox(image, height: shape.height, width: shape.width, scaleUp: false)
    let (width, height) = (fit.ratio * Double(image.width), fit.ratio * Double(image.height))
    let sample = AugmentedSample(
      image: boxed,
      objects: labels.pixelObjects(width: width, height: height, offset: SIMD2(fit.halfPadX, fit.halfPadY)))
    return (
      sample,
      ImageFit(
        imageWidth: resized.originalWidth, imageHeight: resized.originalHeight, drawnWidth: width, drawnHeight: height,
        gain: Double(image.height) / Double(resized.originalHeight), padX: fit.halfPadX, padY: fit.halfPadY)
    )
  }

  private func multiScaleSize(at position: BatchPosition) -> Int? {
    guard options.isMultiScale else { return nil }
    return MultiScale.size(
      imageSize: options.imageSize, stride: options.stride, seed: options.seed, epoch: position.epoch,
      batch: position.batch)
  }

  private func targets(of sample: AugmentedSample, row: Int) -> [Float] {
    sample.objects.flatMap { object in
      let box = object.normalised(width: sample.image.width, height: sample.image.height)
      return [Float(row), Float(object.classIndex), box.x, box.y, box.z, box.w]
    }
  }

  /// Converts images to planes of floats; the rows after them repeat them in turn.
  private func fill(
    _ values: UnsafeMutableBufferPointer<Float>, _ samples: [AugmentedSample], height: Int, width: Int
  ) {
    let rowValues = 3 * height * width
    for (row, sample) in samples.enumerated() {
      let target = values.baseAddress! + row * rowValues
      if sample.image.width == width && sample.image.height == height {
        planar(sample.image, into: target)
      } else {
        let side = sample.image.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * side * side) { planes in
          planar(sample.image, into: planes.baseAddress!)
          for channel in 0..<3 {
            MultiScale.resize(
              planes.baseAddress! + channel * side * side, size: side, into: target + channel * width * height,
              size: width)
          }
        }
      }
    }
    for row in samples.count..<options.batchSize {
      let target = values.baseAddress! + row * rowValues
      if samples.isEmpty {
        target.update(repeating: 0, count: rowValues)
      } else {
        target.update(from: values.baseAddress! + row % samples.count * rowValues, count: rowValues)
      }
    }
  }

  /// Writes planes of R, G and B, each byte divided by 255.
  private func planar(_ image: Image, into target: UnsafeMutablePointer<Float>) {
    let area = image.width * image.height
    image.pixels.withUnsafeBufferPointer { pixels in
      for channel in 0..<3 {
        let plane = target + channel * area
        for pixel in 0..<area { plane[pixel] = Float(pixels[pixel &* 3 &+ channel]) / 255 }
      }
    }
  }
}
