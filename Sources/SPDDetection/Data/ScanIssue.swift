import SPDData
import SPDFormats

/// What is wrong with a file of a data set.
public struct ScanIssue: Sendable, Equatable, Codable, CustomStringConvertible {
  /// The image or label file.
  public let path: String
  /// The line in a label file, counted from 1.
  public let line: Int?
  /// What is wrong.
  public let reason: String
  /// True where the image is left out; false where it is used without what is wrong.
  public let leavesOut: Bool

  enum CodingKeys: String, CodingKey {
    case path, line, reason
    case leavesOut = "leaves_out"
  }

  public init(path: String, line: Int? = nil, reason: String, leavesOut: Bool) {
    self.path = path
    self.line = line
    self.reason = reason
    self.leavesOut = leavesOut
  }

  public var description: String { printable("\(path)\(line.map { ":\($0)" } ?? ""): \(reason)") }
}

/// What a scan found. Every image counts once: `labelled + missing + empty + corrupt` is the number of images.
public struct ScanReport: Sendable, Equatable {
  /// Images with objects.
  public var labelled = 0
  /// Images without a label file, which are background.
  public var missing = 0
  /// Images whose label file has no rows, which are background, too.
  public var empty = 0
  /// Images that are left out because they or their labels cannot be used.
  public var corrupt = 0
  /// Each bad file once, in the order of the images.
  public var issues: [ScanIssue] = []
  /// Sentences about the data set as a whole, safe to print.
  public var notes: [String] = []
  /// Number of images that were read; the others were in the cache.
  public var read = 0

  public init() {}

  /// Number of images, including those left out.
  public var count: Int { labelled + missing + empty + corrupt }

  /// Refuses a data set of which images are left out.
  func requireSound() throws(DataError) {
    let errors = issues.filter(\.leavesOut)
    guard let first = errors.first else { return }
    throw DataError(
      path: first.line.map { "\(first.path):\($0)" } ?? first.path,
      what: first.reason + (errors.count > 1 ? "; \(errors.count) files are wrong" : ""),
      remedy: "correct them, or leave such images out by scanning without strict")
  }
}
