import Foundation
import SPDFormats
import SPDVision

/// The detections of an image, or of a frame of a video, as printed and as encoded.
struct DetectAnswer: Encodable, Sendable {
  struct Object: Encodable, Sendable {
    var `class`: Int, name: String, score: Float, box: [Float]
  }
  var image: String
  /// Number of the video's frame, from 1; nil for images.
  var frame: Int?
  var detections: [Object]?
  /// Why the image has no result.
  var error: String?

  init(image: String, frame: Int? = nil, _ detections: [Detection], names: [String]) {
    self.image = image
    self.frame = frame
    self.detections = detections.map {
      Object(
        class: $0.classIndex, name: names[$0.classIndex], score: $0.score,
        box: [$0.box.x, $0.box.y, $0.box.z, $0.box.w])
    }
  }

  init(image: String, error: String) {
    self.image = image
    self.error = error
  }

  /// Prints the detections, one per line.
  func show() {
    let objects = detections ?? []
    Console.print("\(printable(image))\(frame.map { " frame \($0)" } ?? "")  \(objects.count) found")
    for object in objects {
      let box = object.box.map { String(format: "%.1f", $0) }.joined(separator: " ")
      Console.print(String(format: "  %@  %.3f  ", printable(object.name), object.score) + box)
    }
  }

  static let csvHeader = "image,frame,class,name,score,x1,y1,x2,y2\n"

  /// One line per detection (RFC 4180 with LF line ends).
  var csv: String {
    (detections ?? []).map { object in
      let numbers = ([object.score] + object.box).map { "\($0)" }
      let fields = [image, frame.map(String.init) ?? "", "\(object.class)", object.name] + numbers
      return fields.map(Self.quoted).joined(separator: ",") + "\n"
    }.joined()
  }

  private static func quoted(_ field: String) -> String {
    let isPlain = field.utf8.allSatisfy { !",\"\n\r".utf8.contains($0) }
    return isPlain ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}
