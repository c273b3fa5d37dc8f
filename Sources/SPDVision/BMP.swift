/// The header of a BMP file: everything before the pixels.
///
/// No library at hand reads these files as data sets have them: that of libjpeg-turbo refuses rows from the top down.
package struct BMPHeader: Equatable {
  package let width, height: Int
  /// Whether the top row comes first; by default it is the last.
  let isTopDown: Bool
  let bitsPerPixel: Int
  /// Position of the first stored row, and bytes per row.
  let pixels, stride: Int
  /// Position of the palette and bytes per entry: blue, green, red.
  let palette, paletteEntry, paletteCount: Int
  /// Position of red, green and blue within a pixel of 24 or 32 bits.
  let channels: SIMD3<Int>

  /// - Parameter bytes: the first 66 bytes of the file or more.
  /// - Returns: nil for a damaged header, or one of a kind that is not supported: compressed, or with 16 bits.
  package init?(_ bytes: [UInt8]) {
    func number(_ at: Int, _ size: Int) -> Int {
      at + size > bytes.count ? 0 : bytes[at..<at + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    func signed(_ at: Int) -> Int { Int(Int32(truncatingIfNeeded: number(at, 4))) }
    guard bytes.count >= 26, bytes.starts(with: Array("BM".utf8)) else { return nil }
    let size = number(14, 4)
    let isOld = size == 12  // the header of OS/2
    guard isOld || size >= 40 && bytes.count >= 54 else { return nil }
    width = isOld ? number(18, 2) : signed(18)
    let rows = isOld ? number(20, 2) : signed(22)
    height = abs(rows)
    isTopDown = rows < 0
    bitsPerPixel = number(isOld ? 24 : 28, 2)
    guard width > 0, height > 0, width <= 1 << 24, height <= 1 << 24, [1, 4, 8, 24, 32].contains(bitsPerPixel) else {
      return nil
    }
    stride = (width * bitsPerPixel + 31) / 32 * 4
    pixels = number(10, 4)
    palette = 14 + size
    paletteEntry = isOld ? 3 : 4
    let declared = isOld ? 0 : number(46, 4)
    let most = bitsPerPixel <= 8 ? 1 << bitsPerPixel : 0
    paletteCount = declared == 0 ? most : min(declared, most)
    switch isOld ? 0 : number(30, 4) {
    case 0: channels = SIMD3(2, 1, 0)
    case 3 where bitsPerPixel == 32 && bytes.count >= 66:
      // Masks of whole bytes.
      let places = [54, 58, 62].map { [0xff: 0, 0xff00: 1, 0xff_0000: 2, 0xff00_0000: 3][number($0, 4)] }
      guard let red = places[0], let green = places[1], let blue = places[2] else { return nil }
      channels = SIMD3(red, green, blue)
    default: return nil
    }
  }
}

/// Decodes a BMP file of 1, 4 or 8 bits with a palette, or of 24 or 32 bits; not compressed. Alpha is dropped.
func decodeBMP(_ bytes: [UInt8], path: String, pixelLimit: Int) throws(ImageError) -> Image {
  func refuse(_ what: String, _ remedy: String) -> ImageError { ImageError(path: path, what: what, remedy: remedy) }
  guard let header = BMPHeader(bytes) else {
    throw refuse("the BMP is damaged, or of a kind that is not read", "save it as a BMP of 24 bits, or as PNG")
  }
  let (width, height) = (header.width, header.height)
  try Image.checkSize(width: width, height: height, limit: pixelLimit, path: path)
  let paletteEnd = header.palette + header.paletteCount * header.paletteEntry
  guard header.pixels + header.stride * height <= bytes.count, paletteEnd <= bytes.count else {
    throw refuse("the BMP is cut off", "get an intact copy")
  }
  // Indices beyond the palette are black.
  var palette = [UInt8](repeating: 0, count: 256 * 3)
  for index in 0..<header.paletteCount {
    let entry = header.palette + index * header.paletteEntry
    for channel in 0..<3 { palette[index * 3 + channel] = bytes[entry + 2 - channel] }
  }
  var rgb = [UInt8](repeating: 0, count: width * height * 3)
  let bits = header.bitsPerPixel
  for y in 0..<height {
    let row = header.pixels + header.stride * (header.isTopDown ? y : height - 1 - y)
    for x in 0..<width {
      let to = (y * width + x) * 3
      if bits >= 24 {
        let from = row + x * bits / 8
        for channel in 0..<3 { rgb[to + channel] = bytes[from + header.channels[channel]] }
      } else {
        // Pixels are packed from the highest bits of a byte.
        let shift = 8 - bits - x * bits % 8
        let index = Int(bytes[row + x * bits / 8]) >> shift & ((1 << bits) - 1)
        for channel in 0..<3 { rgb[to + channel] = palette[index * 3 + channel] }
      }
    }
  }
  return Image(width: width, height: height, pixels: rgb)
}
