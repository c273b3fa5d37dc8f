import Foundation
import SPD
import SPDData
import SPDFormats
import SPDVision

/// Resized images in files: the disk cache.
///
/// A file has a header of six little-endian 32-bit words (magic, version, width, height, original width, original
/// height), and the pixels. Its name is a hash of the image's path, size in bytes and time of change, and of the variant.
struct ImageFolder: Sendable {
  let folder: String
  /// How images are resized; other variants have other files.
  let variant: String
  private static let magic: [UInt32] = [0x4944_5053, 1]

  init(_ folder: String, variant: String) throws(DataError) {
    self.folder = folder
    self.variant = variant
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        path: folder, what: "the cache folder cannot be created", remedy: "choose a folder that can be written",
        isOfTheMachine: true)
    }
  }

  /// Returns a stored image; nil if there is none, or one that is damaged.
  func read(_ path: String, index: Int, size: Int) -> ResizedImage? {
    let limit = 24 + 3 * size * size
    guard let bytes = try? readWholeFile(file(of: path, index), limit: limit), bytes.count > 24 else { return nil }
    let words = bytes.withUnsafeBytes { raw in
      (0..<6).map { UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
    }
    let (width, height) = (Int(words[2]), Int(words[3]))
    guard Array(words[0..<2]) == Self.magic, (1...size).contains(width), (1...size).contains(height),
      words[4] > 0, words[5] > 0, bytes.count == 24 + 3 * width * height
    else { return nil }
    return ResizedImage(
      image: Image(width: width, height: height, pixels: Array(bytes[24...])), originalWidth: Int(words[4]),
      originalHeight: Int(words[5]))
  }

  /// Stores an image atomically.
  func write(_ image: ResizedImage, _ path: String, index: Int) throws(DataError) {
    let words =
      Self.magic
      + [image.image.width, image.image.height, image.originalWidth, image.originalHeight].map { UInt32(clamping: $0) }
    let header = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    do {
      try writeAtomically(to: file(of: path, index)) { sink in
        try sink.write(header)
        try sink.write(image.image.pixels)
      }
    } catch {
      throw DataError(
        path: folder, what: "\(error)", remedy: "free space on the disk, or train without a disk cache",
        isOfTheMachine: true)
    }
  }

  private func file(of path: String, _ index: Int) -> String {
    var status = stat()
    let isFile = FileName.withPath(path) { stat($0, &status) } == 0
    // Something else than a file, such as a drawn image, is identified by its index.
    let facts = isFile ? "\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)" : "index \(index)"
    return "\(folder)/\(hashName("\(variant)\u{0}\(facts)\u{0}\(path)")).rgb"
  }
}
