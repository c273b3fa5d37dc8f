import Foundation
import SPD
import SPDRuntime
import Testing

private let parameters = [
  Parameter(name: "conv.weight", shape: [2, 3, 1, 1], role: .weight),
  Parameter(name: "conv.bias", shape: [2], role: .bias),
]

private func values(_ parameter: Parameter) -> [Float] {
  (0..<parameter.count).map { Float($0) + (parameter.role == .bias ? 0.5 : 0) }
}

private func makeFile() throws -> ParameterFile {
  try ParameterFile(graphHash: 42, parameters: parameters, values: values)
}

private func fileBytes() throws -> [UInt8] { try makeFile().withBytes { Array($0) } }

/// Writes bytes to a temporary file and hands its path over.
private func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).spdw").path
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The description of what a body throws.
private func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch {
    return "\(error)"
  }
}

@Suite struct ParameterFileTests {
  @Test func whatIsWrittenIsReadBack() throws {
    try withFile(try fileBytes()) { path in
      let tensors = try ParameterFile(mapping: path).tensors()
      #expect(tensors.map(\.name) == ["conv.weight", "conv.bias"])
      #expect(tensors.map(\.shape) == [[2, 3, 1, 1], [2]])
      #expect(tensors.map(\.values) == [[0, 1, 2, 3, 4, 5], [0.5, 1.5]])
    }
  }

  @Test func tensorsBeginAtCacheLines() throws {
    try makeFile().withBytes { bytes in
      #expect(Int(bitPattern: bytes.baseAddress) % 64 == 0)
      for index in 0..<2 {
        #expect(bytes.loadUnaligned(fromByteOffset: 64 + 64 * index, as: UInt64.self) % 64 == 0)
      }
    }
  }

  @Test func theSameInputGivesTheSameBytes() throws {
    #expect(try fileBytes() == fileBytes())
  }

  @Test func aWrongNumberOfValuesNamesTheParameter() {
    let text = message { _ = try ParameterFile(graphHash: 1, parameters: parameters) { _ in [1, 2] } }
    #expect(text == "parameter conv.weight: 2 values where [2, 3, 1, 1] needs 6")
  }

  @Test func aFlippedBitIsFound() throws {
    var bytes = try fileBytes()
    let offset = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 64, as: UInt64.self) }
    bytes[Int(offset) + 5] ^= 1
    try withFile(bytes) { path in
      let text = message { _ = try ParameterFile(mapping: path).tensors(path: "x.spdw") }
      #expect(text == "x.spdw: conv.weight is damaged: it does not match its digest")
    }
  }

  @Test func otherFilesAreRefused() throws {
    var version = try fileBytes()
    version[4] = 9
    var record = try fileBytes()
    record[64 + 7] = 0xff
    let cases: [([UInt8], String)] = [
      (Array("not a parameter file".utf8), "x: this is no parameter file (it does not begin with SPDW)"),
      (version, "x: version 9 is not known; this program reads 1"),
      (record, "x: record 0 points outside of the file"),
      (Array(try fileBytes().prefix(200)), "x: the file is cut off"),
    ]
    for (bytes, expected) in cases {
      try withFile(bytes) { path in
        #expect(message { _ = try ParameterFile(mapping: path).tensors(path: "x") } == expected)
      }
    }
    try withFile([]) { path in
      #expect(message { _ = try ParameterFile(mapping: path) } == "\(path): the file is empty")
    }
    #expect(message { _ = try ParameterFile(mapping: "/nonexistent") } == "/nonexistent: No such file or directory")
    #expect(message { _ = try ParameterFile(mapping: "/") } == "/: this is no regular file")
  }

  /// No prefix and no flipped byte of a file may crash the reader.
  @Test func damageNeverCrashes() throws {
    let whole = try fileBytes()
    for length in stride(from: 0, to: whole.count, by: 7) {
      try withFile(Array(whole.prefix(length))) { _ = try? ParameterFile(mapping: $0).tensors() }
    }
    for position in 0..<192 {
      var bytes = whole
      bytes[position] ^= 0x80
      try withFile(bytes) { _ = try? ParameterFile(mapping: $0).tensors() }
    }
  }

  @Test func aLibraryThatIsNoModuleIsRefused() throws {
    let text = message { _ = try Network(library: "/nonexistent.so", prefix: "x") }
    #expect(text.hasPrefix("/nonexistent.so is no network that spdc compiled: "))
  }
}
