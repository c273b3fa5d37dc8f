import SPD
import SPDData
import SPDTraining
import SPDVision

/// The pictures of a run, and how they become a network's input.
struct TrainingData {
  var training: any ImageDataset
  var validation: any ImageDataset
  /// For training; `transform.evaluation` is for validation.
  var transform: PictureTransform
  let isStrict: Bool

  var size: Size2D { Size2D(transform.height, transform.width) }
  var classNames: [String] { training.classNames }

  /// - Parameter model: its own input size serves where neither the configuration nor the pictures say one.
  init(_ configuration: TrainingConfiguration, model: LoadedModel, isStrict: Bool) async throws {
    guard !configuration.data.isEmpty else {
      throw Failure(.usage, "no data set: give --data FOLDER, or --data shapes for drawn pictures")
    }
    var options = DatasetOptions()
    options.validationFraction = configuration.validationFraction
    options.splitSeed = configuration.seed
    if configuration.limit > 0 {
      options.shapes.training = min(options.shapes.training, configuration.limit)
      options.shapes.validation = min(options.shapes.validation, configuration.limit)
    }
    let splits = try openDataset(configuration.data, options: options)
    training = Self.limited(splits.training, configuration)
    validation = Self.limited(splits.validation, configuration)
    self.isStrict = isStrict

    let size: Size2D
    if let side = configuration.imageSize {
      size = Size2D(side, side)
    } else if let common = Self.commonSize(training) {
      size = common
    } else {
      size = try await model.graph().input.shape.size
    }
    transform = configuration.augmentation.transform(size)
  }

  /// Some pictures of a data set, drawn by the seed, in the data set's order.
  private static func limited(
    _ dataset: any ImageDataset, _ configuration: TrainingConfiguration
  ) -> any ImageDataset {
    guard configuration.limit > 0, configuration.limit < dataset.count else { return dataset }
    var random = SplitMix64(.split, configuration.seed)
    let drawn = random.permutation(dataset.count).prefix(configuration.limit)
    return Subset(dataset, indices: drawn.map(Int.init).sorted())
  }

  /// The size of the pictures, if all of some have the same.
  private static func commonSize(_ dataset: any ImageDataset) -> Size2D? {
    let probes = stride(from: 0, to: dataset.count, by: max(1, dataset.count / 16))
    let sizes = Set(probes.compactMap { try? dataset.picture($0) }.map { [$0.height, $0.width] })
    guard sizes.count == 1, let size = sizes.first else { return nil }
    return Size2D(size[0], size[1])
  }
}

extension AugmentationConfiguration {
  /// Flip, crop, flip, rotation: where one commutes with another in distribution, any published order is this one.
  func transform(_ size: Size2D) -> PictureTransform {
    var changes: [Augmentation] = []
    if flipHorizontal > 0 { changes.append(.horizontalFlip(flipHorizontal)) }
    if cropPadding > 0 { changes.append(.randomCrop(cropPadding)) }
    if flipVertical > 0 { changes.append(.verticalFlip(flipVertical)) }
    if rotation > 0 { changes.append(.rotation(rotation)) }
    return PictureTransform(
      height: size.height, width: size.width, augmentations: changes,
      standardisation: Standardisation(
        scale: valueRange == .unit ? .unit : .byte, mean: mean.map { Float($0) },
        std: standardDeviation.map { Float($0) }))
  }
}

/// Says once of each broken picture which it is.
struct BrokenPictures {
  private var known: Set<String> = []
  var count: Int { known.count }

  mutating func report(_ pictures: [BrokenPicture]) {
    for picture in pictures where known.insert(picture.error.path).inserted {
      if known.count <= 20 { Console.warning("left out: \(picture)") }
      if known.count == 20 { Console.warning("more broken pictures are left out without a word") }
    }
  }
}
