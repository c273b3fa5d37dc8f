import Foundation
import SPD
import Testing

@testable import SPDFormats

/// Damaged and hostile files give an error or a result, never a crash, a hang or memory without bound.
///
/// These are samples: `make fuzz` looks for more.
struct HostileTests {
  static let all = Fixture.all.filter { !$0.hasSuffix(".py") && !$0.hasSuffix(".expected.npz") }

  private func survive(_ bytes: [UInt8], _ name: String) {
    if name.hasSuffix(".npy") {
      _ = try? parseNPY(bytes[...], path: name, region: "the file")
    } else {
      _ = try? parseCheckpoint(bytes, path: name)
    }
  }

  @Test(arguments: all) func everyPrefix(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 400)) {
      let prefix = Array(bytes[..<length])
      if name.hasSuffix(".npy") {
        #expect(throws: FormatError.self) { try parseNPY(prefix[...], path: name, region: "the file") }
      } else {
        #expect(throws: FormatError.self) { try parseCheckpoint(prefix, path: name) }
      }
    }
  }

  @Test(arguments: all) func flippedBytes(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    var random = SplitMix64(seed: 1 &* UInt64(fuzzFactor))
    for _ in 0..<120 * fuzzFactor {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      survive(damaged, name)
    }
  }

  /// CRCs catch damage to archives before the inner readers see it; here the damage is inside, and the CRC right.
  @Test(arguments: Fixture.all.filter { $0.hasSuffix(".pt") && $0 != "refused-legacy.pt" })
  func flippedBytesInsideArchives(_ name: String) throws {
    let archive = try ZipArchive(Fixture.bytes(name), path: name)
    let entries = try archive.entries.map { ($0.name, Array(try archive.contents(of: $0.name)!)) }
    let pickle = try #require(entries.firstIndex { $0.0.hasSuffix("data.pkl") })
    var random = SplitMix64(seed: 2 &* UInt64(fuzzFactor))
    for round in 0..<150 * fuzzFactor {
      var damaged = entries
      var bytes = entries[pickle].1
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        // Half of the time an instruction, which is more often meaningful than any byte.
        bytes[place] =
          round % 2 == 0
          ? UInt8.random(in: 0...255, using: &random) : "()]}Nu.tRbQ0212h\u{1}ae".utf8.randomElement(using: &random)!
      }
      damaged[pickle].1 = bytes
      survive(zipArchive(damaged), name)
    }
    for length in stride(from: 0, to: entries[pickle].1.count, by: max(1, entries[pickle].1.count / 150)) {
      var damaged = entries
      damaged[pickle].1 = Array(entries[pickle].1[..<length])
      #expect(throws: FormatError.self) { try parseCheckpoint(zipArchive(damaged), path: name) }
    }
  }

  @Test func randomPickles() {
    var random = SplitMix64(seed: 3 &* UInt64(fuzzFactor))
    let codes: [UInt8] =
      Array("()]}N.tRbQ021haesu".utf8) + [0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x8f, 0x90, 0x91, 0x93, 0x94]
    for _ in 0..<5_000 * fuzzFactor {
      var pickle = Pickle().global("collections", "OrderedDict").text("model").storage(count: 1).bytes
      for _ in 0..<Int.random(in: 1...60, using: &random) { pickle.append(codes.randomElement(using: &random)!) }
      survive(torchFile(pickle + [0x2e], storages: ["0": [0, 0, 0, 0]]), "random.pt")
    }
  }

  @Test func deepNesting() throws {
    // Tuples in tuples, lists in lists, marks on marks: far deeper than any stack.
    let tuples: [UInt8] = [0x80, 2, 0x4e] + [UInt8](repeating: 0x85, count: 2_000_000) + [0x2e]
    survive(torchFile(tuples), "deep.pt")
    var lists: [UInt8] = [0x80, 2] + [UInt8](repeating: 0x5d, count: 1_000_000)
    lists += [UInt8](repeating: 0x61, count: 999_999) + [0x2e]
    survive(torchFile(lists), "deep.pt")
    let marks = [0x80, 2] + [UInt8](repeating: 0x28, count: 1_000_000)
    survive(torchFile(marks), "marks.pt")
    let json = String(repeating: "[", count: 1_000_000)
    survive(safetensorsFile("{\"a\":" + json), "deep.safetensors")
  }

  /// A module that is its own child, and a lattice of modules with 2¹⁰⁰ paths.
  @Test func endlessModules() {
    let own = Pickle().object("m", "M").put(0).dict { $0.text("_modules").dict { $0.text("me").get(0) } }.op("b").end
    #expect(message { _ = try parseCheckpoint(torchFile(own), path: "x") }?.contains("nested without end") == true)
    var lattice = Pickle().object("m", "M").dict { $0.text("_modules").dict { $0 } }.op("b").put(0)
    for _ in 0..<90 {
      lattice = lattice.object("m", "M").dict { $0.text("_modules").dict { $0.text("a").get(0).text("b").get(0) } }
        .op("b").put(0)
    }
    #expect(
      message { _ = try parseCheckpoint(torchFile(lattice.end), path: "x") }?.contains("nested without end") == true)
  }

  @Test func selfReferenceIsFine() throws {
    let pickle = Pickle().dict { $0.text("w").tensor([1], strides: [1], count: 1) }.put(0)
      .op("(").text("me").get(0).op("u").end
    let checkpoint = try parseCheckpoint(torchFile(pickle, storages: ["0": [0, 0, 128, 63]]), path: "x")
    #expect(checkpoint.tensors == ["w": HostTensor(shape: [1], values: [1])])
  }

  /// Few bytes that claim to be many.
  @Test func bombs() {
    let views = Pickle().dict { $0.text("w").tensor([30_000, 30_000], strides: [0, 0], count: 1) }.end
    #expect(
      message { _ = try parseCheckpoint(torchFile(views, storages: ["0": [0, 0, 0, 0]]), path: "x") }?
        .contains("unfold to far more") == true)
    let declared = npyFile("{'descr':'<f4','fortran_order':False,'shape':(4611686018427387904,)}")
    #expect(message { _ = try parseNPY(declared[...], path: "x", region: "the file") } != nil)
    let empty = npyFile("{'descr':'<f4','fortran_order':True,'shape':(0,4611686018427387904,4611686018427387904)}")
    #expect(message { _ = try parseNPY(empty[...], path: "x", region: "the file") } != nil)
  }

  @Test func executesNothing() throws {
    for name in ["refused-system.pt", "refused-eval.pt"] {
      #expect(throws: FormatError.self) { try readCheckpoint(Fixture.path(name)) }
    }
    #expect(access("spdc-was-here", F_OK) != 0)
  }
}
