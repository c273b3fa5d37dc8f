import CTurboJPEG

func decodeJPEG(
  _ bytes: [UInt8], path: String, pixelLimit: Int, warn: (ImageWarning) -> Void
) throws(ImageError) -> Image {
  let decoder = try makeCodec(tjInitDecompress(), path)
  defer { tjDestroy(decoder) }

  var width: Int32 = 0
  var height: Int32 = 0
  var subsampling: Int32 = -1
  var colours: Int32 = -1
  // The status is ignored: the call also fails for chroma layouts that it has no name for but that can be decoded.
  tjDecompressHeader3(decoder, bytes, UInt(bytes.count), &width, &height, &subsampling, &colours)
  guard width > 0, height > 0, colours >= 0 else { throw damaged(errorText(decoder), path) }
  try Image.checkSize(width: Int(width), height: Int(height), limit: pixelLimit, path: path)

  // libjpeg-turbo turns grey and YCbCr into RGB, but four-channel files only into CMYK.
  let isCMYK = colours == TJCS_CMYK.rawValue || colours == TJCS_YCCK.rawValue
  let format = isCMYK ? TJPF_CMYK.rawValue : TJPF_RGB.rawValue
  let byteCount = Int(width) * Int(height) * (isCMYK ? 4 : 3)
  let decode = { (bytes: [UInt8]) in
    decodedPixels(decoder, bytes, width: width, height: height, format: format, byteCount: byteCount)
  }
  var (pixels, problem) = decode(bytes)
  // With the end marker appended, the decoder reports any other missing data, except scans that are missing
  // altogether.
  if let missing = problem, missing.contains(missingEnd), hasAllScans(jpeg: bytes) {
    (pixels, problem) = decode(bytes + [0xFF, 0xD9])
    if problem == nil { warn(ImageWarning(path: path, what: "the JPEG has no end marker; all pixels are present")) }
  }
  if let problem { throw damaged(problem, path) }
  if isCMYK { pixels = rgb(fromInvertedCMYK: pixels) }
  return Image(width: Int(width), height: Int(height), pixels: pixels)
    .oriented(by: exifOrientation(ofJPEG: bytes))
}

/// Stray bytes just before the end marker: libjpeg-turbo warns, but everything has been decoded by then.
private let harmlessWarning = "extraneous bytes before marker 0xd9"
private let missingEnd = "Premature end of JPEG file"

/// Decodes all pixels; also returns what is wrong, if anything.
private func decodedPixels(
  _ decoder: tjhandle, _ bytes: [UInt8], width: Int32, height: Int32, format: Int32, byteCount: Int
) -> (pixels: [UInt8], problem: String?) {
  func decode(stopOnWarning: Bool) -> (pixels: [UInt8], problem: String?) {
    // OpenCV uses the integer DCT and smooth chroma upsampling, too. The limit on scans is against files of a few
    // kilobytes that keep a progressive decoder busy for hours.
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | (stopOnWarning ? TJFLAG_STOPONWARNING : 0)
    var status: Int32 = -1
    let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      status = tjDecompress2(
        decoder, bytes, UInt(bytes.count), buffer.baseAddress, width, 0, height, format, flags)
      count = status == 0 || !stopOnWarning ? byteCount : 0
    }
    return (pixels, status == 0 ? nil : errorText(decoder))
  }
  // Only the first warning is kept, so stop at it. The harmless one is issued after all pixels and hides no other.
  let (pixels, problem) = decode(stopOnWarning: true)
  guard let problem, problem.contains(harmlessWarning) else { return (pixels, problem) }
  let (again, first) = decode(stopOnWarning: false)
  return (again, first?.contains(harmlessWarning) == true ? nil : first)
}

func encodeJPEG(_ image: Image, quality: Int32, path: String) throws(ImageError) -> [UInt8] {
  guard image.width <= 65500, image.height <= 65500 else {
    throw ImageError(path: path, what: "a JPEG has at most 65500 pixels a side", remedy: "write a PNG instead")
  }
  let encoder = try makeCodec(tjInitCompress(), path)
  defer { tjDestroy(encoder) }
  var output: UnsafeMutablePointer<UInt8>?
  var count: UInt = 0
  defer { tjFree(output) }
  let status = tjCompress2(
    encoder, image.pixels, Int32(image.width), 0, Int32(image.height), TJPF_RGB.rawValue, &output, &count,
    Int32(TJSAMP_444.rawValue), quality, TJFLAG_ACCURATEDCT)
  guard status == 0, let output else {
    throw ImageError(path: path, what: "cannot be encoded (\(errorText(encoder)))", remedy: "write a PNG instead")
  }
  return Array(UnsafeBufferPointer(start: output, count: Int(count)))
}

/// Converts the inverted CMYK of four-channel JPEGs, an Adobe convention: 255 means no ink.
private func rgb(fromInvertedCMYK cmyk: [UInt8]) -> [UInt8] {
  let pixelCount = cmyk.count / 4
  return [UInt8](unsafeUninitializedCapacity: pixelCount * 3) { buffer, count in
    for pixel in 0..<pixelCount {
      let black = Int(cmyk[pixel * 4 + 3])
      for channel in 0..<3 {
        let ink = 255 - Int(cmyk[pixel * 4 + channel])
        buffer[pixel * 3 + channel] = UInt8(black - (ink * black) >> 8)
      }
    }
    count = pixelCount * 3
  }
}

private func makeCodec(_ handle: tjhandle?, _ path: String) throws(ImageError) -> tjhandle {
  if let handle { return handle }
  throw ImageError(
    path: path, what: "libjpeg-turbo cannot be initialised", remedy: "free some memory", isOfTheMachine: true)
}

private func errorText(_ handle: tjhandle) -> String {
  guard let text = tjGetErrorStr2(handle) else { return "unknown error" }
  return String(cString: text)
}

private func damaged(_ problem: String, _ path: String) -> ImageError {
  ImageError(
    path: path, what: "the JPEG is damaged or cut off (\(problem))",
    remedy: "get an intact copy, or open and save it in an image editor")
}
