import Dispatch
import SPD
import SPDVision

/// How the images of the `shapes` data set are drawn.
public struct ShapesOptions: Codable, Sendable, Equatable {
  /// Pixels per side.
  public var resolution = 32
  /// Radius of the smallest figures, of 1 for a side; the largest have 0.36.
  public var smallest = 0.15
  /// Images for training and for validation.
  public var training = 8000
  public var validation = 2000
  /// The same seed gives the same scenes at every resolution.
  public var seed: UInt64 = 0

  public init() {}
}

/// A data set of our own: each image shows one figure of ten kinds at a random place, size, angle and colour, among
/// strokes and dots, with noise.
///
/// The scenes do not depend on the resolution, only the drawing does, so it measures what a network loses when images
/// get small. Images are drawn once, when the data set is made, with every core, and kept as 8-bit RGB
/// (32×32: 3 KB each, about 10 000 a second and core).
public struct ShapesDataset: ImageDataset {
  public let name: String
  public let classNames = ShapeOutline.allCases.map(\.name)
  private let images: [Image]

  /// The classes take turns, so each has the same number of images.
  ///
  /// - Parameters:
  ///   - split: tells training images from validation images.
  ///   - resolution: pixels per side; 4 to 1024.
  ///   - smallest: radius of the smallest figures, of 1 for a side; 0.05 to 0.36.
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
        path: "shapes", what: "the smallest figures have the radius \(smallest); it is 0.05 to 0.36 of the side",
        remedy: "say shapes:\(resolution):0.3, for example")
    }
    guard count > 0 else {
      throw DataError(path: "shapes", what: "\(count) images are asked for", remedy: "ask for at least one")
    }
    let figures = smallest == ShapesOptions().smallest ? "" : " from \(smallest)"
    name = "shapes \(resolution)×\(resolution)\(figures), \(split)"
    let blank = Image(width: 1, height: 1, filledWith: RGB(0, 0, 0))
    var images = [Image](repeating: blank, count: count)
    images.withUnsafeMutableBufferPointer { buffer in
      // Every thread writes images of its own.
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
