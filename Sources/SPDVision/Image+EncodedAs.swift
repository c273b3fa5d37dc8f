extension Image {
  /// Encodes the image as the file that ``write(to:)`` would write, so that threads can encode while another one writes.
  ///
  /// - Parameter path: its extension chooses the format: `.png`, `.jpg` or `.jpeg`.
  public func encoded(as path: String) throws(ImageError) -> [UInt8] {
    guard isValid else {
      throw ImageError(
        path: path, what: "a \(width)×\(height) image cannot have \(pixels.count) bytes of RGB",
        remedy: "give it width * height * 3 bytes")
    }
    let name = path.lowercased()
    if name.hasSuffix(".png") { return try encodePNG(self, path: path) }
    guard name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") else {
      throw ImageError(
        path: path, what: "the extension names no format that can be written", remedy: "use .png, .jpg or .jpeg")
    }
    return try encodeJPEG(self, quality: 95, path: path)
  }
}
