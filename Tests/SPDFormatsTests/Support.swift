import Foundation

@testable import SPDFormats

/// The fixtures beside the tests, written by make_fixtures.py.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    .path

  static let all = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []

  /// Fixtures of checkpoints with an expected content.
  static let checkpoints = all.filter { name in
    !name.hasSuffix(".expected.npz") && [".safetensors", ".npz", ".pt"].contains { name.hasSuffix($0) }
      && !name.hasPrefix("refused")
  }
  static let arrays = all.filter { $0.hasSuffix(".npy") && !$0.hasPrefix("refused") }
  static let refused = all.filter { $0.hasPrefix("refused") }

  static func path(_ name: String) -> String { folder + "/" + name }
  static func bytes(_ name: String) throws -> [UInt8] { try readWholeFile(path(name)) }

  /// The expected content of a fixture.
  static func expected(_ name: String) throws -> [NamedTensor] {
    let stem = name.split(separator: ".").dropLast().joined(separator: ".")
    return try readNPZ(path(stem + ".expected.npz"))
  }
}

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/spdformats-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

/// Multiplies the rounds of the tests with damaged files; the seeds differ with it.
let fuzzFactor = ProcessInfo.processInfo.environment["SPD_FUZZ"].flatMap { Int($0) } ?? 1

/// Reads an array in memory, with the limit of its own size.
func parseNPY(_ bytes: ArraySlice<UInt8>, path: String, region: String) throws -> HostTensor {
  var limit = ExpansionLimit(fileSize: bytes.count)
  return try parseNPY(bytes, path: path, region: region, limit: &limit)
}

/// The message of the error that `body` throws; nil if it throws none.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

/// Equal bits, so that NaN, infinity and the sign of zero count.
func isSame(_ first: HostTensor, _ second: HostTensor) -> Bool {
  first.shape == second.shape && first.values.map(\.bitPattern) == second.values.map(\.bitPattern)
}

// MARK: Files built by hand

func zipArchive(_ entries: [(String, [UInt8])], wideFrom: UInt64 = UInt64(UInt32.max)) -> [UInt8] {
  final class Output { var bytes: [UInt8] = [] }
  let output = Output()
  var writer = ZipWriter(wideFrom: wideFrom) { output.bytes.append(contentsOf: $0) }
  for (name, data) in entries { try! data.withUnsafeBytes { try writer.add(name, parts: [$0]) } }
  try! writer.finish()
  return output.bytes
}

func torchFile(_ pickle: [UInt8], storages: [String: [UInt8]] = [:], more: [(String, [UInt8])] = []) -> [UInt8] {
  zipArchive(
    [("m/data.pkl", pickle)] + storages.sorted { $0.key < $1.key }.map { ("m/data/" + $0.key, $0.value) } + more)
}

func npyFile(_ header: String, data: Int = 0, version: UInt8 = 1) -> [UInt8] {
  var bytes = LittleEndianBytes()
  bytes.append(NPYHeader.magic + [version, 0])
  bytes.append(UInt16(header.utf8.count))
  bytes.append(Array(header.utf8) + [UInt8](repeating: 0, count: data))
  return bytes.bytes
}

func safetensorsFile(_ header: String, data: Int = 0) -> [UInt8] {
  var bytes = LittleEndianBytes()
  bytes.append(UInt64(header.utf8.count))
  bytes.append(Array(header.utf8) + [UInt8](repeating: 0, count: data))
  return bytes.bytes
}

/// Instructions of a pickle, in the order of the calls.
struct Pickle {
  private(set) var bytes: [UInt8] = [0x80, 2]

  static func + (pickle: Pickle, more: [UInt8]) -> Pickle {
    var result = pickle
    result.bytes += more
    return result
  }

  func raw(_ more: [UInt8]) -> Pickle { self + more }
  func op(_ code: Character) -> Pickle { self + [code.asciiValue!] }
  func int(_ value: Int32) -> Pickle { self + (withUnsafeBytes(of: value.littleEndian) { [0x4a] + Array($0) }) }
  func text(_ text: String) -> Pickle {
    self + (withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { [0x58] + Array($0) }) + Array(text.utf8)
  }
  func global(_ module: String, _ name: String) -> Pickle { self + Array("c\(module)\n\(name)\n".utf8) }
  func tuple(_ body: (Pickle) -> Pickle) -> Pickle { body(op("(")).op("t") }
  /// A dict; the body alternates keys and values.
  func dict(_ body: (Pickle) -> Pickle) -> Pickle { body(op("}").op("(")).op("u") }
  func put(_ index: UInt8) -> Pickle { self + [0x71, index] }
  func get(_ index: UInt8) -> Pickle { self + [0x68, index] }
  func call(_ module: String, _ name: String, _ body: (Pickle) -> Pickle) -> Pickle {
    global(module, name).tuple(body).op("R")
  }
  func object(_ module: String, _ name: String) -> Pickle { global(module, name).op(")") + [0x81] }
  var end: [UInt8] { op(".").bytes }

  func storage(_ key: String = "0", type: String = "FloatStorage", count: Int32) -> Pickle {
    tuple { $0.text("storage").global("torch", type).text(key).text("cpu").int(count) }.op("Q")
  }

  func tensor(
    _ shape: [Int32], strides: [Int32], offset: Int32 = 0, key: String = "0", type: String = "FloatStorage",
    count: Int32
  ) -> Pickle {
    call("torch._utils", "_rebuild_tensor_v2") {
      $0.storage(key, type: type, count: count).int(offset).tuple { shape.reduce($0) { $0.int($1) } }
        .tuple { strides.reduce($0) { $0.int($1) } }.op("N").op("N")
    }
  }
}
