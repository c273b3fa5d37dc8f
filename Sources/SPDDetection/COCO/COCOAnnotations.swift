import SPDData

/// A box as COCO writes it: its top-left corner and its sides, in pixels.
public struct COCOBox: Sendable, Equatable {
  public var x, y, width, height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// `width · height`, in square pixels.
  public var area: Double { width * height }
}

public struct COCOImage: Sendable, Equatable {
  public var id: Int
  /// Empty if the file does not tell.
  public var fileName: String
  /// Sides in pixels; 0 if the file does not tell.
  public var width, height: Int

  public init(id: Int, fileName: String = "", width: Int = 0, height: Int = 0) {
    self.id = id
    self.fileName = fileName
    self.width = width
    self.height = height
  }
}

public struct COCOCategory: Sendable, Equatable {
  public var id: Int
  public var name: String

  public init(id: Int, name: String) {
    self.id = id
    self.name = name
  }
}

/// An object of the ground truth.
public struct COCOAnnotation: Sendable, Equatable {
  public var id, imageID, categoryID: Int
  public var box: COCOBox
  /// Area of the object's mask in square pixels; the box's area where the file has none.
  public var area: Double
  /// True for a region of many objects.
  public var isCrowd: Bool
  /// The `ignore` key. COCO's evaluation of boxes does not use it.
  public var isIgnored: Bool
  /// The outlines in pixels, empty unless they were asked for. Run-length masks are left out.
  public var polygons: [[SIMD2<Float>]]

  public init(
    id: Int, imageID: Int, categoryID: Int, box: COCOBox, area: Double? = nil, isCrowd: Bool = false,
    isIgnored: Bool = false, polygons: [[SIMD2<Float>]] = []
  ) {
    self.id = id
    self.imageID = imageID
    self.categoryID = categoryID
    self.box = box
    self.area = area ?? box.area
    self.isCrowd = isCrowd
    self.isIgnored = isIgnored
    self.polygons = polygons
  }
}

/// An annotation of a file that cannot be used as it is.
public struct COCOFault: Sendable, Equatable {
  /// The annotation's id; nil if it has none.
  public var id: Int?
  /// What is wrong, after "annotations".
  public var reason: String
  /// False where only the outline is left out.
  public var leavesOut = true
}

/// COCO's annotations of objects: `instances_val2017.json` and files like it.
public struct COCOAnnotations: Sendable, Equatable {
  /// As in the file. If ids occur twice, the last one counts in an evaluation.
  public var images: [COCOImage]
  /// As in the file, so in class-index order of a network that was trained on it.
  public var categories: [COCOCategory]
  /// As in the file; may refer to images and categories that do not exist.
  public var annotations: [COCOAnnotation]
  /// Where the file identifies images by text, the ids that stand for it here, in the texts' order; empty otherwise.
  public internal(set) var textIDs: [String: Int] = [:]
  /// Annotations that were left out, or whose outlines were, where that was asked for.
  public internal(set) var faults: [COCOFault] = []

  public init(images: [COCOImage] = [], categories: [COCOCategory] = [], annotations: [COCOAnnotation] = []) {
    self.images = images
    self.categories = categories
    self.annotations = annotations
  }

  /// Ids that more than one image has, in ascending order.
  public var repeatedImageIDs: [Int] {
    let ids = images.map(\.id).sorted()
    return Set(zip(ids, ids.dropFirst()).filter { $0 == $1 }.map(\.0)).sorted()
  }
}
