import Foundation
import SPDFormats
import SPDVision

/// The detections of an image, or of a frame of a video, as JSON, text and CSV.
public struct DetectorAnswer: Encodable, Sendable {
  public struct Object: Encodable, Sendable {
    public var `class`: Int, name: String, score: Float
    /// The corners x1, y1, x2, y2 in pixels of the image, not rounded.
    public var box: [Float]
  }

  /// The path; bytes that are not UTF-8 are escaped.
  public var image: String
  /// Number of the video's frame, from 1; nil for images.
  public var frame: Int?
  /// By descending score; nil without a result.
  public var detections: [Object]?
  /// Why the image has no result.
  public var error: String?

  /// - Parameter names: class names by class index.
  public init(image: String, frame: Int? = nil, _ detections: [Detection], names: [String]) {
    self.image = image
    self.frame = frame
    self.detections = detections.map {
      Object(
        class: $0.classIndex, name: names[$0.classIndex], score: $0.score,
        box: [$0.box.x, $0.box.y, $0.box.z, $0.box.w])
    }
  }

  public init(image: String, error: String) {
    self.image = image
    self.error = error
  }

  /// The image with its number of detections, and one line for each of these; safe to print.
  public var text: String {
    let objects = detections ?? []
    let head = "\(printable(image))\(frame.map { " frame \($0)" } ?? "")  \(objects.count) found"
    let lines = objects.map { object in
      let box = object.box.map { String(format: "%.1f", $0) }.joined(separator: " ")
      return String(format: "  %@  %.3f  ", printable(object.name), object.score) + box
    }
    return ([head] + lines).joined(separator: "\n")
  }

  /// The first line of a CSV file, with its line end.
  public static let csvHeader = "image,frame,class,name,score,x1,y1,x2,y2\n"

  /// One line per detection (RFC 4180 with LF line ends).
  public var csv: String {
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
