/// The header of a .npy file: element type, axis order and shape.
struct NPYHeader {
  var type: ElementType
  var bigEndian: Bool
  var fortranOrder: Bool
  var shape: [Int]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// numpy itself refuses headers above 10 000 bytes.
  private static let maximumLength = 1 << 16

  /// Reads the header; `reader` is then at the first element.
  init(_ reader: inout ByteReader) throws {
    guard try Array(reader.take(Self.magic.count, for: "magic")) == Self.magic else {
      throw reader.error("is not a .npy file", at: 0)
    }
    let version = try reader.integer(UInt8.self, for: "version")
    _ = try reader.integer(UInt8.self, for: "version")
    guard (1...3).contains(version) else {
      throw reader.error("has .npy version \(version); 1, 2 and 3 are read", at: 6)
    }
    let length =
      version == 1
      ? Int(try reader.integer(UInt16.self, for: "header length"))
      : Int(try reader.integer(UInt32.self, for: "header length"))
    guard length <= Self.maximumLength else {
      throw reader.error("has a .npy header of \(length) bytes; at most \(Self.maximumLength) are read", at: 8)
    }
    var fields = PythonLiteral(
      try reader.take(length, for: "the .npy header"), path: reader.path, region: reader.region)
    self = try fields.header()
  }

  init(shape: [Int]) {
    self.init(type: .float32, bigEndian: false, fortranOrder: false, shape: shape)
  }

  fileprivate init(type: ElementType, bigEndian: Bool, fortranOrder: Bool, shape: [Int]) {
    self.type = type
    self.bigEndian = bigEndian
    self.fortranOrder = fortranOrder
    self.shape = shape
  }

  /// Encodes the header, magic to newline, padded to a multiple of 64 bytes so that the elements are aligned.
  static func encoded(shape: [Int]) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    let isLong = text.utf8.count + 64 > Int(UInt16.max)
    let fixed = magic.count + 2 + (isLong ? 4 : 2)
    let padding = 63 - (fixed + text.utf8.count) % 64
    var bytes = LittleEndianBytes()
    bytes.append(magic + [isLong ? 2 : 1, 0])
    let length = text.utf8.count + padding + 1
    if isLong { bytes.append(UInt32(length)) } else { bytes.append(UInt16(length)) }
    bytes.append(Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0a])
    return bytes.bytes
  }

  /// Parses a numpy type string such as `<f4`; also tells whether it is big-endian.
  static func elementType(_ description: String) -> (ElementType, bigEndian: Bool)? {
    guard let order = description.first, "<>=|".contains(order) else { return nil }
    let type: ElementType
    switch description.dropFirst() {
    case "f8": type = .float64
    case "f4": type = .float32
    case "f2": type = .float16
    case "i8": type = .int64
    case "i4": type = .int32
    case "i2": type = .int16
    case "i1": type = .int8
    case "u8": type = .uint64
    case "u4": type = .uint32
    case "u2": type = .uint16
    case "u1": type = .uint8
    case "b1": type = .bool
    default: return nil
    }
    return (type, order == ">")
  }
}

/// A parser for the subset of Python literals in .npy headers: a dict of strings, True, False and tuples of integers.
private struct PythonLiteral {
  private var reader: ByteReader

  init(_ bytes: ArraySlice<UInt8>, path: String, region: String) {
    reader = ByteReader(bytes, path: path, region: "the .npy header in \(region)")
  }

  mutating func header() throws -> NPYHeader {
    var type: (ElementType, bigEndian: Bool)?
    var fortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try elementType()
      case "fortran_order" where fortranOrder == nil: fortranOrder = try boolean()
      case "shape" where shape == nil: shape = try tuple()
      default: throw reader.error("has the unexpected or repeated key \(quoted(key))")
      }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    guard let type, let fortranOrder, let shape else {
      throw reader.error("lacks one of the keys descr, fortran_order and shape")
    }
    skipSpace()
    guard reader.remaining == 0 else { throw reader.error("has text after its closing brace") }
    return NPYHeader(type: type.0, bigEndian: type.bigEndian, fortranOrder: fortranOrder, shape: shape)
  }

  private mutating func elementType() throws -> (ElementType, bigEndian: Bool) {
    let start = reader.offset
    skipSpace()
    guard reader.peek != UInt8(ascii: "[") else {
      throw reader.error("the array has records, not numbers", at: start, remedy: "Save its fields one by one")
    }
    let description = try string()
    if let type = NPYHeader.elementType(description) { return type }
    if description.hasSuffix("O") {
      throw reader.error(
        "the array holds pickled Python objects, which are not read", at: start, remedy: "Save an array of numbers")
    }
    throw reader.error(
      "element type \(quoted(description)) is not read", at: start,
      remedy: "Save the array as float32: f2, f4, f8, i1…i8, u1…u8 and b1 are read")
  }

  private mutating func skipSpace() {
    while let byte = reader.peek, byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d { reader.advance() }
  }

  private mutating func accept(_ character: Character) -> Bool {
    skipSpace()
    guard let byte = reader.peek, byte == character.asciiValue else { return false }
    reader.advance()
    return true
  }

  private mutating func expect(_ character: Character) throws {
    guard accept(character) else { throw reader.error("\"\(character)\" is missing") }
  }

  private mutating func string() throws -> String {
    skipSpace()
    guard let quote = reader.peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw reader.error("a string is missing")
    }
    reader.advance()
    var text: [UInt8] = []
    while let byte = reader.peek, byte != quote {
      text.append(byte)
      reader.advance()
    }
    guard reader.peek == quote else { throw reader.error("a string has no end") }
    reader.advance()
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func boolean() throws -> Bool {
    skipSpace()
    var word = ""
    while let byte = reader.peek, byte >= 0x41, word.count < 6 {
      word.unicodeScalars.append(Unicode.Scalar(byte))
      reader.advance()
    }
    switch word {
    case "True": return true
    case "False": return false
    default: throw reader.error("fortran_order is neither True nor False")
    }
  }

  private mutating func tuple() throws -> [Int] {
    try expect("(")
    var values: [Int] = []
    while !accept(")") {
      guard values.count < StridedLayout.maximumRank else {
        throw reader.error("the array has more than \(StridedLayout.maximumRank) axes")
      }
      values.append(try extent())
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return values
  }

  private mutating func extent() throws -> Int {
    skipSpace()
    var digits = ""
    while let byte = reader.peek, (0x30...0x39).contains(byte), digits.count < 20 {
      digits.unicodeScalars.append(Unicode.Scalar(byte))
      reader.advance()
    }
    guard let value = Int(digits) else { throw reader.error("an extent is not a whole number that a file can hold") }
    _ = accept("L")  // Python 2 wrote long integers so
    return value
  }
}
