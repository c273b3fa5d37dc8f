import Testing

@testable import SPDData

/// Damaged and hostile IDX files: each ends in an error that names the file and the fault.
struct IDXFaultTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, bytes) in IDXTests.files() { try folder.write(name, bytes) }
  }

  /// The message for the data set with one file replaced, without the folder.
  private func problem(_ name: String, _ bytes: [UInt8]) throws -> String {
    try folder.write(name, bytes)
    return message { _ = try openDataset(folder.path) }?.replacing(folder.path + "/", with: "") ?? "none"
  }

  private let images = "train-images-idx3-ubyte"
  private let labels = "train-labels-idx1-ubyte"

  @Test func unpackedFiles() throws {
    let whole = IDXTests.images(3)
    #expect(
      try problem(images, whole.dropLast())
        == "\(images): has 2367 bytes; its header declares 3×28×28 elements, thus 2368 bytes; copy or download the file "
        + "again")
    #expect(try problem(images, whole + [0]).contains("has 2369 bytes; its header declares 3×28×28 elements"))
    #expect(try problem(images, []).contains("ends in its header of 16 bytes, after 0"))
    #expect(try problem(images, Array(whole.prefix(15))).contains("ends in its header of 16 bytes, after 15"))
    #expect(
      try problem(images, Array("P5 28 28 255 pixels".utf8)).contains(
        "starts with 50 35 20 32; an IDX file starts with 00 00"))
    #expect(
      try problem(images, IDXTests.file([3, 28, 28], [], type: 0x0d))
        .contains("has elements of type 0x0d; only 0x08, unsigned bytes, is read"))
    #expect(
      try problem(images, IDXTests.file([16], [UInt8](repeating: 0, count: 16)))
        .contains("has 1 dimensions; images have 3; check that images and labels are not interchanged"))
    #expect(
      try problem(images, IDXTests.file([3, 0, 28], [])).contains("has images of 28×0 pixels; sides are 1 to 4096"))
    #expect(
      try problem(images, IDXTests.file([3, 1, 5000], [UInt8](repeating: 0, count: 15_000))).contains("5000×1 pixels"))
  }

  @Test func countsAndLabels() throws {
    #expect(
      try problem(labels, IDXTests.file([2], [1, 2]))
        == "\(labels): has 2 labels for 3 images of \(images); download both files again")
    #expect(
      try problem(labels, IDXTests.file([3], [1, 10, 2])).contains("image 1 has the label 10; the classes are 0 to 9"))
    try folder.write(labels, IDXTests.file([0], []))
    #expect(try problem(images, IDXTests.file([0, 28, 28], [])).contains("\(images): has no images"))
  }

  @Test(arguments: [[0xffff_ffff, 0xffff_ffff, 0], [3, 0, 4]]) func imagesWithoutPixels(dimensions: [Int]) throws {
    let file = IDXTests.file(dimensions, [])
    for file in [file, gzipped(file)] {
      #expect(try problem(images, file).contains("pixels; sides are 1 to"))
    }
  }

  @Test(arguments: [[0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 1024, 1024], [0x4000_0000, 4, 4_294_967]])
  func countsThatNoMachineHolds(dimensions: [Int]) throws {
    let file = IDXTests.file(dimensions, [1, 2, 3])
    #expect(try problem(images, file).contains("elements, more than half of this machine's memory"))
    #expect(try problem(images, gzipped(file)).contains("elements, more than its compressed bytes can hold"))
  }

  @Test func packedFiles() throws {
    // Packed bytes are recognised whatever the name.
    let whole = IDXTests.images(3)
    let packed = gzipped(whole)
    #expect(try problem(images, packed) == "none")
    #expect(try problem(images, packed.dropLast(9)).contains("ends within its gzip stream"))
    #expect(try problem(images, packed + [7, 7]).contains("has 2 bytes after its gzip stream"))
    #expect(try problem(images, gzipped(whole + [0])).contains("holds more bytes than its header declares"))
    #expect(
      try problem(images, gzipped(whole.dropLast(100))).contains("holds 2252 elements; its header declares 3×28×28"))
    var damaged = packed
    damaged[packed.count - 6] ^= 1  // of the CRC-32
    #expect(try problem(images, damaged).contains("the gzip stream is damaged"))
    damaged = packed
    damaged[14] ^= 0xff
    #expect(try problem(images, damaged).contains("gzip stream"))
  }

  @Test func bombIsNotInflated() throws {
    // 64 MiB of zeros after a header of three images: only the declared elements and one byte are inflated.
    let bomb = gzipped(IDXTests.file([3, 28, 28], [UInt8](repeating: 0, count: 64 << 20)))
    #expect(bomb.count < 100_000)
    #expect(try problem(images, bomb).contains("holds more bytes than its header declares"))
  }

  @Test func nameOfPackedFileWithOtherContent() throws {
    try folder.write("train-images-idx3-ubyte.gz", IDXTests.images(3))
    try folder.remove(images)
    #expect(
      message { _ = try openDataset(folder.path) }?.contains("is named .gz, but does not start as a gzip file") == true)
  }

  @Test func everyPrefixAndEveryFlippedByteIsReadOrRefused() throws {
    let packed = gzipped(IDXTests.file([3, 4, 4], (0..<48).map { UInt8($0) }))
    for length in 0..<packed.count { #expect(try problem(images, Array(packed.prefix(length))) != "none") }
    for index in packed.indices {
      var changed = packed
      changed[index] ^= 0x55
      _ = try problem(images, changed)
    }
  }
}
