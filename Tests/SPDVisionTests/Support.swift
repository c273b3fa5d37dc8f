import Foundation

@testable import SPDVision

/// The generator of make_fixtures.py: numbers in 0..<2^24.
func uniform(_ count: Int, seed: UInt32) -> [UInt32] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return state >> 8
  }
}

func noise(_ width: Int, _ height: Int, seed: UInt32) -> Image {
  Image(width: width, height: height, pixels: uniform(width * height * 3, seed: seed).map { UInt8($0 >> 16) })
}

func fixture<Case: Decodable>(_ name: String, of type: Case.Type = Case.self) throws -> [Case] {
  let url = Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "json")!
  return try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
}

/// One recorded decoding; `Data` is base64 in JSON.
struct RecordedFile: Decodable {
  var name: String
  var file: Data
  var width, height: Int
  var pixels: Data

  static func named(_ name: String) throws -> [UInt8] {
    try Array(fixture("decode", of: RecordedFile.self).first { $0.name == name }!.file)
  }
}

/// A path in a fresh folder, which goes away afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

func expectError(_ body: () throws -> Void) -> ImageError? {
  do {
    try body()
    return nil
  } catch {
    return error as? ImageError
  }
}
