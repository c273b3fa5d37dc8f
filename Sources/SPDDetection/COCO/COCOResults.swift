import SPDData
import SPDFormats

/// An object that a network found.
public struct COCODetection: Sendable, Equatable {
  public var imageID, categoryID: Int
  public var box: COCOBox
  public var score: Double

  public init(imageID: Int, categoryID: Int, box: COCOBox, score: Double) {
    self.imageID = imageID
    self.categoryID = categoryID
    self.box = box
    self.score = score
  }
}

/// Detections in COCO's results format: a list of `{"image_id", "category_id", "bbox", "score"}`.
public struct COCOResults: Sendable, Equatable {
  /// The file, for messages.
  public var path: String
  public var detections: [COCODetection]
  /// Detections whose image is identified by a text that no image has.
  public internal(set) var unknownTexts = 0
  /// The first such text.
  public internal(set) var firstUnknownText: String?

  public init(path: String = "", detections: [COCODetection]) {
    self.path = path
    self.detections = detections
  }

  /// Reads a file of detections.
  ///
  /// - Parameter annotations: resolves image ids that are text: the annotations' own, an integer id written as text, or the stem
  ///   of a file name.
  /// - Throws: where the file cannot be read or is not of this format, with the byte and the line.
  public init(path: String, for annotations: COCOAnnotations) throws(DataError) {
    self = try withJSONCursor(path) { json throws(DataError) in
      var reader = COCOResultsReader(annotations: annotations, path: path)
      try reader.read(&json)
      return reader.results
    }
  }
}

private struct COCOResultsReader {
  let annotations: COCOAnnotations
  var results: COCOResults
  private lazy var ids = Set(annotations.images.map(\.id))
  /// The images of each stem: several where they differ in their folder or extension.
  private lazy var idsOfStem = Dictionary(grouping: annotations.images) { fileStem($0.fileName) }.mapValues {
    Set($0.map(\.id))
  }

  init(annotations: COCOAnnotations, path: String) {
    self.annotations = annotations
    results = COCOResults(path: path, detections: [])
  }

  mutating func read(_ json: inout JSONCursor) throws(DataError) {
    if json.peekValue() == UInt8(ascii: "{") {
      throw json.error(
        "holds an object, as files of annotations do, not a list of detections",
        remedy: "give a list of {\"image_id\", \"category_id\", \"bbox\", \"score\"}")
    }
    try json.beginArray()
    while try json.nextElement() {
      if let detection = try detection(&json) { results.detections.append(detection) }
    }
  }

  /// The image with this id, whether the annotations have texts or integers, else the one whose file name has this stem.
  private mutating func id(named text: String, _ json: JSONCursor) throws(DataError) -> Int? {
    if let id = annotations.textIDs[text] { return id }
    if annotations.textIDs.isEmpty, let number = Int(text), String(number) == text, ids.contains(number) {
      return number
    }
    guard let found = idsOfStem[text] else { return nil }
    guard found.count == 1 else {
      throw json.error(
        "\(found.count) images are called \(text), apart from their folders and extensions",
        remedy: "identify images by their ids")
    }
    return found.first
  }

  /// Reads a detection; nil if its image is unknown.
  private mutating func detection(_ json: inout JSONCursor) throws(DataError) -> COCODetection? {
    let start = json.position
    var image: Int?
    var unknown: String?
    var category: Int?
    var box: COCOBox?
    var score: Double?
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "image_id":
        unknown = nil
        if json.peekValue() == UInt8(ascii: "\"") {
          let text = try json.string()
          image = try id(named: text, json)
          if image == nil { unknown = text }
        } else {
          image = try json.integer("image_id")
        }
      case "category_id": category = try json.integer("category_id")
      case "bbox": box = try json.box()
      case "score": score = try json.double()
      default: try json.skipValue()
      }
    }
    guard image != nil || unknown != nil, let category, let box, let score else {
      let missing =
        category == nil ? "category_id" : box == nil ? "bbox" : score == nil ? "score" : "image_id"
      throw json.error("a detection has no \(missing)", at: start)
    }
    if let image { return COCODetection(imageID: image, categoryID: category, box: box, score: score) }
    results.unknownTexts += 1
    results.firstUnknownText = results.firstUnknownText ?? unknown
    return nil
  }
}

/// The file name of a path without its extension: `000000000139` of `val2017/000000000139.jpg`.
func fileStem(_ path: String) -> String {
  // By bytes: a name may begin with a combining character, which would merge with the slash.
  let name =
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8[path.utf8.index(after: $0)...] } ?? path.utf8[...]
  guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return String(Substring(name)) }
  return String(Substring(name[..<dot]))
}
