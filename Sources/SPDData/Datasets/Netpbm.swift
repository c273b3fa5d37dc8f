import SPDVision

/// Decodes a binary PPM (`P6`, colour) or PGM (`P5`, grey) of 8 or 16 bits; `path` is for messages.
///
/// Values are scaled so that the file's maximum becomes 255, rounded to nearest. Grey becomes R = G = B.
func decodeNetpbm(_ bytes: [UInt8], path: String) throws(DataError) -> Image {
  func damaged(_ what: String) -> DataError { DataError(path: path, what: what, remedy: "get an intact copy") }
  let kind = String(decoding: bytes.prefix(2), as: UTF8.self)
  guard kind == "P6" || kind == "P5" else {
    let isText = kind == "P2" || kind == "P3"
    throw DataError(
      path: path, what: isText ? "the image is a text PPM (\(kind))" : "the file is no PPM or PGM, although named so",
      remedy: "convert it to binary PPM, PNG or JPEG")
  }
  var header = NetpbmHeader(bytes: bytes)
  guard let width = header.number(), let height = header.number(), let maximum = header.number(),
    header.endsWithOneSpace()
  else { throw damaged("the header of the \(kind) image is damaged or cut off") }
  guard (1...65_535).contains(maximum) else { throw damaged("the image declares a maximum value of \(maximum)") }
  let channels = kind == "P6" ? 3 : 1
  let size = maximum > 255 ? 2 : 1
  guard (1...65_535).contains(width), (1...65_535).contains(height), width * height <= 178_956_970 else {
    throw damaged("the image declares \(width)×\(height) pixels")
  }
  let needed = width * height * channels * size
  guard bytes.count - header.position >= needed else {
    throw damaged(
      "the \(kind) image is cut off: \(needed) bytes of pixels wanted, \(bytes.count - header.position) there")
  }

  let start = header.position
  func value(_ index: Int) -> UInt8 {
    let at = start + index * size
    let raw = size == 2 ? Int(bytes[at]) << 8 | Int(bytes[at + 1]) : Int(bytes[at])
    return UInt8((min(raw, maximum) * 255 + maximum / 2) / maximum)
  }
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, filled in
    for index in 0..<width * height * 3 { target[index] = value(channels == 3 ? index : index / 3) }
    filled = width * height * 3
  }
  return Image(width: width, height: height, pixels: pixels)
}

/// Reads the numbers of a header, which are separated by white space and comments.
private struct NetpbmHeader {
  let bytes: [UInt8]
  var position = 2

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  mutating func number() -> Int? {
    while let byte = next {
      if byte == UInt8(ascii: "#") {
        while let inside = next, inside != 0x0a { position += 1 }
      } else if !Self.isSpace(byte) {
        break
      } else {
        position += 1
      }
    }
    var value: Int?
    while let byte = next, (0x30...0x39).contains(byte) {
      // The limit exceeds any supported size and prevents overflow.
      value = min((value ?? 0) * 10 + Int(byte - 0x30), 1_000_000_000)
      position += 1
    }
    return value
  }

  /// Whether exactly one byte of white space separates the header from the pixels.
  mutating func endsWithOneSpace() -> Bool {
    guard let byte = next, Self.isSpace(byte) else { return false }
    position += 1
    return true
  }
}
