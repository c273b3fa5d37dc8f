import Foundation
import Testing

@testable import SPDFormats

struct WriterTests {
  let tensors: [NamedTensor] = [
    ("conv.weight", HostTensor(shape: [2, 3], values: [1, -2, .infinity, 0.1, -0.0, Float.leastNonzeroMagnitude])),
    ("scalar", HostTensor(shape: [], values: [7])), ("empty \"ö\"\n", HostTensor(shape: [0, 4], values: [])),
    ("long", HostTensor(shape: [70_000], values: (0..<70_000).map(Float.init))),
  ]

  private func expectSame(_ read: [NamedTensor]) {
    #expect(read.map(\.name) == tensors.map(\.name))
    for (first, second) in zip(read, tensors) { #expect(isSame(first.tensor, second.tensor)) }
  }

  @Test func npyRoundTrip() throws {
    let folder = try TemporaryFolder()
    for (index, (_, tensor)) in tensors.enumerated() {
      let path = folder.file("\(index).npy")
      try writeNPY(tensor, to: path)
      #expect(isSame(try readNPY(path), tensor))
      // numpy wants the elements at a multiple of 64 bytes.
      #expect((try readWholeFile(path).count - tensor.values.count * 4) % 64 == 0)
    }
  }

  @Test func npzRoundTrip() throws {
    let path = try TemporaryFolder().path + ".npz"
    defer { unlink(path) }
    try writeNPZ(tensors, to: path)
    expectSame(try readNPZ(path))
    let first = try readWholeFile(path)
    try writeNPZ(tensors, to: path)
    #expect(try readWholeFile(path) == first)
  }

  /// What archives above 4 GB need, on a small one.
  @Test func zip64RoundTrip() throws {
    let bytes = zipArchive(
      [("a.npy", npyFile("{'descr':'<f4','fortran_order':False,'shape':(2,)}", data: 8))], wideFrom: 1)
    #expect(try parseNPZ(ZipArchive(bytes, path: "x"))[0].tensor == HostTensor(shape: [2], values: [0, 0]))
    let many = zipArchive((0..<70_000).map { ("\($0)", []) })
    #expect(try ZipArchive(many, path: "x").entries.count == 70_000)
  }

  @Test func safetensorsRoundTrip() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("w.safetensors")
    let metadata = ["names": "[\"a\", \"b\"]", "odd \u{1} key": "tab\t and \\"]
    try writeSafetensors(tensors, metadata: metadata, to: path)
    let read = try readSafetensors(path)
    expectSame(read.order.map { ($0, read.tensors[$0]!) })
    #expect(read.metadata == metadata)
    #expect(read.classNames == ["a", "b"])
  }

  /// Every half is itself again; between two of them, the nearer one is taken, and the even one in the middle.
  @Test func halvesAreRounded() throws {
    // One expectation: 300 000 of them would take seconds.
    let wrong = (UInt16.min...UInt16.max).filter { bits in
      let value = HalfFloat.float32(half: bits)
      if value.isNaN { return !HalfFloat.float32(half: HalfFloat.half(value)).isNaN }
      guard HalfFloat.half(value) == bits else { return true }
      guard bits & 0x7fff < 0x7bff else { return false }
      let middle = (value + HalfFloat.float32(half: bits + 1)) / 2
      let (less, more) = value < middle ? (middle.nextDown, middle.nextUp) : (middle.nextUp, middle.nextDown)
      return HalfFloat.half(middle) != bits + bits & 1 || HalfFloat.half(less) != bits
        || HalfFloat.half(more) != bits + 1
    }
    #expect(wrong == [])
  }

  @Test func safetensorsOfHalves() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("h.safetensors")
    let values: [Float] = [1, -0.333, 65504, 1e-7, .infinity]
    try writeSafetensors([("a", HostTensor(shape: [5], values: values))], as: .float16, to: path)
    let read = try #require(try readSafetensors(path).tensors["a"])
    #expect(read.values == values.map { HalfFloat.float32(half: HalfFloat.half($0)) } && read.values[0] == 1)
    let large = HostTensor(shape: [1], values: [65520])
    #expect(
      message { try writeSafetensors([("b", large)], as: .float16, to: path) }?.contains("b has a value beyond") == true
    )
  }

  @Test func writerRefusals() {
    let scalar = HostTensor(shape: [], values: [1])
    let wrong = HostTensor(shape: [2], values: [1])
    let path = NSTemporaryDirectory() + "/spdformats-never-written"
    func expectRefusal(_ text: String, _ body: () throws -> Void) {
      #expect(message(body)?.contains(text) == true)
      #expect(access(path, F_OK) != 0)
    }
    expectRefusal("shape 2 does not fit 1 values") { try writeNPY(wrong, to: path) }
    expectRefusal("(tensor \"a\")") { try writeNPZ([("a", wrong)], to: path) }
    expectRefusal("two tensors are named \"a\"") { try writeNPZ([("a", scalar), ("a", scalar)], to: path) }
    expectRefusal("two tensors are named \"a\"") { try writeSafetensors([("a", scalar), ("a", scalar)], to: path) }
    let longName = String(repeating: "n", count: 70_000)
    expectRefusal("a tensor's name has 70000 bytes") { try writeNPZ([(longName, scalar)], to: path) }
    expectRefusal("a tensor is named __metadata__") { try writeSafetensors([("__metadata__", scalar)], to: path) }
    let longText = String(repeating: String(repeating: "m", count: 1001), count: 100_000)
    expectRefusal("exceed 100 MB") { try writeSafetensors([], metadata: ["m": longText], to: path) }
  }

  @Test func failedWriteLeavesTheOldFile() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let path = folder.file("weights")
    try writeAtomically(to: path) { try $0.write(Array("old".utf8)) }
    #expect(throws: Stop.self) {
      try writeAtomically(to: path) {
        try $0.write([UInt8](repeating: 1, count: 1_000_000))
        throw Stop()
      }
    }
    #expect(try readWholeFile(path) == Array("old".utf8))
    #expect(folder.names == ["weights"])
  }

  @Test func linksAndModesSurvive() throws {
    let folder = try TemporaryFolder()
    try writeAtomically(to: folder.file("real")) { try $0.write([1]) }
    chmod(folder.file("real"), 0o640)
    symlink("real", folder.file("link"))
    try writeAtomically(to: folder.file("link")) { try $0.write([2]) }
    #expect(try readWholeFile(folder.file("real")) == [2])
    var status = stat()
    #expect(lstat(folder.file("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(folder.file("real"), &status) == 0 && status.st_mode & 0o777 == 0o640)
  }

  @Test func systemErrorsAreSpoken() throws {
    let folder = try TemporaryFolder()
    let big = HostTensor(shape: [100_000], values: [Float](repeating: 1, count: 100_000))
    #expect(message { try writeNPY(big, to: "/dev/full") } == "/dev/full: cannot be written: No space left on device")
    #expect(message { try writeNPY(big, to: folder.path) }?.hasSuffix("cannot be written: Is a directory") == true)
    let missing = folder.file("no/such/folder/w.npz")
    #expect(message { try writeNPZ([], to: missing) } == "\(missing): cannot be written: No such file or directory")
  }
}
