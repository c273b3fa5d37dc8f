import Foundation

/// A folder that is deleted with its owner.
final class EvaluationFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "evaluation-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ text: String, to name: String = "file.json") throws -> String {
    try write(Array(text.utf8), to: name)
  }

  func write(_ bytes: [UInt8], to name: String = "file.json") throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// Decodes a recorded file of Fixtures/evaluation.
func evaluationFixture<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  let file = folder.appendingPathComponent("Fixtures/evaluation/\(name)")
  return try JSONDecoder().decode(type, from: Data(contentsOf: file))
}
