/// A JSON value: what a safetensors header needs is kept, the rest only recognised.
enum JSONValue {
  case string(String)
  case integer(Int)
  case array([JSONValue])
  /// Members in text order; names are unique.
  case object([(name: String, value: JSONValue)])
  /// A fraction, a number too large for `Int`, true, false or null.
  case other
}

/// Reads one JSON value from untrusted bytes: nesting is limited, strings must be valid UTF-8, and a name that occurs
/// twice in an object is an error.
struct JSONReader {
  private var reader: ByteReader
  private static let maximumDepth = 16
  private static let maximumArray = 4096

  init(_ bytes: ArraySlice<UInt8>, path: String, region: String) {
    reader = ByteReader(bytes, path: path, region: region)
  }

  /// Reads the value; only white space may follow it.
  mutating func document() throws -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard reader.remaining == 0 else { throw reader.error("there is text after the JSON value") }
    return value
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth < Self.maximumDepth else { throw reader.error("the JSON text is nested too deeply") }
    skipSpace()
    switch reader.peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true")
    case UInt8(ascii: "f"): return try word("false")
    case UInt8(ascii: "n"): return try word("null")
    case nil: throw reader.error("the JSON text ends early")
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    reader.advance()
    var members: [(name: String, value: JSONValue)] = []
    // Compared by bytes: whether two spellings of a text are the same name is for the caller to decide.
    var names: Set<[UInt8]> = []
    if accept("}") { return .object(members) }
    repeat {
      skipSpace()
      let start = reader.offset
      let name = try string()
      guard names.insert(Array(name.utf8)).inserted else {
        throw reader.error("the name \(quoted(name)) occurs twice", at: start)
      }
      try expect(":")
      members.append((name, try value(depth: depth + 1)))
    } while accept(",")
    try expect("}")
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    reader.advance()
    var values: [JSONValue] = []
    if accept("]") { return .array(values) }
    repeat {
      guard values.count < Self.maximumArray else { throw reader.error("a JSON array is too long") }
      values.append(try value(depth: depth + 1))
    } while accept(",")
    try expect("]")
    return .array(values)
  }

  private mutating func word(_ word: String) throws -> JSONValue {
    for byte in word.utf8 {
      guard reader.peek == byte else { throw reader.error("is not JSON") }
      reader.advance()
    }
    return .other
  }

  private mutating func number() throws -> JSONValue {
    let start = reader.offset
    var text: [UInt8] = []
    while let byte = reader.peek, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte), text.count < 400 {
      text.append(byte)
      reader.advance()
    }
    let number = String(decoding: text, as: UTF8.self)
    let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
    let hasLeadingZero =
      digits.first == 0x30 && digits.count > 1 && (0x30...0x39).contains(digits[digits.startIndex + 1])
    guard let first = digits.first, (0x30...0x39).contains(first), !hasLeadingZero, Double(number) != nil else {
      throw reader.error("is not JSON", at: start)
    }
    return Int(number).map { .integer($0) } ?? .other
  }

  private mutating func string() throws -> String {
    let start = reader.offset
    guard accept("\"") else { throw reader.error("a JSON string is missing") }
    var text: [UInt8] = []
    while true {
      guard let byte = reader.peek else { throw reader.error("a JSON string has no end", at: start) }
      reader.advance()
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw reader.error("a JSON string is not valid UTF-8", at: start)
        }
        return string
      case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
      case 0..<0x20: throw reader.error("a JSON string holds a control character")
      default: text.append(byte)
      }
    }
  }

  private mutating func escape() throws -> Unicode.Scalar {
    let kind = reader.peek
    reader.advance()
    switch kind {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw reader.error("a JSON string holds an unknown escape")
    }
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A character beyond 16 bits is written as two escapes, a high and a low surrogate.
    guard unit < 0xdc00, accept("\\", afterSpace: false), accept("u", afterSpace: false) else {
      throw reader.error("a JSON string holds half a surrogate pair")
    }
    let low = try hexUnit()
    guard (0xdc00..<0xe000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
    else { throw reader.error("a JSON string holds half a surrogate pair") }
    return scalar
  }

  private mutating func hexUnit() throws -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = reader.peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw reader.error("a JSON string holds a broken \\u escape")
      }
      unit = unit << 4 | UInt32(digit)
      reader.advance()
    }
    return unit
  }

  private mutating func skipSpace() {
    while let byte = reader.peek, byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d { reader.advance() }
  }

  private mutating func accept(_ character: Character, afterSpace: Bool = true) -> Bool {
    if afterSpace { skipSpace() }
    guard let byte = reader.peek, byte == character.asciiValue else { return false }
    reader.advance()
    return true
  }

  private mutating func expect(_ character: Character) throws {
    guard accept(character) else { throw reader.error("is not JSON: \"\(character)\" is missing") }
  }
}
