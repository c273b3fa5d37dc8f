/// Reads the numbers of label files: a data set the size of COCO has forty million of them.
enum NumberParser {
  /// Parses a decimal number such as `0.513`, `-1e-3` or `nan`; nil for anything else.
  ///
  /// A mantissa below 2⁵³ divided by a power of ten up to 10²² is correctly rounded, since both are exact; all other
  /// numbers take the way of the standard library.
  static func double(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
    var mantissa: UInt64 = 0
    var digits = 0
    var fraction: Int?
    var index = bytes.startIndex
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative { index += 1 }
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte &- 0x30 < 10 {
        if digits == 18 { return slowly(bytes) }
        mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
        digits += 1
      } else if byte == UInt8(ascii: "."), fraction == nil {
        fraction = digits
      } else {
        return slowly(bytes)
      }
      index += 1
    }
    let places = digits - (fraction ?? digits)
    guard digits > 0 else { return nil }
    guard mantissa < 1 << 53 else { return slowly(bytes) }
    let value = Double(mantissa) / powers[places]
    return isNegative ? -value : value
  }

  private static let powers: [Double] = (0...22).map { (exponent: Int) in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  private static func slowly(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
    guard bytes.count <= 64 else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // Swift also reads hexadecimal numbers and "infinity"; label files have neither.
    let isPlain = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    return isPlain || ["nan", "inf", "+inf", "-inf"].contains(text.lowercased()) ? Double(text) : nil
  }
}
