import Foundation
import SPDData
import SPDVision

/// A folder that is removed when the test ends.
final class DataFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("spddetection-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and the folders that it lies in.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  /// Writes a grey image: a PNG where the name says so, else a JPEG.
  func image(_ name: String, width: Int = 40, height: Int = 20) throws {
    let image = Image(width: width, height: height, filledWith: RGB(90, 90, 90))
    try write(name, [])
    // The name may have another extension in any case; the content decides.
    let file = "\(path)/\(UUID().uuidString)" + (name.lowercased().hasSuffix("png") ? ".png" : ".jpg")
    try image.write(to: file)
    try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    try FileManager.default.moveItem(atPath: file, toPath: "\(path)/\(name)")
  }

  func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? path : "\(path)/\(folder)").sorted()
  }
}

/// The images beside the tests.
let dataFixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/data")
  .path

/// The error that `body` throws, as text.
func dataMessage(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}
