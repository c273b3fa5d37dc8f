import SPDVision

/// Counts of a detection data set.
public struct DetectionStatistics: Sendable, Equatable {
  /// COCO's sizes by area at the original pixels: below 32², to 96², above.
  public enum Size: String, CaseIterable, Sendable {
    case small, medium, large

    /// - Parameter area: in square pixels.
    public init(area: Double) { self = area < 32 * 32 ? .small : area < 96 * 96 ? .medium : .large }
  }

  public var images = 0
  /// Images without objects.
  public var background = 0
  /// Objects, without crowds.
  public var objects = 0
  public var crowds = 0
  /// Objects with an outline.
  public var outlines = 0
  /// Objects whose box has no area.
  public var withoutArea = 0
  /// Objects per class, in class-index order.
  public var classCounts: [Int]
  /// Objects per size: by the area of the mask where it is known, else of the box.
  public var sizes: [Size: Int] = [:]
  /// Images by their number of objects.
  public var objectsPerImage: [Int: Int] = [:]
  /// Images by their size in pixels.
  public var imageSizes: [SIMD2<Int>: Int] = [:]

  public init(_ dataset: some DetectionDataset) {
    classCounts = [Int](repeating: 0, count: dataset.classNames.count)
    for index in 0..<dataset.count { add(dataset.labels(index)) }
  }

  private mutating func add(_ image: LabelledImage) {
    images += 1
    imageSizes[SIMD2(image.width, image.height), default: 0] += 1
    let pixels = Double(image.width) * Double(image.height)
    var count = 0
    for object in image.objects {
      if object.isCrowd {
        crowds += 1
        continue
      }
      count += 1
      if classCounts.indices.contains(object.classIndex) { classCounts[object.classIndex] += 1 }
      let boxArea = Double(object.box.z) * Double(object.box.w) * pixels
      if boxArea <= 0 { withoutArea += 1 }
      if !object.polygon.isEmpty { outlines += 1 }
      sizes[Size(area: object.area ?? boxArea), default: 0] += 1
    }
    objects += count
    if image.objects.isEmpty { background += 1 }
    objectsPerImage[count, default: 0] += 1
  }

  /// Mean number of objects per image.
  public var meanObjects: Double { images == 0 ? 0 : Double(objects) / Double(images) }
  public var maximumObjects: Int { objectsPerImage.keys.max() ?? 0 }
  /// Fraction of the objects of a size.
  public func fraction(_ size: Size) -> Double { objects == 0 ? 0 : Double(sizes[size] ?? 0) / Double(objects) }
  /// Image sizes, most frequent first.
  public var commonImageSizes: [(width: Int, height: Int, count: Int)] {
    imageSizes.map { ($0.key.x, $0.key.y, $0.value) }.sorted { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }
  }
}
