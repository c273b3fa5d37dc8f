import Foundation
import SPDFormats

/// The progress of a child, in a file that its parent can read even after a crash.
struct Progress {
  var runs = 0, refused = 0, read = 0, worstMicroseconds = 0

  static func load(_ path: String) -> Progress {
    var progress = Progress()
    let data = FileManager.default.contents(atPath: path) ?? Data()
    withUnsafeMutableBytes(of: &progress) { target in
      if data.count == target.count { data.copyBytes(to: target) }
    }
    return progress
  }
}

/// Feeds mutated inputs to one reader in a separate process with limited memory and time.
enum Child {
  /// Every reader's documented bound is well below this limit.
  private static let memoryLimit: UInt = 4 << 30
  /// Seconds per input; other processes may be running, too.
  private static let timeLimit = 10

  static func run(_ reader: Reader, seed: UInt64, seconds: Double, folder: String) throws {
    limitMemory()
    try reader.prepare(folder)
    let seeds = reader.seeds()
    guard !seeds.isEmpty else {
      throw FormatError(path: reader.name, problem: "there are no valid inputs to begin with")
    }
    let file = "\(folder)/\(reader.file)"
    let log = open("\(folder)/progress", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var progress = Progress()
    while clock.now < end {
      // The valid inputs come first: they must be accepted, or the mutations are meaningless.
      let isValid = progress.runs < seeds.count
      var random = Random(seed, UInt64(progress.runs), 1)
      let bytes = isValid ? seeds[progress.runs] : reader.finish(random.pick(seeds), seeds, &random)
      try write(bytes, to: file)
      progress.runs += 1
      save(progress, log)
      alarm(UInt32(timeLimit))
      let start = clock.now
      do {
        try reader.read(folder, file)
        progress.read += 1
      } catch {
        // An error must have a message.
        precondition(!"\(error)".isEmpty, "an error without a message")
        progress.refused += 1
      }
      let elapsed = clock.now - start
      alarm(0)
      let microseconds = Int(
        elapsed.components.seconds * 1_000_000 + elapsed.components.attoseconds / 1_000_000_000_000)
      progress.worstMicroseconds = max(progress.worstMicroseconds, microseconds)
    }
    save(progress, log)
  }

  private static func save(_ progress: Progress, _ log: Int32) {
    withUnsafeBytes(of: progress) { _ = pwrite(log, $0.baseAddress!, $0.count, 0) }
  }

  /// Writes an input, neither atomically nor by truncating first, which makes ext4 flush the old file: with thousands
  /// of files a second this would wait for the disk.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    guard file >= 0, ftruncate(file, off_t(bytes.count)) == 0,
      bytes.withUnsafeBytes({ Foundation.write(file, $0.baseAddress, $0.count) }) == bytes.count
    else {
      throw FormatError(path: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
    }
    close(file)
  }

  static func limitMemory() {
    var limit = rlimit(rlim_cur: rlim_t(memoryLimit), rlim_max: rlim_t(memoryLimit))
    #if canImport(Glibc)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      setrlimit(RLIMIT_AS, &limit)
    #endif
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Glibc)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
      setrlimit(RLIMIT_CORE, &none)
    #endif
  }
}
