import Foundation
import SPDData
import SPDVision

/// Images of a data set, resized for training or validation, and kept if wanted.
///
/// The cache is shared by all threads and by the loaders of all epochs. It changes the time that images take, never
/// their pixels.
public final class ImageCache: @unchecked Sendable {
  /// Where resized images are kept.
  public enum Mode: Sendable, Equatable {
    case none
    /// In memory, up to a number of bytes; further images are decoded each time.
    case ram(limit: Int)
    /// In files of a folder, which is created. Files of changed images are replaced.
    case disk(folder: String)

    /// In memory, up to half of the machine's.
    public static var ram: Mode { .ram(limit: Int(ProcessInfo.processInfo.physicalMemory / 2)) }
  }

  public let dataset: any DetectionDataset
  /// The longer side of an image in pixels.
  public let imageSize: Int
  /// Whether the images will be augmented: shrinking is then bilinear, and otherwise averages areas.
  public let augments: Bool
  private let mode: Mode
  private let disk: ImageFolder?
  private let lock = NSLock()
  private var kept: [Int: ResizedImage] = [:]
  private var keptBytes = 0

  /// - Throws: where the cache folder cannot be created.
  public init(
    _ dataset: any DetectionDataset, imageSize: Int, augments: Bool = true, mode: Mode = .none
  ) throws(DataError) {
    self.dataset = dataset
    self.imageSize = imageSize
    self.augments = augments
    self.mode = mode
    if case .disk(let folder) = mode {
      disk = try ImageFolder(folder, variant: "\(imageSize)\(augments ? "" : "-area")")
    } else {
      disk = nil
    }
  }

  /// Number of bytes that images occupy in memory.
  public var bytes: Int { lock.withLock { keptBytes } }

  /// Number of bytes that all images need: 3 per pixel.
  public var bytesNeeded: Int {
    (0..<dataset.count).reduce(0) { sum, index in
      let labels = dataset.labels(index)
      guard labels.width > 0, labels.height > 0 else { return sum }
      let (width, height) = trainingSize(width: labels.width, height: labels.height, size: imageSize)
      return sum + width * height * 3
    }
  }

  /// Returns an image scaled so that its longer side has ``imageSize`` pixels.
  func image(_ index: Int) throws(DataError) -> ResizedImage {
    if let image = lock.withLock({ kept[index] }) { return image }
    let path = disk == nil ? "" : dataset.labels(index).path
    if let image = disk?.read(path, index: index, size: imageSize) { return image }
    let original = try dataset.image(index)
    let resized = ResizedImage(
      image: resizedForTraining(original, size: imageSize, augments: augments), originalWidth: original.width,
      originalHeight: original.height)
    switch mode {
    case .none: break
    case .ram(let limit):
      let bytes = resized.image.pixels.count
      lock.withLock {
        // Another thread may have decoded it at the same time.
        guard kept[index] == nil, keptBytes + bytes <= limit else { return }
        kept[index] = resized
        keptBytes += bytes
      }
    case .disk: try disk?.write(resized, path, index: index)
    }
    return resized
  }
}

/// An image that has been resized for training or validation.
struct ResizedImage: Sendable, Equatable {
  var image: Image
  var originalWidth, originalHeight: Int
}
