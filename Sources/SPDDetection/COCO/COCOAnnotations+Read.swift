import SPDData
import SPDFormats

extension COCOAnnotations {
  /// Reads a file of annotations in one pass.
  ///
  /// Keys may come in any order, unknown ones are skipped, and of a repeated one the last counts. A missing `area` is
  /// the box's, a missing `iscrowd` is 0. Memory: the file's size plus 80 bytes per annotation and its polygons.
  ///
  /// - Parameters:
  ///   - polygons: whether to keep polygons of `segmentation`.
  ///   - leavesOutFaulty: whether an annotation without a usable id, image_id, category_id or bbox is left out, and an area, a flag
  ///     or an outline that is none ignored (see ``faults``); else the file is refused.
  /// - Throws: where the file cannot be read or is not of this format, with the byte and the line.
  public init(path: String, polygons: Bool = false, leavesOutFaulty: Bool = false) throws(DataError) {
    self = try withJSONCursor(path) { json throws(DataError) in
      var reader = COCOAnnotationsReader(keepsPolygons: polygons, leavesOutFaulty: leavesOutFaulty)
      return try reader.read(&json)
    }
  }
}

private struct COCOAnnotationsReader {
  let keepsPolygons: Bool
  let leavesOutFaulty: Bool
  var file = COCOAnnotations()
  /// Texts that identify images, with stand-ins until all are known.
  var texts: [String: Int] = [:]
  var hasIntegerImageIDs = false

  init(keepsPolygons: Bool, leavesOutFaulty: Bool) {
    self.keepsPolygons = keepsPolygons
    self.leavesOutFaulty = leavesOutFaulty
  }

  mutating func read(_ json: inout JSONCursor) throws(DataError) -> COCOAnnotations {
    if json.peekValue() == UInt8(ascii: "[") {
      throw json.error(
        "holds a list, as files of detections do, not annotations", remedy: "give a file such as instances_val2017.json"
      )
    }
    var hasImages = false
    var hasCategories = false
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "images":
        hasImages = true
        file.images.removeAll()
        try json.beginArray()
        while try json.nextElement() { file.images.append(try image(&json)) }
      case "categories":
        hasCategories = true
        file.categories.removeAll()
        try json.beginArray()
        while try json.nextElement() { file.categories.append(try category(&json)) }
      case "annotations":
        file.annotations.removeAll()
        try json.beginArray()
        while try json.nextElement() {
          if let annotation = try annotation(&json) { file.annotations.append(annotation) }
        }
      default: try json.skipValue()
      }
    }
    guard hasImages, hasCategories else {
      throw json.error(
        "has no list \"\(hasImages ? "categories" : "images")\"",
        remedy: "give COCO annotations, a file such as instances_val2017.json")
    }
    try orderTextIDs(json)
    return file
  }

  private mutating func image(_ json: inout JSONCursor) throws(DataError) -> COCOImage {
    let start = json.position
    var id: Int?
    var image = COCOImage(id: 0)
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "id": id = try imageID(&json)
      case "file_name": image.fileName = try json.stringOrNull() ?? ""
      case "width": image.width = try side(&json, "width")
      case "height": image.height = try side(&json, "height")
      default: try json.skipValue()
      }
    }
    guard let id else { throw json.error("an image has no id", at: start) }
    image.id = id
    return image
  }

  private func side(_ json: inout JSONCursor, _ what: StaticString) throws(DataError) -> Int {
    if json.peekValue() == UInt8(ascii: "n") {
      try json.expect(word: "null")
      return 0
    }
    return try json.integer("the \(what)")
  }

  private func category(_ json: inout JSONCursor) throws(DataError) -> COCOCategory {
    let start = json.position
    var id: Int?
    var label: String?
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "id": id = try json.integer("the category's id")
      case "name": label = try json.stringOrNull()
      default: try json.skipValue()
      }
    }
    guard let id else { throw json.error("a category has no id", at: start) }
    return COCOCategory(id: id, name: label ?? "\(id)")
  }

  /// Reads an annotation; nil if it is left out.
  private mutating func annotation(_ json: inout JSONCursor) throws(DataError) -> COCOAnnotation? {
    let start = json.position
    var id: Int?
    var image: Int?
    var category: Int?
    var box: COCOBox?
    var area: Double?
    var isCrowd = false
    var isIgnored = false
    var polygons: [[SIMD2<Float>]] = []
    var hasFaultyOutline = false
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "id":
        id = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.integer("the annotation's id")
        }
      case "image_id": image = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try imageID(&json) }
      case "category_id":
        category = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.integer("category_id") }
      case "bbox": box = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.box() }
      case "area":
        area = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.doubleOrNull() } ?? nil
      case "iscrowd":
        isCrowd = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.flag() ?? false } ?? false
      case "ignore":
        isIgnored =
          try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.flag() ?? false } ?? false
      case "segmentation" where keepsPolygons:
        let found = try Self.sound(&json, leavesOutFaulty) { json throws(DataError) in try json.polygons() }
        polygons = found ?? []
        hasFaultyOutline = found == nil
      default: try json.skipValue()
      }
    }
    guard let id, let image, let category, let box else {
      let missing =
        id == nil ? "id" : image == nil ? "image_id" : category == nil ? "category_id" : "bbox"
      guard leavesOutFaulty else { throw json.error("an annotation has no \(missing)", at: start) }
      file.faults.append(COCOFault(id: id, reason: "have no \(missing), or one that is not made of numbers"))
      return nil
    }
    if hasFaultyOutline {
      file.faults.append(
        COCOFault(id: id, reason: "have a segmentation that is no list of [x, y, x, y, …]", leavesOut: false))
    }
    return COCOAnnotation(
      id: id, imageID: image, categoryID: category, box: box, area: area, isCrowd: isCrowd, isIgnored: isIgnored,
      polygons: polygons)
  }

  /// Reads a value; where it is of another kind, and faulty annotations are left out, skips it and returns nil.
  private static func sound<Value>(
    _ json: inout JSONCursor, _ leavesOutFaulty: Bool, _ read: (inout JSONCursor) throws(DataError) -> Value
  ) throws(DataError) -> Value? {
    guard leavesOutFaulty else { return try read(&json) }
    let before = json
    do throws(DataError) {
      return try read(&json)
    } catch {
      json = before
      try json.skipValue()
      return nil
    }
  }

  private mutating func imageID(_ json: inout JSONCursor) throws(DataError) -> Int {
    guard json.peekValue() == UInt8(ascii: "\"") else {
      let id = try json.integer("the image's id")
      hasIntegerImageIDs = true
      return id
    }
    let text = try json.string()
    if let known = texts[text] { return known }
    texts[text] = texts.count
    return texts.count - 1
  }

  /// Replaces the stand-ins of text ids by the texts' ranks, since the evaluation orders images by id.
  private mutating func orderTextIDs(_ json: JSONCursor) throws(DataError) {
    guard !texts.isEmpty else { return }
    guard !hasIntegerImageIDs else {
      throw json.error("identifies images both by integers and by text", remedy: "use one kind of id")
    }
    let sorted = texts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    var ranks = [Int](repeating: 0, count: sorted.count)
    for (rank, entry) in sorted.enumerated() {
      ranks[entry.value] = rank
      file.textIDs[entry.key] = rank
    }
    for index in file.images.indices { file.images[index].id = ranks[file.images[index].id] }
    for index in file.annotations.indices {
      file.annotations[index].imageID = ranks[file.annotations[index].imageID]
    }
  }
}

