import Foundation
import Testing

@testable import SPDFormats

/// The cost of a file is bounded by its size. Without the bounds, these run for minutes or take gigabytes.
@Suite(.timeLimit(.minutes(1))) struct BoundedWorkTests {
  private func refusal(_ name: String) -> String? {
    let folder = Fixture.folder + "/../HostileFixtures/"
    return message { _ = try readCheckpoint(folder + name) }
  }

  /// 20 000 arrays that all refer to one text of 30 MB.
  @Test func sharedText() { #expect(refusal("numpy-text-hang.pt")?.contains("holds no weights") == true) }

  /// Modules that contain each other, with 800 000 values beside the attributes.
  @Test func moduleLattice() {
    let text = refusal("module-dag-hang.pt")
    #expect(
      text?.contains("nested without end") == true || text?.contains("holds no weights") == true, "\(text ?? "read")")
  }

  /// An axis of one element whose stride is 2⁶³ − 1.
  @Test func strideOfASingleElement() throws {
    let checkpoint = try readCheckpoint(Fixture.folder + "/../HostileFixtures/stride-overflow.pt")
    #expect(checkpoint.tensors["w"]?.shape == [1, 2])
  }

  /// 96 MB of zeros in 100 kB.
  @Test func deflatedZeros() {
    #expect(
      refusal("zeros.npz")?.contains("at most 67108864 values are read from") == true,
      "\(refusal("zeros.npz") ?? "read")")
  }

  /// One long key under which thousands of entries are put.
  @Test func sharedKey() {
    let key = String(repeating: "k", count: 1 << 20)
    var pickle = Pickle().text(key).put(1).op("0").dict { $0 }
    pickle = pickle.raw([[UInt8]](repeating: [0x68, 1, 0x4e, 0x73], count: 50_000).flatMap { $0 })
    #expect(
      message { _ = try parseCheckpoint(torchFile(pickle.end), path: "x") }?.contains("again and again") == true)
  }

  /// A row of axes of one element must not make every element slow.
  @Test func manyAxes() throws {
    let shape = [1 << 20, 2] + [Int](repeating: 1, count: 60)
    let strides = [1, 1 << 20] + [Int](repeating: 7, count: 60)
    guard
      case .success(let layout) = StridedLayout.checked(
        shape: shape, strides: strides, offset: 0, available: 1 << 21)
    else {
      Issue.record("the layout is refused")
      return
    }
    let storage = (0..<1 << 21).map { UInt8($0 >> 20) }
    #expect(layout.gather(from: storage[...], elementSize: 1).prefix(4).elementsEqual([0, 1, 0, 1]))
  }

  /// numpy has no such array either, nor has the library of safetensors.
  @Test(arguments: [[0, 1 << 62], [1 << 62, 0], [1 << 32, 0, 1 << 31]]) func emptyArraysOfAbsurdShape(_ shape: [Int])
    throws
  {
    let folder = try TemporaryFolder()
    let tensor = HostTensor(shape: shape, values: [])
    for write in [
      { try writeSafetensors([("a", tensor)], to: folder.file("a.safetensors")) },
      { try writeNPZ([("a", tensor)], to: folder.file("a.npz")) }, { try writeNPY(tensor, to: folder.file("a.npy")) },
    ] {
      #expect(message { try write() }?.contains("no array has the shape") == true)
    }
    #expect(folder.names.isEmpty)
    let text = shape.map(String.init).joined(separator: ", ")
    let array = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (\(text))}")
    #expect(
      message { _ = try parseNPY(array[...], path: "x", region: "the file") }?.contains("more elements than") == true)
    try writeNPY(HostTensor(shape: [0, 3], values: []), to: folder.file("b.npy"))
    #expect(try readNPY(folder.file("b.npy")).shape == [0, 3])
  }
}
