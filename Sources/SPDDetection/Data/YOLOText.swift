import SPDData
import SPDFormats

/// Writes labels and `data.yaml` in YOLO's format.
enum YOLOText {
  /// The rows of a label file. Numbers have as many digits as it takes to read the same float again.
  ///
  /// With `outlines`, if any object has one, all rows are outlines: readers that follow the reference treat a file with
  /// a row of more than eight columns so. Hence a box becomes its four corners, and a triangle repeats its last point.
  static func rows(_ objects: [LabelledObject], outlines: Bool) -> String {
    let asOutlines = outlines && objects.contains { !$0.polygon.isEmpty }
    var text = ""
    for object in objects {
      text += "\(object.classIndex)"
      if asOutlines {
        var points = object.polygon.isEmpty ? corners(object.box) : object.polygon
        while points.count < 4 { points.append(points[points.count - 1]) }
        for point in points {
          let inside = point.clamped(lowerBound: .zero, upperBound: .one)
          text += " \(inside.x) \(inside.y)"
        }
      } else {
        for value in [object.box.x, object.box.y, object.box.z, object.box.w] { text += " \(value)" }
      }
      text += "\n"
    }
    return text
  }

  private static func corners(_ box: SIMD4<Float>) -> [SIMD2<Float>] {
    let (x, y, width, height) = (box.x, box.y, box.z / 2, box.w / 2)
    return [(-1, -1), (1, -1), (1, 1), (-1, 1)].map { SIMD2(x + $0.0 * width, y + $0.1 * height) }
  }

  /// A `data.yaml` beside `images` and `labels`.
  static func dataYAML(classNames: [String], splits: [(DetectionData.Split, source: String)], note: String) -> String {
    var text = "# \(printable(note))\n"
    for (split, source) in splits { text += "\(split): \(quoted(source))\n" }
    text += "nc: \(classNames.count)\nnames:\n"
    for (index, name) in classNames.enumerated() { text += "  \(index): \(quoted(name))\n" }
    return text
  }

  /// A YAML scalar in double quotes.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _
      where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
