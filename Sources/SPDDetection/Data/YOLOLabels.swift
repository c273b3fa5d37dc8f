import SPDFormats

/// The objects in a YOLO label file.
///
/// A line is `class cx cy w h`, or `class x1 y1 x2 y2 x3 y3 …` for an outline, whose box is the extent of its points.
/// Coordinates are fractions of the image's sides. Each line is read by its own number of columns.
struct YOLOLabels: Equatable {
  var objects: [LabelledObject] = []
  /// Number of rows that repeat an earlier one; they are left out.
  var duplicates = 0
  /// Line of the first such row.
  var duplicateLine = 0

  /// Why a file cannot be used, with its line.
  struct Fault: Error, Equatable {
    let line: Int
    let reason: String
  }

  /// Parses a file.
  ///
  /// - Parameter classCount: classes are 0..<classCount.
  /// - Throws: the first line that is not a label. A file with such a line says nothing reliable about its image.
  init(_ bytes: [UInt8], classCount: Int) throws(Fault) {
    var failure: Fault?
    bytes.withUnsafeBufferPointer { buffer in
      do throws(Fault) {
        try parse(buffer, classCount)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ classCount: Int) throws(Fault) {
    var seen = Set<Row>()
    var columns: [Double] = []
    var line = 0
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < bytes.count {
      line += 1
      var end = start
      while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
      try Self.split(bytes[start..<end], into: &columns, line)
      // A carriage return and a line feed end one line.
      start = end + (end + 1 < bytes.count && bytes[end] == 0x0D && bytes[end + 1] == 0x0A ? 2 : 1)
      if columns.isEmpty { continue }
      let object = try Self.object(columns, classCount, line)
      if seen.insert(Row(object)).inserted {
        objects.append(object)
      } else {
        if duplicates == 0 { duplicateLine = line }
        duplicates += 1
      }
    }
  }

  /// What makes two rows equal.
  private struct Row: Hashable {
    let classIndex: Int
    let box: SIMD4<Float>
    let polygon: [SIMD2<Float>]

    init(_ object: LabelledObject) { (classIndex, box, polygon) = (object.classIndex, object.box, object.polygon) }
  }

  private static func split(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, into columns: inout [Double], _ number: Int
  ) throws(Fault) {
    columns.removeAll(keepingCapacity: true)
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0B || byte == 0x0C }
    var start = line.startIndex
    while start < line.endIndex {
      if isBlank(line[start]) {
        start += 1
        continue
      }
      var end = start
      while end < line.endIndex, !isBlank(line[end]) { end += 1 }
      guard let value = NumberParser.double(line[start..<end]) else {
        let text = String(decoding: line[start..<min(end, start + 24)], as: UTF8.self)
        throw Fault(line: number, reason: "`\(printable(text))` is not a number")
      }
      columns.append(value)
      start = end
    }
  }

  private static func object(_ columns: [Double], _ classCount: Int, _ line: Int) throws(Fault) -> LabelledObject {
    func refuse(_ reason: String) -> Fault { Fault(line: line, reason: reason) }
    let count = columns.count
    guard count == 5 || count >= 7 && count % 2 == 1 else {
      throw refuse(
        "has \(count) columns, not 5 (class cx cy w h) or an odd number from 7 (class and points)"
          + (count == 6 ? "; is the last one a confidence?" : ""))
    }
    guard columns.allSatisfy(\.isFinite) else { throw refuse("a number is not finite") }
    let label = columns[0]
    guard label >= 0, label < 1e9, label == label.rounded() else {
      throw refuse("the class \(shortened(label)) is not a whole number from 0")
    }
    guard Int(label) < classCount else {
      throw refuse("the class \(Int(label)) is not below \(classCount), the number of classes")
    }
    let polygon =
      count == 5 ? [] : stride(from: 1, to: count, by: 2).map { SIMD2(Float(columns[$0]), Float(columns[$0 + 1])) }
    let box =
      count == 5
      ? SIMD4(Float(columns[1]), Float(columns[2]), Float(columns[3]), Float(columns[4])) : Outline.box(polygon)
    // The check is of the box, also for outlines, whose points may lie slightly outside.
    for (name, value) in zip(["cx", "cy", "w", "h"], [box.x, box.y, box.z, box.w]) where !(value >= 0 && value <= 1) {
      throw refuse(
        "\(name) is \(shortened(Double(value))), not a fraction of the image from 0 to 1"
          + (value > 1 ? "; is it in pixels?" : ""))
    }
    return LabelledObject(classIndex: Int(label), box: box, polygon: polygon)
  }
}

/// A number for messages.
func shortened(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(Float(value))"
}