extension JSONCursor {
  /// Reads `[x, y, width, height]`.
  mutating func box() throws(DataError) -> COCOBox {
    skipSpace()
    let start = position
    var values = SIMD4<Double>.zero
    var count = 0
    try beginArray()
    while try nextElement() {
      guard count < 4 else { throw error("a bbox has more than four numbers", at: start) }
      if let number = try doubleInQuotes() { values[count] = number } else { values[count] = try double() }
      count += 1
    }
    guard count == 4 else {
      throw error("a bbox has \(count) of its four numbers [x, y, width, height]", at: start)
    }
    return COCOBox(x: values[0], y: values[1], width: values[2], height: values[3])
  }

  /// Reads a number that is written as text, as some exports do; nil for anything else.
  private mutating func doubleInQuotes() throws(DataError) -> Double? {
    guard peekValue() == UInt8(ascii: "\"") else { return nil }
    let start = position
    guard let number = Double(try string()) else { throw error("a bbox has a text that is no number", at: start) }
    return number
  }

  /// Reads a segmentation. Each polygon is `[x1, y1, x2, y2, …]`; a run-length mask gives none.
  mutating func polygons() throws(DataError) -> [[SIMD2<Float>]] {
    guard peekValue() == UInt8(ascii: "[") else {
      try skipValue()
      return []
    }
    var polygons: [[SIMD2<Float>]] = []
    try beginArray()
    while try nextElement() {
      let start = position
      var points: [SIMD2<Float>] = []
      try beginArray()
      while try nextElement() {
        let x = Float(try double())
        guard try nextElement() else { throw error("a polygon has an x without its y", at: start) }
        points.append(SIMD2(x, Float(try double())))
      }
      polygons.append(points)
    }
    return polygons
  }
}
