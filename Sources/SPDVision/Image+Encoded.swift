extension Image {
  /// Encodes the image as a PNG file in memory, for embedding into a page.
  public func png() throws(ImageError) -> [UInt8] {
    guard isValid else {
      throw ImageError(
        path: "image", what: "a \(width)×\(height) image cannot have \(pixels.count) bytes of RGB",
        remedy: "give it width * height * 3 bytes")
    }
    return try encodePNG(self, path: "image")
  }
}
