import SPDVision

/// Builds any batch of a run from its position alone.
struct BatchBuilder: Sendable {
  let dataset: any ImageDataset
  let transform: ImageTransform
  let options: LoaderOptions
  let pool: BatchPool
  private let order: EpochOrder
  /// The standardised value of each byte, per channel.
  private let table: [Float]
  let batchesPerEpoch: Int

  init(dataset: any ImageDataset, transform: ImageTransform, options: LoaderOptions) {
    self.dataset = dataset
    self.transform = transform
    self.options = options
    pool = BatchPool(rows: options.batchSize, valuesPerRow: 3 * transform.height * transform.width)
    order = EpochOrder(count: dataset.count, seed: options.seed, shuffles: options.shuffles)
    table = transform.standardisation.table
    let whole = dataset.count / options.batchSize
    let isPartial = dataset.count % options.batchSize != 0
    batchesPerEpoch = options.partialBatch == .keep && isPartial ? whole + 1 : whole
  }

  /// Builds a batch; it has no images where all of them are broken.
  ///
  /// - Throws: with `isStrict`, the first broken image's error; always, an error that is not the image's own.
  func batch(at position: BatchPosition) throws(DataError) -> Batch {
    let first = position.batch * options.batchSize
    let wanted = order.indices(epoch: position.epoch, first..<min(first + options.batchSize, dataset.count))
    let storage = pool.take()
    var indices: [Int] = []
    var broken: [BrokenImage] = []
    indices.reserveCapacity(wanted.count)
    for index in wanted {
      do throws(DataError) {
        let sample = try dataset.sample(index)
        let image = transform.image(sample.image, seed: options.seed, epoch: position.epoch, index: index)
        standardise(image, into: storage, row: indices.count)
        storage.labels[indices.count] = sample.annotation.label
        indices.append(index)
      } catch {
        if options.isStrict || error.isOfTheMachine {
          pool.giveBack(storage)
          throw error
        }
        broken.append(BrokenImage(index: index, error: error))
      }
    }
    fillUp(storage, from: indices.count)
    return Batch(position: position, indices: indices, broken: broken, storage: storage, pool: pool)
  }

  /// Converts interleaved bytes to planes of floats.
  private func standardise(_ image: Image, into storage: BatchStorage, row: Int) {
    let area = transform.height * transform.width
    precondition(image.pixels.count == 3 * area, "a transform keeps the size")
    let planes = storage.images.baseAddress! + row * 3 * area
    image.pixels.withUnsafeBufferPointer { pixels in
      table.withUnsafeBufferPointer { table in
        let (red, green, blue) = (table.baseAddress!, table.baseAddress! + 256, table.baseAddress! + 512)
        var pixel = pixels.baseAddress!
        for index in 0..<area {
          planes[index] = red[Int(pixel[0])]
          planes[area + index] = green[Int(pixel[1])]
          planes[2 * area + index] = blue[Int(pixel[2])]
          pixel += 3
        }
      }
    }
  }

  private func fillUp(_ storage: BatchStorage, from count: Int) {
    let rowValues = 3 * transform.height * transform.width
    let start = storage.images.baseAddress!
    for row in count..<options.batchSize {
      let values = start + row * rowValues
      if count > 0 {
        values.update(from: start + row % count * rowValues, count: rowValues)
      } else {
        values.update(repeating: 0, count: rowValues)
      }
      storage.labels[row] = Batch.ignoredLabel
    }
  }
}
