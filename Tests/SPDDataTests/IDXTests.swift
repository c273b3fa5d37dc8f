import CZlib
import SPDVision
import Testing

@testable import SPDData

/// Files in IDX format are written by the tests; real ones differ only in their counts.
struct IDXTests {
  /// The bytes of an IDX file of unsigned bytes.
  static func file(_ dimensions: [Int], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
    let sizes = dimensions.flatMap { size in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } }
    return [0, 0, type, UInt8(dimensions.count)] + sizes + elements
  }

  /// Pixel (x, y) of stored image `index`.
  static func pixel(_ index: Int, _ x: Int, _ y: Int) -> UInt8 { UInt8((7 * x + 13 * y + 50 * index) % 256) }

  static func images(_ count: Int, side: Int = 28) -> [UInt8] {
    let pixels = (0..<count).flatMap { index in
      (0..<side * side).map { pixel(index, $0 % side, $0 / side) }
    }
    return file([count, side, side], pixels)
  }

  /// The four files: three images for training with the labels 3, 0, 9, two for validation with the labels 1, 2.
  static func files(joint: String = "-") -> [String: [UInt8]] {
    [
      "train-images\(joint)idx3-ubyte": images(3), "train-labels\(joint)idx1-ubyte": file([3], [3, 0, 9]),
      "t10k-images\(joint)idx3-ubyte": images(2), "t10k-labels\(joint)idx1-ubyte": file([2], [1, 2]),
    ]
  }

  /// Stored image `index` averaged by squares of `factor` pixels, in the middle of black pixels.
  static func expected(_ index: Int, factor: Int, side: Int) -> Image {
    let own = 28 / factor
    let border = (side - own) / 2
    var image = Image(width: side, height: side, filledWith: RGB(0, 0, 0))
    for y in 0..<own {
      for x in 0..<own {
        let square = (0..<factor * factor).map {
          Double(pixel(index, x * factor + $0 % factor, y * factor + $0 / factor))
        }
        let mean = (square.reduce(0, +) / Double(square.count)).rounded()
        for channel in 0..<3 { image.pixels[((y + border) * side + x + border) * 3 + channel] = UInt8(mean) }
      }
    }
    return image
  }

  @Test(arguments: ["-", "."], [false, true])
  func folderIsRecognised(joint: String, isPacked: Bool) throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.files(joint: joint) {
      try folder.write("mnist/" + name + (isPacked ? ".gz" : ""), isPacked ? gzipped(bytes) : bytes)
    }
    // Found one folder deeper, too.
    for name in [folder.path, folder.path + "/mnist/", "idx:\(folder.path)/mnist", "idx:\(folder.path)/mnist/"] {
      let data = try openDataset(name)
      #expect(data.training.name == "mnist, training" && data.validation.name == "mnist, validation")
      #expect(data.training.classNames == (0..<10).map(String.init))
      #expect((0..<data.training.count).map { data.training.annotation($0).label } == [3, 0, 9])
      #expect((0..<data.validation.count).map { data.validation.annotation($0).label } == [1, 2])
      for index in 0..<3 { #expect(try data.training.image(index) == Self.expected(index, factor: 1, side: 32)) }
      let path = "\(folder.path)/mnist/train-images\(joint)idx3-ubyte" + (isPacked ? ".gz" : "")
      #expect(data.training.origin(2) == "\(path), image 2")
    }
  }

  @Test(arguments: [(28, 32), (14, 16), (7, 8), (4, 8), (1, 8)])
  func pixelsAreAveragedToSide(side: Int, padded: Int) throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.files() { try folder.write(name, bytes) }
    let data = try openDataset("idx:\(folder.path):\(side)")
    #expect(data.training.name.hasSuffix(" at \(side)×\(side), training"))
    for index in 0..<2 {
      let image = try data.validation.image(index)
      #expect(image.width == padded && image.height == padded)
      // An odd border is one pixel wider at the end.
      #expect(image == Self.expected(index, factor: 28 / side, side: padded))
    }
  }

  @Test func classesFileNamesClasses() throws {
    let folder = try TemporaryFolder()
    var files = Self.files()
    files["train-labels-idx1-ubyte"] = Self.file([3], [0, 11, 2])
    for (name, bytes) in files { try folder.write(name, bytes) }
    #expect(
      message { _ = try openDataset(folder.path) }
        == "\(folder.path)/train-labels-idx1-ubyte: image 1 has the label 11; the classes are 0 to 9; write the name of "
        + "each class as a line of classes.txt beside the file")
    let names = (0..<12).map { "class \($0)" }
    try folder.write("classes.txt", names.joined(separator: "\r\n") + "\r\n\r\n")
    #expect(try openDataset(folder.path).training.classNames == names)
    try folder.write("classes.txt", "alone\n")
    #expect(message { _ = try openDataset(folder.path) }?.contains("classes.txt: names 1 classes") == true)
  }

  @Test func unpackedFileIsPreferred() throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.files() { try folder.write(name, bytes) }
    try folder.write("train-images-idx3-ubyte.gz", "broken")
    #expect(try openDataset(folder.path).training.count == 3)
  }

  @Test func namesWithoutFilesAreExplained() throws {
    let folder = try TemporaryFolder()
    try folder.write("notes.txt", "")
    #expect(
      message { _ = try openDataset("idx:" + folder.path) }
        == "\(folder.path): has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz; found notes.txt; name the folder "
        + "that holds the IDX files")
    #expect(message { _ = try openDataset("idx:") }?.contains("names no folder") == true)
    #expect(message { _ = try openDataset("idx::14") }?.contains("names no folder") == true)
    #expect(message { _ = try openDataset("idx:/nowhere:14") }?.contains("/nowhere: there is no such folder") == true)
    for (name, bytes) in Self.files() where name != "t10k-labels-idx1-ubyte" { try folder.write(name, bytes) }
    #expect(message { _ = try openDataset(folder.path) }?.contains("but no t10k-labels-idx1-ubyte or ") == true)
  }

  @Test(arguments: [-14, 0, 5, 56]) func sideMustDivide(side: Int) throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.files() { try folder.write(name, bytes) }
    #expect(
      message { _ = try openDataset("idx:\(folder.path):\(side)") }
        == "\(folder.path)/train-images-idx3-ubyte: has images of 28×28 pixels, which are not reduced to \(side)×\(side); "
        + "sides are 1, 2, 4, 7, 14, 28")
  }
}

/// Packs with gzip.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  precondition(
    deflateInit2_(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK)
  defer { deflateEnd(&stream) }
  var input = bytes
  return [UInt8](unsafeUninitializedCapacity: Int(deflateBound(&stream, uLong(bytes.count)))) { output, filled in
    input.withUnsafeMutableBufferPointer { input in
      (stream.next_in, stream.avail_in) = (input.baseAddress, uInt(input.count))
      (stream.next_out, stream.avail_out) = (output.baseAddress, uInt(output.count))
      precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
    }
    filled = output.count - Int(stream.avail_out)
  }
}
