import Foundation
import SPDFormats

/// An array of unsigned bytes from an IDX file, the format of MNIST, possibly compressed with gzip.
///
/// The file holds two zero bytes, the element type, the number of dimensions, each dimension as a big-endian 32-bit
/// integer, and the elements, row-major.
struct IDXArray: Sendable {
  let path: String
  let dimensions: [Int]
  /// The elements start at `bytes[start]`.
  let bytes: [UInt8]
  let start: Int

  /// Reads a file.
  ///
  /// - Parameter rank: number of dimensions wanted: 1 for labels, 3 for images.
  /// - Throws: `DataError` where the file is no IDX file of unsigned bytes with these dimensions, is shorter or longer
  ///   than its header declares, or would not fit in half of the machine's memory.
  init(contentsOf path: String, rank: Int) throws(DataError) {
    let file = try readDataFile(path)
    self.path = path
    guard GzipReader.recognises(file) else {
      guard !hasExtension(path, ["gz"]) else {
        throw DataError(
          path: path, what: "is named .gz, but does not start as a gzip file", remedy: Self.remedy)
      }
      dimensions = try Self.dimensions(file, of: path, rank: rank)
      start = Self.headerSize(rank)
      let size = start + (try Self.elements(dimensions, of: path, atMost: nil))
      guard size == file.count else {
        throw DataError(
          path: path,
          what: "has \(file.count) bytes; its header declares \(Self.text(dimensions)) elements, thus \(size) bytes",
          remedy: Self.remedy)
      }
      bytes = file
      return
    }
    (dimensions, bytes) = try translatingErrors(path) {
      let gzip = try GzipReader(file, path: path)
      let dimensions = try Self.dimensions(try gzip.read(Self.headerSize(rank)), of: path, rank: rank)
      // The header may declare anything, so it is held against what the file can hold before memory is taken.
      let size = try Self.elements(dimensions, of: path, atMost: GzipReader.maximumExpansion(of: file.count))
      let bytes = try gzip.read(size)
      guard bytes.count == size else {
        throw DataError(
          path: path, what: "holds \(bytes.count) elements; its header declares \(Self.text(dimensions))",
          remedy: Self.remedy)
      }
      try gzip.requireEnd()
      return (dimensions, bytes)
    }
    start = 0
  }

  private static let remedy = "copy or download the file again"

  private static func headerSize(_ rank: Int) -> Int { 4 + 4 * rank }

  private static func text(_ dimensions: [Int]) -> String { dimensions.map(String.init).joined(separator: "×") }

  private static func dimensions(_ header: [UInt8], of path: String, rank: Int) throws(DataError) -> [Int] {
    guard header.count >= headerSize(rank) else {
      throw DataError(
        path: path, what: "ends in its header of \(headerSize(rank)) bytes, after \(header.count)", remedy: remedy)
    }
    guard header[0] == 0, header[1] == 0 else {
      let found = header[..<4].map { String(format: "%02x", $0) }.joined(separator: " ")
      throw DataError(
        path: path, what: "starts with \(found); an IDX file starts with 00 00", remedy: "check that it is an IDX file")
    }
    guard header[2] == 0x08 else {
      throw DataError(
        path: path, what: String(format: "has elements of type 0x%02x; only 0x08, unsigned bytes, is read", header[2]),
        remedy: "convert it to unsigned bytes")
    }
    guard header[3] == UInt8(rank) else {
      throw DataError(
        path: path, what: "has \(header[3]) dimensions; \(rank == 1 ? "labels have 1" : "images have \(rank)")",
        remedy: "check that images and labels are not interchanged")
    }
    return (0..<rank).map { axis in
      header[(4 + 4 * axis)..<(8 + 4 * axis)].reduce(0) { $0 << 8 | Int($1) }
    }
  }

  /// Number of elements, after checks against overflow, `limit` and half of the machine's memory.
  private static func elements(_ dimensions: [Int], of path: String, atMost limit: Int?) throws(DataError) -> Int {
    // Three dimensions of 32 bits need 96.
    let product = dimensions.reduce(1.0) { $0 * Double($1) }
    if let limit, product > Double(limit) {
      throw DataError(
        path: path, what: "declares \(text(dimensions)) elements, more than its compressed bytes can hold",
        remedy: remedy)
    }
    guard product <= Double(ProcessInfo.processInfo.physicalMemory / 2) else {
      throw DataError(
        path: path, what: "declares \(text(dimensions)) elements, more than half of this machine's memory",
        remedy: remedy)
    }
    // Beside a dimension of 0, the product of the others may be too large for an integer.
    return product == 0 ? 0 : dimensions.reduce(1, *)
  }
}
