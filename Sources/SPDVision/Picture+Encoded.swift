extension Picture {
  /// The picture as a PNG file in memory, such as a page embeds it.
  public func png() throws(PictureError) -> [UInt8] {
    guard isValid else {
      throw PictureError(
        path: "picture", what: "a \(width)×\(height) picture cannot have \(pixels.count) bytes of RGB",
        remedy: "give it width * height * 3 bytes")
    }
    return try encodePNG(self, path: "picture")
  }
}
