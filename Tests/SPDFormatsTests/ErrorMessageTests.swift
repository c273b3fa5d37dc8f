import Foundation
import Testing

@testable import SPDFormats

/// Every message once, but those of pickles and archives, which have their own files.
struct ErrorMessageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let wanted: String
    let bytes: [UInt8]
    var testDescription: String { wanted }

    init(_ wanted: String, _ bytes: [UInt8]) {
      self.wanted = wanted
      self.bytes = bytes
    }
  }

  static let arrays: [Case] = [
    Case("is not a .npy file (byte 0 of the file)", Array("no numpy array".utf8)),
    Case("has .npy version 9; 1, 2 and 3 are read", npyFile("", version: 9)),
    Case("has a .npy header of 1000000 bytes", NPYHeader.magic + [2, 0, 0x40, 0x42, 0x0f, 0]),
    Case("ends early: 4 bytes wanted for header length, 2 left", NPYHeader.magic + [2, 0, 1, 1]),
    Case("\"{\" is missing", npyFile("x")),
    Case("a string is missing", npyFile("{descr")),
    Case("a string has no end", npyFile("{'descr")),
    Case("has the unexpected or repeated key \"other\"", npyFile("{'other': 1}")),
    Case("lacks one of the keys", npyFile("{'descr': '<f4'}")),
    Case("has text after its closing brace", npyFile("{'descr':'<f4','fortran_order':False,'shape':()} x")),
    Case("the array has records, not numbers", npyFile("{'descr': [('a', '<f4')]}")),
    Case("holds pickled Python objects", npyFile("{'descr': '|O'}")),
    Case("element type \"<c8\" is not read", npyFile("{'descr': '<c8'}")),
    Case("fortran_order is neither True nor False", npyFile("{'fortran_order': 1}")),
    Case("an extent is not a whole number", npyFile("{'shape': (-1,)}")),
    Case("an extent is not a whole number", npyFile("{'shape': (99999999999999999999,)}")),
    Case("has more than 64 axes", npyFile("{'shape': (\(String(repeating: "1,", count: 65)))}")),
    Case(
      "has more elements than a file can hold",
      npyFile("{'descr':'<f4','fortran_order':False,'shape':(4294967296,4294967296)}")),
    Case("2 bytes are left", npyFile("{'descr':'<f4','fortran_order':False,'shape':(1,)}", data: 2)),
    Case("has 3 bytes after the array", npyFile("{'descr':'<f4','fortran_order':False,'shape':()}", data: 7)),
  ]

  @Test(arguments: arrays) func npy(_ item: Case) {
    let text = message { _ = try parseNPY(item.bytes[...], path: "x.npy", region: "the file") } ?? "no error"
    #expect(text.hasPrefix("x.npy: ") && text.contains(item.wanted), "\(text)")
  }

  private static func tensor(_ fields: String) -> String { "{\"a\":{\(fields)}}" }
  private static let ok = "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"

  static let tensors: [Case] = [
    Case("ends early: 8 bytes wanted for the length", [1, 2]),
    Case("which no file can hold", [UInt8](repeating: 255, count: 8)),
    Case("at most 100 MB are allowed", [0, 0, 0, 0, 1, 0, 0, 0]),
    Case("for the safetensors header, 1 left", [9, 0, 0, 0, 0, 0, 0, 0, 123]),
    Case("does not start with \"{\"", safetensorsFile("[]")),
    Case("there is text after the JSON value", safetensorsFile("{} x")),
    Case("nested too deeply", safetensorsFile("{\"a\":" + String(repeating: "[", count: 20))),
    Case("the JSON text ends early", safetensorsFile("{\"a\":")),
    Case("the name \"a\" occurs twice", safetensorsFile("{\"a\":{\(ok)},\"a\":{\(ok)}}", data: 4)),
    Case("a JSON array is too long", safetensorsFile("{\"a\":[" + String(repeating: "1,", count: 5000))),
    Case("is not JSON (byte", safetensorsFile("{\"a\":nul")),
    Case("is not JSON (byte", safetensorsFile("{\"a\":012}")),
    Case("is not JSON: \"}\" is missing", safetensorsFile("{\"a\":1")),
    Case("a JSON string is missing", safetensorsFile("{a")),
    Case("a JSON string has no end", safetensorsFile("{\"a")),
    Case("is not valid UTF-8", [5, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8) + [0xff] + Array("\":".utf8)),
    Case("holds a control character", safetensorsFile("{\"\n")),
    Case("an unknown escape", safetensorsFile("{\"\\x")),
    Case("half a surrogate pair", safetensorsFile("{\"\\ud800x")),
    Case("half a surrogate pair", safetensorsFile("{\"\\ud800\\u0041")),
    Case("a broken \\u escape", safetensorsFile("{\"\\u00g0")),
    Case("is not an object (tensor \"a\")", safetensorsFile("{\"a\":true}")),
    Case("the metadata \"k\" is not a string", safetensorsFile("{\"__metadata__\":{\"k\":1}}")),
    Case("element type \"F8_E4M3\" is not read", safetensorsFile(tensor("\"dtype\":\"F8_E4M3\""))),
    Case("lacks a valid dtype, shape or data_offsets", safetensorsFile(tensor("\"dtype\":\"F32\",\"shape\":[-1]"))),
    Case("in the wrong order", safetensorsFile(tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"))),
    Case(
      "more elements than a file can hold",
      safetensorsFile(tensor("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"))),
    Case(
      "of fp32 needs 8 bytes; data_offsets give 4",
      safetensorsFile(tensor(ok.replacingOccurrences(of: "[1]", with: "[2]")))),
    Case("overlap those of another tensor", safetensorsFile("{\"a\":{\(ok)},\"b\":{\(ok)}}", data: 4)),
    Case(
      "4 bytes before it belong to no tensor",
      safetensorsFile(tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]"), data: 8)),
    Case("the tensors need 4 bytes after the header, 3 are there", safetensorsFile(tensor(ok), data: 3)),
    Case("has 1 bytes after the last tensor", safetensorsFile(tensor(ok), data: 5)),
  ]

  @Test(arguments: tensors) func safetensors(_ item: Case) {
    let text = message { _ = try parseSafetensors(item.bytes, path: "x") } ?? "no error"
    #expect(text.hasPrefix("x: ") && text.contains(item.wanted), "\(text)")
  }

  @Test func escapesAreRead() throws {
    let file = safetensorsFile(
      "{\"__metadata__\":{\"k\":\"\\ud83d\\ude00\\u00e9\\/\\b\\f\\n\\r\\t\\\"\\\\\"},\"x\":{\(Self.ok),\"more\":[null,1.5e3,{\"y\":false}]}}  ",
      data: 4)
    let checkpoint = try parseSafetensors(file, path: "x")
    #expect(checkpoint.metadata["k"] == "😀é/\u{8}\u{c}\n\r\t\"\\")
    #expect(checkpoint.order == ["x"])
  }

  static let kinds: [Case] = [
    Case("is not a weights file: it is empty. Accepted are safetensors, numpy .npz and PyTorch .pt/.pth", []),
    Case("is not a weights file: it starts with \"hello wo\"", Array("hello world".utf8)),
    Case("is a single array, which has no name", NPYHeader.magic),
    Case("is a bare pickle", [0x80, 4, 0x2e]),
    Case("is a tar archive", [UInt8](repeating: 0, count: 257) + Array("ustar\0".utf8)),
    Case("is a Git LFS pointer", Array("version https://git-lfs.github.com/spec/v1\n".utf8)),
    Case("holds neither data.pkl nor .npy arrays only", zipArchive([("readme", [])])),
    Case("holds neither data.pkl nor .npy arrays only", zipArchive([])),
    Case(
      "has \"a\" twice once the prefix \"module.\" is stripped",
      zipArchive(["a.npy", "module.a.npy"].map { ($0, npyFile("{'descr':'<f4','fortran_order':False,'shape':(0,)}")) })),
  ]

  @Test(arguments: kinds) func otherKinds(_ item: Case) {
    let text = message { _ = try parseCheckpoint(item.bytes, path: "x") } ?? "no error"
    #expect(text.hasPrefix("x: ") && text.contains(item.wanted), "\(text)")
  }

  @Test(arguments: [
    ("refused-legacy.pt", "is a PyTorch file of the format before torch 1.6"), ("refused-bare.pkl", "is a bare pickle"),
    (
      "refused-system.pt",
      "the pickle would call posix.system; refused: spdc never executes a pickle (byte"
    ), ("refused-eval.pt", "the pickle would call builtins.eval; refused"),
    ("refused-complex.pt", "\"torch.ComplexFloatStorage\" is not read"),
    ("refused-no-weights.pt", "the dict has the keys \"epoch\", \"lr\""),
    ("refused-script.pt", "is a TorchScript program"),
  ]) func refusedFixtures(_ name: String, _ wanted: String) {
    let text = message { _ = try readCheckpoint(Fixture.path(name)) } ?? "no error"
    #expect(text.contains(wanted), "\(text)")
  }

  @Test(arguments: [
    ("refused-complex.npy", "element type \"<c8\" is not read"), ("refused-object.npy", "pickled Python objects"),
    ("refused-records.npy", "the array has records"), ("pt-half.pt", "is not a .npy file"),
    ("no-such-file.npy", "cannot be opened: No such file or directory"),
  ]) func refusedArrays(_ name: String, _ wanted: String) {
    let text = message { _ = try readNPY(Fixture.path(name)) } ?? "no error"
    #expect(text.contains(wanted), "\(text)")
  }

  @Test func filesThatAreNone() throws {
    let folder = try TemporaryFolder()
    #expect(message { _ = try readCheckpoint(folder.path) }?.contains("is a directory") == true)
    #expect(message { _ = try readCheckpoint("/dev/null") }?.contains("is not a regular file") == true)
    mkfifo(folder.file("fifo"), 0o600)
    #expect(message { _ = try readCheckpoint(folder.file("fifo")) }?.contains("is not a regular file") == true)
    #expect(message { _ = try readNPZ(Fixture.path("npy-scalar.npy")) }?.contains("is not a .npz archive") == true)
    #expect(
      message { _ = try readNPZ(Fixture.path("pt-half.pt")) }?.contains("is not a .npz archive: it holds") == true)
    let huge = open(folder.file("huge"), O_CREAT | O_RDWR, 0o600)
    defer { close(huge) }
    if ftruncate(huge, off_t(ProcessInfo.processInfo.physicalMemory)) == 0 {
      #expect(
        message { _ = try readCheckpoint(folder.file("huge")) }?.contains("half of this machine's memory") == true)
    }
  }

  @Test func namesFromFilesAreMadePrintable() {
    #expect(quoted("a\"\\\n\u{9b}é") == "\"a\\\"\\\\\\u{a}\\u{9b}é\"")
    #expect(quoted("abcdef", limit: 3) == "\"abc…\"")
    #expect(describe(shape: [Int](repeating: 2, count: 9)) == "2×2×2×2×2×2×2×2×…")
  }
}
