#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Lossless conversion of file names to and from strings.
///
/// A name is a byte string and not always UTF-8. In a `String`, a byte that is not part of valid UTF-8 is represented
/// by one private-use character, U+10FE80 to U+10FEFF, as Python's `surrogateescape` represents it by a lone surrogate.
/// A name that really contains such a character has each of its bytes escaped, so that names and strings correspond one
/// to one. Every function of this project that takes a path converts it back.
public enum FileName {
  private static let escapeBase: UInt32 = 0x10FE00
  private static let escapes: ClosedRange<UInt32> = 0x10FE80...0x10FEFF

  /// The string that represents a name.
  public static func string(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !mayHaveEscapes(text) { return text }
    let bytes = Array(bytes)
    var text = ""
    var index = 0
    while index < bytes.count {
      let length = sequenceLength(bytes[index])
      if length > 0, index + length <= bytes.count,
        let scalar = String(validating: bytes[index..<index + length], as: UTF8.self)?.unicodeScalars.first,
        !escapes.contains(scalar.value)
      {
        text.unicodeScalars.append(scalar)
        index += length
      } else {
        text.unicodeScalars.append(Unicode.Scalar(escapeBase + UInt32(bytes[index]))!)
        index += 1
      }
    }
    return text
  }

  /// The name that a string represents.
  public static func bytes(_ text: String) -> [UInt8] {
    guard mayHaveEscapes(text) else { return Array(text.utf8) }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if let byte = byte(of: scalar) { bytes.append(byte) } else { bytes += Array(UTF8.encode(scalar)!) }
    }
    return bytes
  }

  /// Calls `body` with the path as it is spelled on the disk.
  public static func withPath<Result>(
    _ path: String, _ body: (UnsafePointer<CChar>) throws -> Result
  ) rethrows -> Result {
    guard mayHaveEscapes(path) else { return try path.withCString(body) }
    return try (bytes(path) + [0]).withUnsafeBytes { try body($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
  }

  /// The program's arguments without its name. `CommandLine.arguments` would replace bytes that are not UTF-8.
  public static var arguments: [String] {
    (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
      CommandLine.unsafeArgv[index].map { string(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }

  /// The byte that a character represents.
  static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    escapes.contains(scalar.value) ? UInt8(scalar.value - escapeBase) : nil
  }

  /// All escapes begin with these bytes.
  private static func mayHaveEscapes(_ text: String) -> Bool {
    var previous: UInt8 = 0
    for byte in text.utf8 {
      if previous == 0xF4, byte == 0x8F { return true }
      previous = byte
    }
    return false
  }

  /// The length of the UTF-8 sequence that starts with a byte; 0 if none does.
  private static func sequenceLength(_ lead: UInt8) -> Int {
    switch lead {
    case 0..<0x80: 1
    case 0xC2..<0xE0: 2
    case 0xE0..<0xF0: 3
    case 0xF0..<0xF5: 4
    default: 0
    }
  }
}
