import CPNG

func decodePNG(_ bytes: [UInt8], path: String, pixelLimit: Int) throws(ImageError) -> Image {
  let reader = UnsafeMutablePointer<cpng_reader>.allocate(capacity: 1)
  defer { reader.deallocate() }
  func damaged() -> ImageError {
    ImageError(
      path: path, what: "the PNG is damaged or cut off (\(String(cString: cpng_message(reader))))",
      remedy: "get an intact copy")
  }
  // libpng keeps the pointer between calls, so the bytes need a fixed address. A copy is cheap compared with
  // inflating.
  let file = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
  defer { file.deallocate() }
  _ = file.initialize(from: bytes)

  let opened = cpng_open(reader, file.baseAddress, bytes.count)
  defer { cpng_close(reader) }
  guard opened == 1 else { throw damaged() }
  let width = Int(reader.pointee.width)
  let height = Int(reader.pointee.height)
  try Image.checkSize(width: width, height: height, limit: pixelLimit, path: path)

  var finished = false
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
    finished = cpng_read(reader, buffer.baseAddress) == 1
    count = finished ? width * height * 3 : 0
  }
  guard finished else { throw damaged() }
  var exifCount: UInt32 = 0
  let exif = UnsafeBufferPointer(start: cpng_exif(reader, &exifCount), count: Int(exifCount))
  return Image(width: width, height: height, pixels: pixels).oriented(
    by: exifOrientation(ofTIFF: Array(exif)[...]) ?? 1)
}

func encodePNG(_ image: Image, path: String) throws(ImageError) -> [UInt8] {
  var header = png_image()
  header.version = UInt32(PNG_IMAGE_VERSION)
  header.width = UInt32(image.width)
  header.height = UInt32(image.height)
  header.format = UInt32(PNG_FORMAT_FLAG_COLOR)
  defer { png_image_free(&header) }

  var output: [UInt8] = []
  // The first call measures, the second writes.
  var count = 0
  var status = png_image_write_to_memory(&header, nil, &count, 0, image.pixels, 0, nil)
  if status != 0 {
    output = [UInt8](repeating: 0, count: count)
    status = png_image_write_to_memory(&header, &output, &count, 0, image.pixels, 0, nil)
  }
  guard status != 0, count <= output.count else {
    let message = withUnsafeBytes(of: &header.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    throw ImageError(path: path, what: "cannot be encoded (\(message))", remedy: "write a smaller image")
  }
  output.removeLast(output.count - count)
  return output
}
