import SPDVision
import Testing

@testable import SPDData

struct NetpbmTests {
  private func decode(_ header: String, _ pixels: [UInt8]) throws(DataError) -> [UInt8] {
    try decodeNetpbm(Array(header.utf8) + pixels, path: "f").pixels
  }

  @Test func coloursGreysAndDepths() throws {
    #expect(try decode("P6 1 2\n255\n", [1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4, 5, 6])
    // A comment, the first pixel a line feed, bytes after the image.
    #expect(try decode("P5\n#c\n 2 # d\n1 255\n", [10, 20, 99]) == [10, 10, 10, 20, 20, 20])
    #expect(try decode("P5 3 1 7 ", [0, 3, 7]) == [0, 0, 0, 109, 109, 109, 255, 255, 255])
    #expect(try decode("P6 1 1 65535 ", [0, 0, 128, 0, 255, 255]) == [0, 128, 255])
    #expect(try decode("P5 1 1 7 ", [200]) == [255, 255, 255])
  }

  @Test func everyMessage() {
    func problem(_ header: String, _ pixels: [UInt8] = []) -> String {
      message { _ = try decode(header, pixels) } ?? "none"
    }
    #expect(problem("P3 1 1 255 1 2 3") == "f: the image is a text PPM (P3); convert it to binary PPM, PNG or JPEG")
    #expect(problem("JPEG").contains("the file is no PPM or PGM, although named so"))
    for header in ["P6", "P6 1", "P6 1 1", "P6 1 1 255", "P6 x 1 255 ", "P6 -1 1 255 "] {
      #expect(problem(header) == "f: the header of the P6 image is damaged or cut off; get an intact copy")
    }
    #expect(problem("P6 1 1 0 ").contains("declares a maximum value of 0"))
    #expect(problem("P6 1 1 65536 ").contains("declares a maximum value of 65536"))
    #expect(problem("P6 0 1 255 ").contains("declares 0×1 pixels"))
    #expect(problem("P6 60000 60000 255 ").contains("declares 60000×60000 pixels"))
    #expect(problem("P6 99999999999999999999 1 255 ").contains("declares 1000000000×1 pixels"))
    #expect(
      problem("P6 1 1 255 ", [1, 2])
        == "f: the P6 image is cut off: 3 bytes of pixels wanted, 2 there; get an intact copy")
  }
}
