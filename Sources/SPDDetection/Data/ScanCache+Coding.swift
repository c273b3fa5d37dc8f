/// Encodes the entries of a ``ScanCache``.
struct CacheWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }

  private mutating func write(_ text: String) {
    write(UInt32(clamping: text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func write(_ stamp: FileStamp) {
    write(stamp.size)
    write(stamp.modified)
  }

  mutating func write(_ path: String, _ entry: ScanEntry, base: String) {
    let prefix = base.isEmpty || base == "/" ? base : base + "/"
    let isInside = path.utf8.starts(with: prefix.utf8)
    write(UInt8(isInside ? 1 : 0))
    write(isInside ? String(path.unicodeScalars.dropFirst(prefix.unicodeScalars.count)) : path)
    write(entry.image)
    write(entry.labels)
    write(UInt32(clamping: entry.width))
    write(UInt32(clamping: entry.height))
    write(UInt32(clamping: entry.objects.count))
    for object in entry.objects {
      write(UInt32(clamping: object.classIndex))
      withUnsafeBytes(of: object.box) { bytes.append(contentsOf: $0) }
      write(UInt32(clamping: object.polygon.count))
      object.polygon.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    write(UInt32(clamping: entry.issues.count))
    for issue in entry.issues {
      write(UInt8(issue.path == path ? 0 : 1))
      write(UInt32(clamping: issue.line ?? 0))
      write(UInt8(issue.leavesOut ? 1 : 0))
      write(issue.reason)
    }
  }
}

/// Decodes the entries of a ``ScanCache``. Nothing is allocated that the remaining bytes cannot fill.
struct CacheReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  /// Bytes of an entry with an empty path and without objects and issues.
  static let minimumEntry = 53
  private static let minimumObject = 24
  private static let minimumIssue = 10

  mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Value? {
    guard bytes.count - offset >= MemoryLayout<Value>.size else { return nil }
    defer { offset += MemoryLayout<Value>.size }
    return bytes.loadUnaligned(fromByteOffset: offset, as: type)
  }

  /// Reads a number of items that occupy at least `size` bytes each.
  private mutating func count(ofSize size: Int) -> Int? {
    guard let count = read(UInt32.self), Int(count) <= (bytes.count - offset) / size else { return nil }
    return Int(count)
  }

  private mutating func text() -> String? {
    guard let count = count(ofSize: 1) else { return nil }
    defer { offset += count }
    return String(validating: bytes[offset..<offset + count], as: UTF8.self)
  }

  private mutating func stamp() -> FileStamp? {
    guard let size = read(Int64.self), let modified = read(Int64.self) else { return nil }
    return FileStamp(size: size, modified: modified)
  }

  private mutating func object(classCount: Int) -> LabelledObject? {
    guard let label = read(UInt32.self), label < classCount, bytes.count - offset >= 16 else { return nil }
    let box = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<Float>.self)
    offset += 16
    guard let points = count(ofSize: 8) else { return nil }
    let polygon = [SIMD2<Float>](unsafeUninitializedCapacity: points) { buffer, filled in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + points * 8]))
      filled = points
    }
    offset += points * 8
    return LabelledObject(classIndex: Int(label), box: box, polygon: polygon)
  }

  private mutating func issue(of path: String) -> ScanIssue? {
    guard let isOfLabels = read(UInt8.self), let line = read(UInt32.self), let leavesOut = read(UInt8.self),
      let reason = text()
    else { return nil }
    return ScanIssue(
      path: isOfLabels == 1 ? Paths.labels(of: path) : path, line: line == 0 ? nil : Int(line), reason: reason,
      leavesOut: leavesOut == 1)
  }

  mutating func entry(base: String, classCount: Int) -> (path: String, ScanEntry)? {
    guard let isInside = read(UInt8.self), let written = text(), let image = stamp(), let labels = stamp(),
      let width = read(UInt32.self),
      let height = read(UInt32.self), let objectCount = count(ofSize: Self.minimumObject)
    else { return nil }
    let path = isInside == 1 ? Paths.joined(base, written) : written
    var objects: [LabelledObject] = []
    objects.reserveCapacity(objectCount)
    for _ in 0..<objectCount {
      guard let object = object(classCount: classCount) else { return nil }
      objects.append(object)
    }
    guard let issueCount = count(ofSize: Self.minimumIssue) else { return nil }
    var issues: [ScanIssue] = []
    for _ in 0..<issueCount {
      guard let issue = issue(of: path) else { return nil }
      issues.append(issue)
    }
    let entry = ScanEntry(
      image: image, labels: labels, width: Int(width), height: Int(height), objects: objects, issues: issues)
    // What a scan leaves usable has a size.
    guard entry.isCorrupt || width > 0 && height > 0 else { return nil }
    return (path, entry)
  }
}
