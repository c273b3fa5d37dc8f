/// The validated JSON header of a safetensors file.
struct SafetensorsHeader {
  /// The entries in header order.
  private(set) var entries: [SafetensorsEntry] = []
  private(set) var metadata: [String: String] = [:]

  static let maximumSize = 100_000_000
  static let metadataKey = "__metadata__"

  init(_ bytes: ArraySlice<UInt8>, path: String) throws {
    guard bytes.first == UInt8(ascii: "{") else {
      throw FormatError(path: path, problem: "the safetensors header does not start with \"{\"", location: "byte 8")
    }
    var reader = JSONReader(bytes, path: path, region: "the safetensors header")
    guard case .object(let members) = try reader.document() else { preconditionFailure("the text starts with {") }
    for (name, value) in members {
      func failure(_ problem: String, remedy: String? = nil) -> FormatError {
        FormatError(path: path, problem: problem, location: "tensor \(quoted(name))", remedy: remedy)
      }
      guard case .object(let fields) = value else { throw failure("its entry in the header is not an object") }
      if name == Self.metadataKey {
        for (key, value) in fields {
          guard case .string(let text) = value else {
            throw FormatError(path: path, problem: "the metadata \(quoted(key)) is not a string")
          }
          metadata[key] = text
        }
      } else {
        entries.append(try Self.entry(name, fields, failure))
      }
    }
  }

  private static func entry(
    _ name: String, _ fields: [(name: String, value: JSONValue)], _ failure: (String, String?) -> FormatError
  ) throws -> SafetensorsEntry {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    for (field, value) in fields {
      switch (field, value) {
      case ("dtype", .string(let text)):
        type = elementType(text)
        if type == nil {
          throw failure(
            "element type \(quoted(text)) is not read",
            "Save the tensor as F32; F64, F32, F16, BF16, I8…I64, U8…U64 and BOOL are read")
        }
      case ("shape", .array(let values)): shape = sizes(values)
      case ("data_offsets", .array(let values)): offsets = sizes(values)
      default: break
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, shape.count <= StridedLayout.maximumRank else {
      throw failure("its entry lacks a valid dtype, shape or data_offsets", nil)
    }
    guard offsets[0] <= offsets[1] else { throw failure("its data_offsets are in the wrong order", nil) }
    let (size, overflow) = (HostTensor.elementCount(of: shape) ?? -1).multipliedReportingOverflow(by: type.size)
    guard size >= 0, !overflow else { throw failure("its shape has more elements than a file can hold", nil) }
    guard size == offsets[1] - offsets[0] else {
      throw failure(
        "shape \(describe(shape: shape)) of \(type.label) needs \(size) bytes; data_offsets give \(offsets[1] - offsets[0])",
        nil)
    }
    return SafetensorsEntry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// The members of an array if all are non-negative integers.
  private static func sizes(_ values: [JSONValue]) -> [Int]? {
    let sizes = values.compactMap { if case .integer(let value) = $0, value >= 0 { value } else { nil } }
    return sizes.count == values.count ? sizes : nil
  }

  private static func elementType(_ name: String) -> ElementType? {
    switch name {
    case "F64": .float64
    case "F32": .float32
    case "F16": .float16
    case "BF16": .bfloat16
    case "I64": .int64
    case "I32": .int32
    case "I16": .int16
    case "I8": .int8
    case "U64": .uint64
    case "U32": .uint32
    case "U16": .uint16
    case "U8": .uint8
    case "BOOL": .bool
    default: nil
    }
  }

  /// Checks that the tensors cover the data from first to last byte without overlap.
  func checkCoverage(of size: Int, path: String) throws {
    var end = 0
    let inOrder = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    for entry in inOrder {
      func failure(_ problem: String) -> FormatError {
        FormatError(
          path: path, problem: problem, location: "tensor \(quoted(entry.name))", remedy: "Save the file again")
      }
      if entry.range.lowerBound < end { throw failure("its bytes overlap those of another tensor") }
      if entry.range.lowerBound > end {
        throw failure("\(entry.range.lowerBound - end) bytes before it belong to no tensor")
      }
      end = entry.range.upperBound
    }
    guard end <= size else {
      throw FormatError(
        path: path, problem: "ends early: the tensors need \(end) bytes after the header, \(size) are there",
        remedy: "Copy the file again")
    }
    guard end == size else {
      throw FormatError(
        path: path, problem: "has \(size - end) bytes after the last tensor", remedy: "Save the file again")
    }
  }
}
