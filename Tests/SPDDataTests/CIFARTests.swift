import SPDVision
import Testing

@testable import SPDData

/// The Python version is read from files that Python 2 wrote; see Fixtures/make_cifar.py.
struct CIFARTests {
  private static let pickles = Fixture.folder + "/cifar-10-batches-py"

  /// Image `number` of the fixtures.
  private static func image(_ number: Int, modulus: Int = 256) -> Image {
    let planes = (0..<3072).map { (index: Int) -> UInt8 in UInt8((37 * index + 101 * number) % modulus) }
    let pixels = (0..<3072).map { planes[$0 % 3 * 1024 + $0 / 3] }
    return Image(width: 32, height: 32, pixels: pixels)
  }

  @Test func picklesOfPython2() throws {
    let data = try openDataset(Self.pickles)
    #expect(data.training.name == "CIFAR-10, training")
    #expect(
      data.training.classNames
        == ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"])
    #expect(data.training.count == 6)
    #expect(data.validation.count == 1)
    for index in 0..<6 {
      let expected = Self.image(index, modulus: index == 2 ? 128 : 256)
      #expect(try data.training.sample(index) == Sample(image: expected, annotation: .classIndex(Int32(index))))
    }
    #expect(try data.validation.sample(0) == Sample(image: Self.image(6), annotation: .classIndex(6)))
    #expect(data.training.origin(3) == Self.pickles + "/data_batch_3, image 0")
    #expect(data.training.classCounts == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
  }

  @Test func picklesOfCIFAR100() throws {
    let data = try openDataset(Fixture.folder + "/cifar-100-python/")
    #expect(data.training.classNames.count == 100)
    #expect(data.training.classNames[99] == "fine 99")
    #expect(data.training.count == 2)
    // Stored column-major.
    for index in 0..<2 { #expect(try data.training.image(index) == Self.image(index)) }
    #expect(try data.validation.sample(0) == Sample(image: Self.image(2), annotation: .classIndex(2)))
  }

  /// Writes CIFAR-10 in its binary version, one image a file, in a folder of the usual name.
  private static func binary(_ folder: TemporaryFolder, change: (inout [String: [UInt8]]) -> Void = { _ in }) throws {
    var files: [String: [UInt8]] = [:]
    for (index, name) in ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]).enumerated() {
      files[name] = [UInt8(index)] + (0..<3072).map { UInt8((37 * $0 + 101 * index) % 256) }
    }
    files["batches.meta.txt"] = Array("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".utf8)
    change(&files)
    for (name, bytes) in files { try folder.write("cifar-10-batches-bin/" + name, bytes) }
  }

  @Test func binaryVersion() throws {
    let folder = try TemporaryFolder()
    try Self.binary(folder)
    // Found one folder deeper.
    let data = try openDataset(folder.path)
    #expect(data.training.count == 5 && data.validation.count == 1)
    #expect(data.training.classNames.joined() == "abcdefghij")
    for index in 0..<5 {
      #expect(
        try data.training.sample(index) == Sample(image: Self.image(index), annotation: .classIndex(Int32(index))))
    }
  }

  @Test func binaryVersionOfCIFAR100() throws {
    let folder = try TemporaryFolder()
    let pixels = (0..<3072).map { UInt8(37 * $0 % 256) }
    try folder.write("train.bin", [3, 77] + pixels + [4, 12] + pixels)
    try folder.write("test.bin", [3, 99] + pixels)
    try folder.write("fine_label_names.txt", (0..<100).map { "\($0)\r\n" }.joined())
    let data = try openDataset(folder.path)
    #expect((0..<2).map { data.training.annotation($0).label } == [77, 12])
    #expect(data.validation.classNames[99] == "99")
    #expect(try data.training.image(1) == Self.image(0))
  }

  @Test func everyMessage() throws {
    func problem(_ change: (inout [String: [UInt8]]) -> Void) throws -> String {
      let folder = try TemporaryFolder()
      try Self.binary(folder, change: change)
      let inner = folder.path + "/cifar-10-batches-bin/"
      return message { _ = try openDataset(folder.path) }?.replacing(inner, with: "") ?? "none"
    }
    #expect(
      try problem { $0["data_batch_2.bin"]!.removeLast() }
        == "data_batch_2.bin: has 3072 bytes, not a multiple of the record size 3073; download CIFAR-10 again; its binary "
        + "version is meant")
    #expect(try problem { $0["data_batch_2.bin"] = [] }.hasPrefix("data_batch_2.bin: has 0 bytes"))
    #expect(
      try problem { $0["test_batch.bin"]![0] = 10 }
        == "test_batch.bin: image 0 has the label 10; CIFAR-10 has 0 to 9; download CIFAR-10 again")
    #expect(
      try problem { $0["data_batch_4.bin"] = nil }
        == "data_batch_4.bin: cannot be opened: No such file or directory; download the data set again")
    #expect(
      try problem { $0["batches.meta.txt"] = Array("a\nb".utf8) }
        == "batches.meta.txt: names 2 classes; CIFAR-10 has 10; download CIFAR-10 again")
  }

  @Test func messagesOfPickles() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/part"
    func problem(_ pickle: [UInt8]) throws -> String {
      try folder.write("part", pickle)
      return message { _ = try CIFAR.pickledPart(path, .ten) } ?? "none"
    }
    #expect(try problem(Array("hello".utf8)).contains("is not a pickle of protocol 2 to 5"))
    // {"a": []}
    #expect(
      try problem([0x80, 2, 0x7d, 0x55, 1, 0x61, 0x5d, 0x73, 0x2e])
        == "\(path): the dict has no entry \"data\", only \"a\"; download the data set again")
    // os.system("true")
    let attack = [0x80, 2] + Array("cos\nsystem\n".utf8) + [0x55, 4] + Array("true".utf8) + [0x85, 0x52, 0x2e]
    #expect(try problem(attack).contains("the pickle would call os.system; refused"))
    // One file's array beside the labels of none: [] instead of the list of two.
    var real = try readDataFile(Self.pickles + "/data_batch_1")
    let labels = Array("labels".utf8)
    let start = real.indices.first { real[$0...].starts(with: labels) }! + labels.count
    let list = real[start...].firstIndex(of: 0x5d)!
    #expect(Array(real[(list + 3)...].prefix(6)) == [0x28, 0x4b, 0, 0x4b, 1, 0x65])
    real.removeSubrange(list + 3..<list + 9)
    #expect(
      try problem(real)
        == "\(path): has 0 labels and data of shape 2×3072; 3072 bytes an image; download CIFAR-10 again; its Python "
        + "version is meant")
  }
}
