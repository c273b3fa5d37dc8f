import Foundation
import Testing

@testable import SPDVision

@Suite struct FileTests {
  @Test func pngRoundTripIsExact() throws {
    try withTemporaryFolder { folder in
      for (width, height) in [(1, 1), (7, 3), (64, 50)] {
        let image = noise(width, height, seed: 5)
        try image.write(to: "\(folder)/a.PNG")
        #expect(try Image(contentsOf: "\(folder)/a.PNG") == image)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.PNG"])
    }
  }

  @Test func jpegRoundTripIsClose() throws {
    try withTemporaryFolder { folder in
      var image = Image(width: 40, height: 30, filledWith: RGB(200, 30, 90))
      for index in image.pixels.indices { image.pixels[index] &+= UInt8(index / 3 % 40 / 2) }
      try image.write(to: "\(folder)/a.jpg")
      let read = try Image(contentsOf: "\(folder)/a.jpg")
      #expect(read.width == 40 && read.height == 30)
      #expect(zip(read.pixels, image.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 6 })
    }
  }

  @Test func contentDecidesAndNotTheName() throws {
    try withTemporaryFolder { folder in
      let image = noise(4, 4, seed: 1)
      try image.write(to: "\(folder)/a.png")
      try FileManager.default.moveItem(atPath: "\(folder)/a.png", toPath: "\(folder)/a.jpg")
      #expect(try Image(contentsOf: "\(folder)/a.jpg") == image)
    }
  }

  @Test func aFailedWriteLeavesWhatWasThere() throws {
    try withTemporaryFolder { folder in
      // A folder in the way makes the rename fail.
      try FileManager.default.createDirectory(atPath: "\(folder)/a.png/x", withIntermediateDirectories: true)
      let error = expectError { try noise(2, 2, seed: 1).write(to: "\(folder)/a.png") }
      #expect(error?.what.hasPrefix("cannot be written") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
    }
  }

  @Test func errorsNameFileReasonAndRemedy() throws {
    try withTemporaryFolder { folder in
      func reading(_ bytes: [UInt8], limit: Int = Image.pixelLimit) -> String {
        expectError { _ = try Image.decode(bytes, path: "f", pixelLimit: limit) }?.description ?? "no error"
      }
      #expect(
        expectError { _ = try Image(contentsOf: "\(folder)/none.png") }?.description
          == "\(folder)/none.png: cannot be opened: No such file or directory; check the path and its permissions")
      #expect(
        expectError { _ = try Image(contentsOf: folder) }?.description
          == "\(folder): is a directory; a file is wanted; name a file in it")
      #expect(reading([]) == "f: the file is empty; give a JPEG, PNG or BMP file")
      #expect(reading(Array("GIF89a".utf8)) == "f: the file is a GIF, not JPEG, PNG or BMP; convert it to JPEG or PNG")
      #expect(reading(Array("RIFF1234WEBP".utf8)).contains("a WebP"))
      #expect(reading(Array("hello".utf8)).contains("something else"))
      let png = try RecordedFile.named("png rgb 8")
      let jpeg = try RecordedFile.named("jpeg 4:2:0")
      #expect(reading(png.dropLast(14)).hasPrefix("f: the PNG is damaged or cut off ("))
      #expect(reading(jpeg.dropLast(20)).hasPrefix("f: the JPEG is damaged or cut off ("))
      for file in [png, jpeg] { #expect(reading(file, limit: 19).contains("at most 19 are read; scale it down")) }
    }
  }

  @Test func errorsOfWriting() throws {
    let image = noise(2, 2, seed: 1)
    var wrong = image
    wrong.pixels.removeLast()
    #expect(expectError { try image.write(to: "a.gif") }?.remedy == "use .png, .jpg or .jpeg")
    #expect(expectError { try image.write(to: "/no/such/folder/a.png") }?.what.contains("cannot be written") == true)
    #expect(expectError { try wrong.write(to: "a.png") }?.what.contains("11 bytes") == true)
    let wide = Image(width: 65501, height: 1, filledWith: RGB(1, 2, 3))
    #expect(expectError { try wide.write(to: "a.jpg") }?.what == "a JPEG has at most 65500 pixels a side")
    let wider = Image(width: 1_000_001, height: 1, filledWith: RGB(1, 2, 3))
    #expect(expectError { try wider.write(to: "a.png") }?.what.hasPrefix("cannot be encoded") == true)
  }

  @Test func hugeClaimsAreRefusedBeforeMemoryIsAsked() throws {
    // A PNG header that says 2^31 - 1 squared, with a right checksum.
    let header: [UInt8] = [
      0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0x7F, 0xFF, 0xFF, 0xFF,
      0x7F, 0xFF, 0xFF, 0xFF, 8, 2, 0, 0, 0,
    ]
    let bytes = header + pngChecksum(header[12...]) + pngChunk("IDAT") + pngChunk("IEND")
    let error = expectError { _ = try Image.decode(bytes, path: "f") }
    #expect(error?.what == "the image declares 2147483647×2147483647 pixels; at most 178956970 are read")
  }

  private func pngChunk(_ kind: String) -> [UInt8] {
    let name = Array(kind.utf8)
    return [0, 0, 0, 0] + name + pngChecksum(name[...])
  }

  private func pngChecksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return withUnsafeBytes(of: (~crc).bigEndian) { Array($0) }
  }
}
