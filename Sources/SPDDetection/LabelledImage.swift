/// An object of an image's ground truth.
public struct LabelledObject: Sendable, Equatable {
  /// Index into the data set's class names.
  public var classIndex: Int
  /// Centre x, centre y, width and height as fractions of the image's sides, as in a YOLO label file.
  public var box: SIMD4<Float>
  /// The outline as fractions of the image's sides; empty if only the box is known.
  public var polygon: [SIMD2<Float>]
  /// True for a region of many objects, which an evaluation ignores and training leaves out.
  public var isCrowd: Bool
  /// Area of the object's mask in square pixels, from COCO's annotations; nil if only the box is known.
  public var area: Double?

  public init(
    classIndex: Int, box: SIMD4<Float>, polygon: [SIMD2<Float>] = [], isCrowd: Bool = false, area: Double? = nil
  ) {
    self.classIndex = classIndex
    self.box = box
    self.polygon = polygon
    self.isCrowd = isCrowd
    self.area = area
  }
}

/// The ground truth of an image.
public struct LabelledImage: Sendable, Equatable {
  /// Path of the image file, or another origin for messages.
  public var path: String
  /// Sides in pixels, after the rotation that EXIF asks for.
  public var width, height: Int
  public var objects: [LabelledObject]
  /// COCO's image id; nil in a YOLO data set.
  public var id: Int?

  public init(path: String, width: Int, height: Int, objects: [LabelledObject], id: Int? = nil) {
    self.path = path
    self.width = width
    self.height = height
    self.objects = objects
    self.id = id
  }
}
