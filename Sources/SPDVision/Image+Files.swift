extension Image {
  /// Maximum number of pixels (half a gigabyte of RGB); larger images are refused before memory is allocated.
  static let pixelLimit = 178_956_970

  /// Reads a JPEG, PNG or BMP file; the content decides the format, not the name.
  ///
  /// The pixels equal those of OpenCV's `imread` with `IMREAD_COLOR`, in RGB order: grey and palette images are
  /// expanded, the low byte of 16-bit samples is dropped, alpha is dropped and not blended, CMYK is converted without a
  /// colour profile, gamma and profiles are ignored, and the Exif orientation (JPEG, and PNG's `eXIf`) is applied.
  ///
  /// It is stricter than OpenCV in one point: a JPEG with damaged or truncated data is an error, although libjpeg-turbo
  /// would fill the rest with grey. Stray bytes before the end marker, which some cameras write, are harmless and
  /// accepted. A file that lacks only its end marker is accepted with a warning.
  ///
  /// - Parameter warn: called for faults that do not prevent reading.
  public init(contentsOf path: String, warn: (ImageWarning) -> Void = { _ in }) throws(ImageError) {
    self = try Image.decode(try readImageFile(path), path: path, warn: warn)
  }

  /// Writes `.png`, `.jpg` or `.jpeg`, by the extension, atomically: to a temporary file in the same folder that is
  /// then renamed. JPEG has quality 95 and full colour resolution (4:4:4), which keeps thin coloured lines and small
  /// letters clean.
  public func write(to path: String) throws(ImageError) {
    guard isValid else {
      throw ImageError(
        path: path, what: "a \(width)×\(height) image cannot have \(pixels.count) bytes of RGB",
        remedy: "give it width * height * 3 bytes")
    }
    let name = path.lowercased()
    if name.hasSuffix(".png") {
      try writeFile(try encodePNG(self, path: path), to: path)
    } else if name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") {
      try writeFile(try encodeJPEG(self, quality: 95, path: path), to: path)
    } else {
      throw ImageError(
        path: path, what: "the extension names no format that can be written", remedy: "use .png, .jpg or .jpeg")
    }
  }

  /// Decodes a whole file in memory; `path` is for messages only.
  static func decode(
    _ bytes: [UInt8], path: String, pixelLimit: Int = Image.pixelLimit, warn: (ImageWarning) -> Void = { _ in }
  ) throws(ImageError) -> Image {
    switch Format(of: bytes) {
    case .jpeg: return try decodeJPEG(bytes, path: path, pixelLimit: pixelLimit, warn: warn)
    case .png: return try decodePNG(bytes, path: path, pixelLimit: pixelLimit)
    case .bmp: return try decodeBMP(bytes, path: path, pixelLimit: pixelLimit)
    case .empty: throw ImageError(path: path, what: "the file is empty", remedy: "give a JPEG, PNG or BMP file")
    case .other(let name):
      throw ImageError(
        path: path, what: "the file is \(name), not JPEG, PNG or BMP", remedy: "convert it to JPEG or PNG")
    }
  }

  /// Refuses sizes that no valid image has, before anything of that size is allocated.
  static func checkSize(width: Int, height: Int, limit: Int, path: String) throws(ImageError) {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, area <= limit else {
      throw ImageError(
        path: path, what: "the image declares \(width)×\(height) pixels; at most \(limit) are read",
        remedy: "scale it down first")
    }
  }
}

/// The format of a file by its first bytes. Unsupported formats are recognised so that messages can name them.
private enum Format {
  case jpeg, png, bmp, empty
  case other(String)

  init(of bytes: [UInt8]) {
    let has = { (offset: Int, signature: [UInt8]) in bytes.dropFirst(offset).starts(with: signature) }
    if bytes.isEmpty {
      self = .empty
    } else if has(0, [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if has(0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if has(0, Array("GIF8".utf8)) {
      self = .other("a GIF")
    } else if has(0, Array("RIFF".utf8)) && has(8, Array("WEBP".utf8)) {
      self = .other("a WebP")
    } else if has(0, Array("BM".utf8)) {
      self = .bmp
    } else if has(0, [0x49, 0x49, 0x2A, 0]) || has(0, [0x4D, 0x4D, 0, 0x2A]) {
      self = .other("a TIFF")
    } else if has(4, Array("ftypavif".utf8)) || has(4, Array("ftyphei".utf8)) {
      self = .other("an AVIF or HEIC")
    } else {
      self = .other("something else")
    }
  }
}
