import Dispatch
import SPD
import SPDVision

/// How the images of the `shapes` data set are drawn.
public struct ShapesOptions: Codable, Sendable, Equatable {
  /// Pixels per side.
  public var resolution = 32
  /// Radius of the smallest shapes as a fraction of the side; the largest have 0.36.
  public var smallest = 0.15
  /// Number of images for training and for validation.
  public var training = 8000
  public var validation = 2000
  /// Random seed. The same seed gives the same scenes at every resolution.
  public var seed: UInt64 = 0

  public init() {}
}

/// A synthetic data set: each image shows one of ten shapes at a random position, size, angle and colour, among strokes
/// and dots, with noise.
///
/// The scenes do not depend on the resolution, only the drawing does, so the data set measures what a network loses
/// when images get small. Images are drawn once, when the data set is created, on all cores, and kept as 8-bit RGB
/// (32×32: 3 KB each, about 10 000 per second and core).
public struct ShapesDataset: ImageDataset {
  public let name: String
  public let classNames = ShapeOutline.allCases.map(\.name)
  private let images: [Image]

  /// The classes take turns, so each has the same number of images.
  ///
  /// - Parameters:
  ///   - split: distinguishes training images from validation images.
  ///   - resolution: pixels per side; 4 to 1024.
  ///   - smallest: radius of the smallest shapes as a fraction of the side; 0.05 to 0.36.
  public init(
    split: Split, count: Int, resolution: Int, smallest: Double = ShapesOptions().smallest, seed: UInt64
  ) throws(DataError) {
    guard (4...1024).contains(resolution) else {
      throw DataError(
        path: "shapes", what: "the resolution is \(resolution); 4 to 1024 are drawn",
        remedy: "say shapes:32, for example")
    }
    guard (0.05...ShapeScene.largest).contains(smallest) else {
      throw DataError(
        path: "shapes", what: "the radius of the smallest shapes is \(smallest); 0.05 to 0.36 of the side is supported",
        remedy: "say shapes:\(resolution):0.3, for example")
    }
    guard count > 0 else {
      throw DataError(path: "shapes", what: "\(count) images are asked for", remedy: "ask for at least one")
    }
    let minimum = smallest == ShapesOptions().smallest ? "" : " from \(smallest)"
    name = "shapes \(resolution)×\(resolution)\(minimum), \(split)"
    let blank = Image(width: 1, height: 1, filledWith: RGB(0, 0, 0))
    var images = [Image](repeating: blank, count: count)
    images.withUnsafeMutableBufferPointer { buffer in
      // Every thread writes its own images.
      nonisolated(unsafe) let images = buffer
      let chunk = 64
      DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
        for index in part * chunk..<min((part + 1) * chunk, count) {
          images[index] = Self.image(index, split, resolution, smallest, seed)
        }
      }
    }
    self.images = images
  }

  public enum Split: UInt64, Sendable { case training, validation }

  static func splits(_ options: ShapesOptions) throws(DataError) -> DatasetSplits {
    func made(_ split: Split, _ count: Int) throws(DataError) -> ShapesDataset {
      try ShapesDataset(
        split: split, count: count, resolution: options.resolution, smallest: options.smallest, seed: options.seed)
    }
    return DatasetSplits(
      training: try made(.training, options.training), validation: try made(.validation, options.validation))
  }

  private static func image(
    _ index: Int, _ split: Split, _ resolution: Int, _ smallest: Double, _ seed: UInt64
  ) -> Image {
    var random = SplitMix64(.scene, seed, split.rawValue, UInt64(index))
    let scene = ShapeScene(outline: outline(index), smallest: smallest, using: &random)
    return scene.drawn(side: resolution, using: &random)
  }

  private static func outline(_ index: Int) -> ShapeOutline {
    ShapeOutline.allCases[index % ShapeOutline.allCases.count]
  }

  public var count: Int { images.count }
  public func annotation(_ index: Int) -> Annotation { .classIndex(Int32(Self.outline(index).rawValue)) }
  public func image(_ index: Int) -> Image { images[index] }
  public func origin(_ index: Int) -> String { "\(name), image \(index)" }
}
