import SPD
import SPDData
import SPDVision

/// How the generated small-object set is made.
public struct DetectionShapesOptions: Sendable, Equatable {
  /// Side of the images in pixels; 64 to 2048.
  public var size = 320
  /// Number of images for training and for validation.
  public var training = 1000
  public var validation = 200
  /// Number of classes, 3 to 6: circle, square, triangle, star, cross, arrow.
  public var classes = 6
  /// Random seed. The same seed gives the same images.
  public var seed: UInt64 = 0

  public init() {}
}

/// A generated set of 1 to 12 shapes per image, two thirds of which are COCO-small (8 to 30 pixels), among strokes,
/// specks and blots on a textured, noisy background.
///
/// Boxes are those of whole shapes, exact to the rounding of a float; an object is inside the image, and others cover at
/// most 15 % of its box each. Images are drawn when they are asked for (about 20 ms at 320×320) and depend on seed, split
/// and index alone.
public struct ShapesDetectionDataset: DetectionDataset {
  public let name: String
  public let classNames: [String]
  public let count: Int
  /// Side of the images in pixels.
  public let size: Int
  private let split: DetectionData.Split
  private let seed: UInt64

  /// - Throws: for options out of range.
  public init(split: DetectionData.Split, options: DetectionShapesOptions = .init()) throws(DataError) {
    func require(_ holds: Bool, _ what: String, _ remedy: String) throws(DataError) {
      if !holds { throw DataError(path: "shapes", what: what, remedy: remedy) }
    }
    let count = split == .train ? options.training : options.validation
    try require((64...2048).contains(options.size), "the size is \(options.size)", "give 64 to 2048 pixels")
    let most = ObjectShape.allCases.count
    try require((3...most).contains(options.classes), "\(options.classes) classes are asked for", "give 3 to \(most)")
    try require((1...1_000_000).contains(count), "\(count) images are asked for", "give 1 to 1000000")
    name = "shapes \(options.size)×\(options.size), \(split)"
    classNames = ObjectShape.allCases.prefix(options.classes).map(\.name)
    self.count = count
    size = options.size
    self.split = split
    seed = options.seed
  }

  func scene(_ index: Int) -> (ObjectScene, SplitMix64) {
    precondition((0..<count).contains(index), "image \(index) of \(count)")
    // The first word keeps the numbers apart from those of the classification set.
    var random = SplitMix64(.scene, 0x6465_7465_6374, seed, split == .train ? 0 : split == .val ? 1 : 2, UInt64(index))
    let scene = ObjectScene(side: size, classes: classNames.count, using: &random)
    return (scene, random)
  }

  public func labels(_ index: Int) -> LabelledImage {
    let side = Double(size)
    let objects = scene(index).0.objects.map { object in
      let box = object.bounds / side
      let polygon = object.corners.map { SIMD2(Float($0.x / side), Float($0.y / side)) }
      return LabelledObject(
        classIndex: object.shape.rawValue,
        box: SIMD4(
          Float((box.x + box.z) / 2), Float((box.y + box.w) / 2), Float(box.z - box.x), Float(box.w - box.y)),
        polygon: polygon, area: Outline.area(polygon) * side * side)
    }
    return LabelledImage(path: "\(name), image \(index)", width: size, height: size, objects: objects)
  }

  public func image(_ index: Int) -> Image {
    var (scene, random) = scene(index)
    return scene.drawn(using: &random)
  }
}
