/// A pickled dict of plain values, as in CIFAR's Python version: lists of integers, lists of texts, arrays of bytes.
/// Nothing in the file is executed.
///
/// Files of Python 2 (protocol 2, where text and bytes are one type) and of Python 3 (protocols 2 to 5) are
/// supported.
public struct PickledTable {
  /// The file's path, for messages.
  public let path: String
  /// The keys in file order.
  public let keys: [String]
  /// Size of the file in bytes.
  private let size: Int
  private let heap: PickleHeap
  private let values: [String: PickleValue]

  /// - Throws: `FormatError` where the file cannot be opened, is not a pickle, is damaged, would have to be executed,
  ///   or contains anything but a dict.
  public init(contentsOf path: String) throws {
    try self.init(readWholeFile(path), path: path)
  }

  /// Parses a pickle in memory; `path` is for messages.
  init(_ bytes: [UInt8], path: String) throws {
    var machine = PickleMachine(bytes[...], path: path, region: "the pickle")
    let root = try machine.run()
    guard let dictionary = machine.heap.dictionary(root) else {
      throw FormatError(path: path, problem: "the pickle holds no dict")
    }
    self.path = path
    size = bytes.count
    heap = machine.heap
    var keys: [String] = []
    var values: [String: PickleValue] = [:]
    for (key, value) in zip(dictionary.keys, dictionary.values) {
      // Keys that Python 3 loaded with encoding="bytes" and saved again are bytes. No key that callers ask for is
      // long.
      guard let count = machine.heap.byteCount(key), count <= PickleMachine.longestName,
        let bytes = PickleHeap.bytes(key)
      else { continue }
      let name = String(decoding: bytes, as: UTF8.self)
      if values.updateValue(value, forKey: name) == nil { keys.append(name) }
    }
    self.keys = keys
    self.values = values
  }

  /// The list of integers under a key.
  public func integers(_ key: String) throws -> [Int] {
    try list(key, of: "integers") { if case .int(let number) = $0 { number } else { nil } }
  }

  /// The list of texts under a key. Bytes that are not UTF-8 are replaced.
  public func texts(_ key: String) throws -> [String] {
    try list(key, of: "texts of at most \(PickleMachine.longestName) bytes") { value in
      guard let count = heap.byteCount(value), count <= PickleMachine.longestName else { return nil }
      return PickleHeap.bytes(value).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The numpy array of unsigned bytes under a key: its shape, and its elements row-major.
  public func bytes(_ key: String) throws -> (shape: [Int], elements: ArraySlice<UInt8>) {
    let value = try value(key)
    guard let array = NumpyRecord(value, heap), array.type == .uint8 else {
      throw failure(key, "is no numpy array of uint8")
    }
    var limit = ExpansionLimit(fileSize: size)
    return (array.shape, try array.elements(named: key, path: path, limit: &limit))
  }

  private func list<Element>(
    _ key: String, of kind: String, _ element: (PickleValue) -> Element?
  ) throws -> [Element] {
    guard let values = heap.sequence(try value(key)) else { throw failure(key, "is no list of \(kind)") }
    let elements = values.compactMap(element)
    guard elements.count == values.count else { throw failure(key, "is no list of \(kind)") }
    return elements
  }

  private func value(_ key: String) throws -> PickleValue {
    if let value = values[key] { return value }
    let found = keys.prefix(12).map { quoted($0, limit: 40) }.joined(separator: ", ")
    throw FormatError(
      path: path, problem: "the dict has no entry \(quoted(key)), only \(found.isEmpty ? "none with a name" : found)")
  }

  private func failure(_ key: String, _ problem: String) -> FormatError {
    FormatError(path: path, problem: "the entry \(quoted(key)) of the dict \(problem)")
  }
}
