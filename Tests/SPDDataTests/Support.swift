import Foundation
import SPDVision

@testable import SPDData

/// The recorded files beside the tests.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    .path
}

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("spddata-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and the folders that it lies in.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ image: Image) throws {
    try write(name, [])
    try image.write(to: "\(path)/\(name)")
  }
}

/// The image that the scripts beside the fixtures make, too.
func formulaImage(_ width: Int, _ height: Int, seed: UInt32) -> Image {
  let bytes = (0..<UInt32(width * height * 3)).map { (index: UInt32) -> UInt8 in
    let mixed: UInt32 = index &* 2_654_435_761 &+ seed &* 40_503
    return UInt8(mixed >> 13 & 255)
  }
  return Image(width: width, height: height, pixels: bytes)
}

/// FNV-1a.
func checksum(_ bytes: some Sequence<UInt8>) -> String {
  let sum = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  let digits = String(sum, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

func checksum(_ floats: some Sequence<Float>) -> String {
  checksum(floats.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
}

/// The error that `body` throws, as text.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

/// Images in memory, of which some are broken, and of which the first rows tell the index.
struct TestImages: ImageDataset {
  var name = "test images"
  var classNames = ["a", "b", "c"]
  var count: Int
  var side = 8
  var broken: Set<Int> = []
  /// Makes early images slower than late ones, so that threads overtake each other.
  var delay = 0.0

  func annotation(_ index: Int) -> Annotation { .classIndex(Int32(index % 3)) }
  func origin(_ index: Int) -> String { "image \(index)" }
  func image(_ index: Int) throws(DataError) -> Image {
    if delay > 0 { Thread.sleep(forTimeInterval: delay * Double(index * 7919 % 13)) }
    if broken.contains(index) { throw DataError(path: origin(index), what: "is torn", remedy: "glue it") }
    return formulaImage(side, side, seed: UInt32(index))
  }
}

extension ImageTransform {
  /// The recorded ones, in the order in which the published trainings change an image.
  static let tinyImageNet = ImageTransform(
    height: 64, width: 64, augmentations: [.horizontalFlip(0.5), .randomCrop(4), .verticalFlip(0.5)],
    standardisation: Standardisation(
      scale: .byte, mean: [122.4786, 114.2755, 101.3963], std: [70.4924, 68.5679, 71.8127]))
  static let cifar = ImageTransform(
    height: 32, width: 32, augmentations: [.randomCrop(4), .horizontalFlip(0.5), .rotation(15)],
    standardisation: Standardisation(
      scale: .unit, mean: [0.5070751592, 0.4865488733, 0.4409178433], std: [0.2673342859, 0.2564384629, 0.2761504713]))
}
