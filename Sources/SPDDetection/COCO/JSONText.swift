import SPDFormats

/// Builds a JSON text as bytes.
struct JSONText {
  var bytes: [UInt8] = []

  mutating func append(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(_ value: Int) { bytes += String(value).utf8 }

  /// Appends a number in its shortest exact notation. JSON has no notation for NaN and infinity; Python's is used.
  mutating func append(_ value: Double) {
    if value.isFinite {
      if let integer = Int(exactly: value), !(value == 0 && value.sign == .minus) {
        append(integer)
      } else {
        bytes += value.description.utf8
      }
    } else {
      append(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }
  }

  mutating func append(quoted text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        append("\\u00")
        bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func append(_ box: COCOBox) {
    append("[")
    append(box.x)
    append(",")
    append(box.y)
    append(",")
    append(box.width)
    append(",")
    append(box.height)
    append("]")
  }
}

extension FileSink {
  /// Writes the text and empties it.
  func write(_ text: inout JSONText) throws {
    try write(text.bytes)
    text.bytes.removeAll(keepingCapacity: true)
  }
}

/// The nearest multiple of `1 / scale`, such as 1000 for three decimals; halves go to even.
func rounded(_ value: Double, scale: Double) -> Double {
  let scaled = (value * scale).rounded(.toNearestOrEven)
  return scaled.isFinite ? scaled / scale : value
}
