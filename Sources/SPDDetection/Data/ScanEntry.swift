import Foundation
import SPDData
import SPDFormats
import SPDVision

/// Size and time of last change of a file: equal stamps mean equal content.
struct FileStamp: Equatable, Sendable {
  /// In bytes; -1 if there is no such file.
  var size: Int64 = -1
  /// Nanoseconds since 1970.
  var modified: Int64 = 0

  static let absent = FileStamp()

  init() {}

  init(size: Int64, modified: Int64) {
    self.size = size
    self.modified = modified
  }

  init(of path: String) {
    var status = stat()
    guard FileName.withPath(path, { stat($0, &status) }) == 0 else { return }
    size = Int64(status.st_size)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// What a scan knows about an image: enough for a data set, without its pixels.
struct ScanEntry: Equatable, Sendable {
  var image: FileStamp
  var labels: FileStamp
  /// Sides in pixels; 0 if the image cannot be used.
  var width = 0
  var height = 0
  var objects: [LabelledObject] = []
  var issues: [ScanIssue] = []

  /// Whether the image is left out.
  var isCorrupt: Bool { issues.contains(where: \.leavesOut) }

  /// Minimum side of an image in pixels.
  private static let minimumSide = 10
  /// Larger than any label file of use: a million objects.
  private static let labelLimit = 64 << 20

  /// Reads an image's header and its labels.
  ///
  /// - Throws: where the machine failed; wrong files are issues.
  init(image path: String, labels labelPath: String, stamps: (image: FileStamp, labels: FileStamp), classCount: Int)
    throws(DataError)
  {
    (image, labels) = stamps
    do throws(DataError) {
      let header = try ImageHeader(contentsOf: path)
      (width, height) = (header.width, header.height)
    } catch {
      if error.isOfTheMachine { throw error }
      leaveOut(path, "\(error.what); \(error.remedy)")
      return
    }
    guard min(width, height) >= Self.minimumSide else {
      leaveOut(path, "the image has \(width)×\(height) pixels; both sides must have \(Self.minimumSide) or more")
      return
    }
    guard labels != .absent else { return }
    let bytes: [UInt8]
    do throws(DataError) {
      bytes = try Paths.bytes(labelPath, limit: Self.labelLimit)
    } catch {
      if error.isOfTheMachine { throw error }
      leaveOut(labelPath, error.what)
      return
    }
    do throws(YOLOLabels.Fault) {
      let found = try YOLOLabels(bytes, classCount: classCount)
      objects = found.objects
      if found.duplicates > 0 {
        issues.append(
          ScanIssue(
            path: labelPath, line: found.duplicateLine,
            reason: "repeats an earlier row; \(found.duplicates) such rows are left out", leavesOut: false))
      }
    } catch {
      leaveOut(labelPath, error.reason, line: error.line)
    }
  }

  /// Makes an entry from its parts, as a cache holds them.
  init(image: FileStamp, labels: FileStamp, width: Int, height: Int, objects: [LabelledObject], issues: [ScanIssue]) {
    self.image = image
    self.labels = labels
    self.width = width
    self.height = height
    self.objects = objects
    self.issues = issues
  }

  private mutating func leaveOut(_ path: String, _ reason: String, line: Int? = nil) {
    issues = [ScanIssue(path: path, line: line, reason: reason, leavesOut: true)]
    objects = []
  }
}
