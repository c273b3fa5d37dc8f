import Dispatch
import Foundation
import SPDData
import SPDFormats

/// How a data set is opened.
public struct ScanOptions: Sendable {
  /// Refuse a data set with a wrong image or label file, instead of leaving such images out.
  public var isStrict = false
  /// Number of threads that read files.
  public var threads = 2
  /// Where caches go if the data set's own folder cannot be written; nil for nowhere.
  public var cacheFolder: String?
  /// Whether the headers of all images are read where annotations give their sizes, to find broken ones.
  public var readsAllHeaders = false
  /// Whether caches are read and written.
  public var usesCache = true
  /// Called with the number of images looked at and their total: from any thread, but never from two at once.
  public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?

  public init() {}
}

/// Looks at every image and its labels once: headers and text, no pixels.
struct DatasetScan {
  var paths: [String]
  var entries: [ScanEntry]
  var report: ScanReport

  /// - Parameter sources: folders of images and lists of them.
  init(_ sources: [String], root: String, classCount: Int, options: ScanOptions) throws(DataError) {
    let list = try ImageList(sources, root: root)
    paths = list.paths
    report = ScanReport()
    report.notes = list.notes

    let locations = ScanCache.locations(source: sources[0], cacheFolder: options.cacheFolder)
    let base = Paths.folder(of: sources[0])
    var cached: [String: ScanEntry] = [:]
    for location in options.usesCache ? locations : [] where cached.isEmpty {
      cached = ScanCache.load(location, base: base, classCount: classCount)
    }
    (entries, report.read) = try Self.entries(paths, cached, classCount, options)
    if options.usesCache, report.read > 0 || cached.count != paths.count { store(locations, base, classCount) }

    for entry in entries {
      report.issues += entry.issues
      if entry.isCorrupt {
        report.corrupt += 1
      } else if entry.labels == .absent {
        report.missing += 1
      } else if entry.objects.isEmpty {
        report.empty += 1
      } else {
        report.labelled += 1
      }
    }
    if options.isStrict { try report.requireSound() }
  }

  /// Writes the cache to the first place that takes it.
  private mutating func store(_ locations: [String], _ base: String, _ classCount: Int) {
    let bytes = ScanCache.encoded(paths, entries, base: base, classCount: classCount)
    var failure: (any Error)?
    for location in locations {
      do { return try writeAtomically(to: location) { try $0.write(bytes) } } catch { failure = failure ?? error }
    }
    if let failure { report.notes.append(printable("the scan is not cached: \(failure)")) }
  }

  /// Entries in the order of the paths: those of the cache whose files have not changed, and new ones.
  private static func entries(
    _ paths: [String], _ cached: [String: ScanEntry], _ classCount: Int, _ options: ScanOptions
  ) throws(DataError) -> ([ScanEntry], read: Int) {
    let shared = SharedScan(total: paths.count, progress: options.progress)
    var results = [ScanEntry?](repeating: nil, count: paths.count)
    results.withUnsafeMutableBufferPointer { buffer in
      // Every thread writes entries of its own.
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: max(options.threads, 1)) { _ in
        while let range = shared.next() {
          var read = 0
          for index in range {
            let path = paths[index]
            let labels = Paths.labels(of: path)
            let stamps = (image: FileStamp(of: path), labels: FileStamp(of: labels))
            if let known = cached[path], known.image == stamps.image, known.labels == stamps.labels {
              results[index] = known
              continue
            }
            do throws(DataError) {
              results[index] = try ScanEntry(image: path, labels: labels, stamps: stamps, classCount: classCount)
              read += 1
            } catch {
              shared.fail(error)
              return
            }
          }
          shared.finish(range, read: read)
        }
      }
    }
    if let failure = shared.failure { throw failure }
    return (results.map { $0! }, shared.read)
  }
}

/// What the threads of a scan share.
private final class SharedScan: @unchecked Sendable {
  private let lock = NSLock()
  private let total: Int
  private let progress: (@Sendable (Int, Int) -> Void)?
  private var claimed = 0
  private var done = 0
  private(set) var read = 0
  private(set) var failure: DataError?
  private static let chunk = 64

  init(total: Int, progress: (@Sendable (Int, Int) -> Void)?) {
    self.total = total
    self.progress = progress
  }

  /// The next images to look at; nil at the end, or where the machine failed.
  func next() -> Range<Int>? {
    lock.withLock {
      guard claimed < total, failure == nil else { return nil }
      let range = claimed..<min(claimed + Self.chunk, total)
      claimed = range.upperBound
      return range
    }
  }

  func finish(_ range: Range<Int>, read: Int) {
    lock.withLock {
      done += range.count
      self.read += read
      progress?(done, total)
    }
  }

  func fail(_ error: DataError) { lock.withLock { failure = failure ?? error } }
}
