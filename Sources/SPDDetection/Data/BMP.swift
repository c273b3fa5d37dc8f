internal import CTurboJPEG
import SPDData
import SPDFormats
import SPDVision

/// Maximum number of pixels that are read (half a gigabyte of RGB), as for JPEG and PNG.
private let pixelLimit = 178_956_970

/// Reads a BMP file with libjpeg-turbo, which supports 8-bit palettes, 24 and 32 bits, uncompressed.
func readBMP(_ path: String) throws(DataError) -> Image {
  let header = try ImageHeader(contentsOf: path)
  let (area, overflow) = header.width.multipliedReportingOverflow(by: header.height)
  guard !overflow, area <= pixelLimit else {
    throw DataError(
      path: path, what: "the image declares \(header.width)×\(header.height) pixels; at most \(pixelLimit) are read",
      remedy: "scale it down first")
  }
  var width: Int32 = 0
  var height: Int32 = 0
  var format = TJPF_RGB.rawValue
  let loaded = FileName.withPath(path) { tjLoadImage($0, &width, 1, &height, &format, 0) }
  guard let pixels = loaded, width > 0, height > 0 else {
    throw DataError(
      path: path, what: "the BMP cannot be read (\(tjGetErrorStr2(nil).map { String(cString: $0) } ?? "unknown error"))",
      remedy: "save it as a BMP of 24 bits, or as PNG")
  }
  defer { tjFree(pixels) }
  let count = Int(width) * Int(height) * 3
  return Image(
    width: Int(width), height: Int(height), pixels: Array(UnsafeBufferPointer(start: pixels, count: count)))
}

/// The sides that a BMP's header declares; a negative height means that the top row comes first.
func bmpSize(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
  func number(_ at: Int, _ size: Int) -> UInt32 {
    bytes[at..<at + size].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
  guard bytes.count >= 26 else { return nil }
  // The header of OS/2 has 12 bytes, all later ones have 40 or more.
  if number(14, 4) == 12 { return (Int(number(18, 2)), Int(number(20, 2))) }
  let height = Int(Int32(bitPattern: number(22, 4)))
  return (Int(Int32(bitPattern: number(18, 4))), abs(height))
}
