import Foundation
import SPD
import SPDData
import SPDFormats
import SPDDriver
import SPDVision

/// The images of a run and their preprocessing.
public struct TrainingData: RunData {
  package var training: any ImageDataset
  package var validation: any ImageDataset
  /// Transform for training; `transform.evaluation` is for validation.
  package var transform: ImageTransform
  /// Hashes of the images' names and labels in order.
  public let trainingHash, validationHash: UInt64

  /// A note about images that are resized; nil if none are.
  private let resizing: String?

  public var trainingName: String { training.name }
  public var validationName: String { validation.name }
  public var trainingCount: Int { training.count }
  public var validationCount: Int { validation.count }
  public var size: Size2D { Size2D(transform.height, transform.width) }
  public var classNames: [String] { training.classNames }
  public var preprocessing: ImagePreprocessing { transform.preprocessing }
  public var notes: [String] { [resizing].compactMap(\.self) }

  /// - Parameters:
  ///   - model: provides the input size if the configuration does not.
  ///   - takesAll: uses all images of folders without train and val for validation.
  package init(_ configuration: TrainingConfiguration, model: LoadedModel, takesAll: Bool = false) async throws {
    guard !configuration.data.isEmpty else {
      throw Failure(.usage, "no data set: give --data FOLDER, or --data shapes for drawn images")
    }
    var options = DatasetOptions()
    options.validationFraction = takesAll ? 1 : configuration.validationFraction
    options.splitSeed = configuration.seed
    if configuration.limit > 0 {
      options.shapes.training = min(options.shapes.training, configuration.limit)
      options.shapes.validation = min(options.shapes.validation, configuration.limit)
    }
    let splits = try openDataset(configuration.data, options: options)
    splits.warnings.forEach(Messages.warning)
    training = Self.limited(splits.training, configuration)
    validation = Self.limited(splits.validation, configuration)
    trainingHash = Self.hash(training)
    validationHash = Self.hash(validation)

    let size: Size2D
    if let side = configuration.imageSize {
      size = Size2D(side, side)
    } else if let side = Self.drawnSide(configuration.data) {
      size = Size2D(side, side)
    } else {
      size = try await model.graph().input.shape.size
    }
    transform = configuration.augmentation.transform(size)
    resizing = Self.resizing(training.count > 0 ? training : validation, to: size)
  }

  /// Draws a subset of a data set with the seed, in the data set's order.
  private static func limited(
    _ dataset: any ImageDataset, _ configuration: TrainingConfiguration
  ) -> any ImageDataset {
    guard configuration.limit > 0, configuration.limit < dataset.count else { return dataset }
    var random = SplitMix64(.split, configuration.seed)
    let drawn = random.permutation(dataset.count).prefix(configuration.limit)
    return Subset(dataset, indices: drawn.map(Int.init).sorted())
  }

  /// Hashes file names and labels but not folders, which may be moved.
  private static func hash(_ dataset: any ImageDataset) -> UInt64 {
    var words = Array("\(dataset.count)".utf8)
    for index in 0..<dataset.count {
      let origin = dataset.origin(index)
      words += origin[(origin.lastIndex(of: "/").map(origin.index(after:)) ?? origin.startIndex)...].utf8
      words.append(0)
      withUnsafeBytes(of: dataset.annotation(index).label.littleEndian) { words += $0 }
    }
    return fnv1a(words)
  }

  /// Returns the side in `shapes:SIDE`.
  private static func drawnSide(_ name: String) -> Int? {
    let words = name.split(separator: ":")
    return words.first == "shapes" && words.count > 1 ? Int(words[1]) : nil
  }

  /// Describes the resizing of images, based on a sample; nil if the sample has the network's input size.
  private static func resizing(_ dataset: any ImageDataset, to size: Size2D) -> String? {
    let probes = stride(from: 0, to: dataset.count, by: max(1, dataset.count / 16))
    var sizes: [Size2D] = []
    for image in probes.lazy.compactMap({ try? dataset.image($0) }) {
      let own = Size2D(image.height, image.width)
      if !sizes.contains(own) { sizes.append(own) }
    }
    guard let first = sizes.first, sizes != [size] else { return nil }
    return
      "images of \(first.width)×\(first.height)\(sizes.count > 1 ? " and other sizes" : "") are scaled and cropped to "
      + "\(size.width)×\(size.height), the model's input; use --size for another size"
  }
}

extension AugmentationConfiguration {
  /// Returns the transform: horizontal flip, crop, vertical flip, rotation. Published orders differ only in transforms that
  /// commute in distribution.
  package func transform(_ size: Size2D) -> ImageTransform {
    var changes: [Augmentation] = []
    if flipHorizontal > 0 { changes.append(.horizontalFlip(flipHorizontal)) }
    if cropPadding > 0 { changes.append(.randomCrop(cropPadding)) }
    if flipVertical > 0 { changes.append(.verticalFlip(flipVertical)) }
    if rotation > 0 { changes.append(.rotation(rotation)) }
    return ImageTransform(
      height: size.height, width: size.width, augmentations: changes,
      standardisation: Standardisation(
        scale: valueRange == .unit ? .unit : .byte, mean: mean.map { Float($0) },
        std: standardDeviation.map { Float($0) }))
  }
}

/// Reports each broken image once.
public struct BrokenImages: Sendable {
  /// Maximum number of warnings if a list is written.
  package static let limit = 20
  package let isListed: Bool
  /// Descriptions of the broken images.
  private var known: Set<String> = []
  package var count: Int { known.count }

  package init() { isListed = false }

  /// Continues the list of an earlier process, if there is one.
  package init(listedIn path: String) {
    isListed = true
    known = Set((try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? [])
  }

  package mutating func report(_ images: [BrokenImage]) {
    for image in images where known.insert(image.description).inserted {
      if !isListed || known.count <= Self.limit {
        Messages.warning("skipped: \(image)")
      } else if known.count == Self.limit + 1 {
        Messages.warning("more broken images were skipped; broken.txt in the run's folder lists all")
      }
    }
  }

  /// Writes a line per image, atomically.
  package func write(to path: String) throws {
    let lines = known.sorted().map { $0 + "\n" }.joined()
    try writeAtomically(to: path) { try $0.write(Array(lines.utf8)) }
  }
}
