import Foundation
import SPDData
import SPDFormats
import SPDVision

/// Format and size of an image file, read from its first bytes: a scan of a data set needs no pixels.
struct ImageHeader: Equatable {
  enum Format: String { case jpeg = "JPEG", png = "PNG", bmp = "BMP" }

  let format: Format
  /// Sides in pixels, after the rotation that EXIF asks for.
  let width, height: Int

  /// Reads the header of a JPEG, PNG or BMP file; the content decides the format, not the name.
  ///
  /// - Throws: where the file cannot be opened, has another format, or breaks off before its size.
  init(contentsOf path: String) throws(DataError) {
    let file = try RandomAccessFile(path)
    var start = [UInt8](repeating: 0, count: 4096)
    start.removeLast(start.count - file.read(at: 0, into: &start))
    let remedy = "get an intact copy, or open and save it in an image editor"
    if start.isEmpty { throw DataError(path: path, what: "the file is empty", remedy: "give a JPEG, PNG or BMP file") }

    let size: (width: Int, height: Int)?
    if start.starts(with: [0xFF, 0xD8, 0xFF]) {
      format = .jpeg
      size = jpegSize(file, start)
    } else if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      format = .png
      size = pngSize(file, start)
    } else if start.starts(with: Array("BM".utf8)) {
      format = .bmp
      size = BMPHeader(start).map { ($0.width, $0.height) }
    } else {
      throw DataError(
        path: path, what: "the file is \(foreignFormat(start)), not JPEG, PNG or BMP",
        remedy: "convert it to JPEG or PNG")
    }
    guard let size, size.width > 0, size.height > 0 else {
      throw DataError(
        path: path, what: "the header of the \(format.rawValue) is damaged, cut off, or of a kind that is not read",
        remedy: remedy)
    }
    (width, height) = size
  }
}

/// A format that is not decoded, by its signature.
private func foreignFormat(_ bytes: [UInt8]) -> String {
  func has(_ offset: Int, _ signature: String) -> Bool {
    bytes.dropFirst(offset).starts(with: Array(signature.utf8))
  }
  if has(0, "GIF8") { return "a GIF" }
  if has(0, "RIFF") && has(8, "WEBP") { return "a WebP" }
  if bytes.starts(with: [0x49, 0x49, 0x2A, 0]) || bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) { return "a TIFF or DNG" }
  if has(4, "ftypavif") || has(4, "ftyphei") { return "an AVIF or HEIC" }
  return "something else"
}

/// Walks the segments up to the frame header, which has the size; an EXIF segment comes before it.
private func jpegSize(_ file: RandomAccessFile, _ start: [UInt8]) -> (width: Int, height: Int)? {
  var bytes = start
  var base = 0  // position of `bytes` in the file
  var offset = 2  // position in the file, after the start marker
  var orientation: Int?
  /// Makes `count` bytes at `offset` available; thumbnails and profiles are skipped without being read.
  func load(_ count: Int) -> Bool {
    if offset >= base, offset + count <= base + bytes.count { return true }
    var block = [UInt8](repeating: 0, count: max(count, 512))
    block.removeLast(block.count - file.read(at: offset, into: &block))
    bytes = block
    base = offset
    return block.count >= count
  }
  func number(_ at: Int) -> Int { Int(bytes[at - base]) << 8 | Int(bytes[at + 1 - base]) }

  // Every segment has four bytes or more, so a file has a bounded number; a hostile one is given up early.
  for _ in 0..<4096 {
    guard load(4), bytes[offset - base] == 0xFF else { return nil }
    let marker = bytes[offset + 1 - base]
    if marker == 0xFF {  // a fill byte
      offset += 1
      continue
    }
    if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // no length
      offset += 2
      continue
    }
    if marker == 0xD9 || marker == 0xDA { return nil }
    let length = number(offset + 2)
    guard length >= 2 else { return nil }
    // All frame headers but DHT, JPG and DAC, which share the range.
    if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
      guard load(9) else { return nil }
      let (height, width) = (number(offset + 5), number(offset + 7))
      return orientation ?? 1 >= 5 ? (height, width) : (width, height)
    }
    if marker == 0xE1, orientation == nil, load(2 + length) {
      let segment = bytes[(offset + 4 - base)..<(offset + 2 + length - base)]
      let signature = Array("Exif\0\0".utf8)
      if segment.starts(with: signature) { orientation = exifOrientation(ofTIFF: segment.dropFirst(signature.count)) }
    }
    offset += 2 + length
  }
  return nil
}

/// The size is in the first chunk; an `eXIf` chunk may come anywhere, even after the pixels.
private func pngSize(_ file: RandomAccessFile, _ start: [UInt8]) -> (width: Int, height: Int)? {
  func number(_ bytes: [UInt8], _ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
  guard start.count >= 33, start[12..<16].elementsEqual("IHDR".utf8) else { return nil }
  let (width, height) = (number(start, 16), number(start, 20))
  var offset = 8
  var head = [UInt8](repeating: 0, count: 8)
  for _ in 0..<100_000 {
    if offset + 8 <= start.count {
      head = Array(start[offset..<offset + 8])
    } else if file.read(at: offset, into: &head) < 8 {
      break
    }
    let length = number(head, 0)
    if head[4...].elementsEqual("IEND".utf8) || length > 0x7fff_ffff { break }
    if head[4...].elementsEqual("eXIf".utf8) {
      var block = [UInt8](repeating: 0, count: min(length, 1 << 16))
      guard file.read(at: offset + 8, into: &block) == block.count else { break }
      if exifOrientation(ofTIFF: block[...]) ?? 1 >= 5 { return (height, width) }
      break
    }
    offset += 12 + length
  }
  return (width, height)
}

/// A regular file that is read at positions. Opening never blocks.
private final class RandomAccessFile {
  private let descriptor: Int32

  init(_ path: String) throws(DataError) {
    let opened = FileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard opened >= 0 else {
      let code = errno
      let isOfTheMachine = [EMFILE, ENFILE, EIO, ENOMEM].contains(code)
      throw DataError(
        path: path, what: "cannot be opened: \(String(cString: strerror(code)))",
        remedy: isOfTheMachine ? "check the disk and the machine" : "check the path and its permissions",
        isOfTheMachine: isOfTheMachine)
    }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw DataError(path: path, what: "is not a regular file", remedy: "copy the image into a file")
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Fills `buffer` as far as the file reaches.
  ///
  /// - Returns: the number of bytes.
  func read(at offset: Int, into buffer: inout [UInt8]) -> Int {
    var filled = 0
    while filled < buffer.count {
      let got = buffer.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + filled, $0.count - filled, off_t(offset + filled))
      }
      if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
    }
    return filled
  }
}
