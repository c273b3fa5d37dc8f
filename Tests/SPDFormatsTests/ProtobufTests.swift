import Testing

@testable import SPDFormats

/// Protocol Buffers' wire format, against the examples of its specification.
@Suite struct ProtobufTests {
  private struct Every: ProtobufMessage {
    func write(to writer: inout ProtobufWriter) {
      writer.int(1, 150)
      writer.string(2, "testing")
      writer.message(3, Nested())
      writer.int(4, -2)
      writer.float(5, -1.5)
      writer.double(6, 0.1)
      writer.ints(16, [0, 127, 128])
      writer.strings(17, ["", "ü"])
      writer.bytes(18, [UInt8](repeating: 7, count: 200))
      writer.int(19, nil)
    }
  }

  private struct Nested: ProtobufMessage {
    func write(to writer: inout ProtobufWriter) { writer.int(1, 150) }
  }

  @Test func bytesOfEveryType() {
    let expected: [UInt8] =
      [0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8) + [0x1a, 0x03, 0x08, 0x96, 0x01]
      + [0x20, 0xfe] + [UInt8](repeating: 0xff, count: 8) + [0x01, 0x2d, 0x00, 0x00, 0xc0, 0xbf]
      + [0x31, 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f]
      + [0x80, 0x01, 0x00, 0x80, 0x01, 0x7f, 0x80, 0x01, 0x80, 0x01]
      + [0x8a, 0x01, 0x00, 0x8a, 0x01, 0x02, 0xc3, 0xbc] + [0x92, 0x01, 0xc8, 0x01]
      + [UInt8](repeating: 7, count: 200)
    #expect(ProtobufWriter.bytes(of: Every()) == expected)
    #expect(ProtobufWriter.size(of: Every()) == expected.count)
  }

  @Test func readsWhatWasWritten() throws {
    var reader = ProtobufReader(ProtobufWriter.bytes(of: Every())[...], path: "f")
    var fields: [(Int, ProtobufReader.Value)] = []
    while let next = try reader.next() { fields.append(next) }
    #expect(fields.map(\.0) == [1, 2, 3, 4, 5, 6, 16, 16, 16, 17, 17, 18])
    let values = fields.map(\.1)
    #expect(values[0].int == 150 && values[1].string == "testing" && values[3].int == -2)
    #expect(values[2].bytes.map(Array.init) == [0x08, 0x96, 0x01])
    #expect(values[4].float == -1.5 && values[5].double == 0.1)
    #expect(values[6...8].map(\.int) == [0, 127, 128] && values[9...10].map(\.string) == ["", "ü"])
    #expect(values[0].string == nil && values[1].int == nil && values[5].float == nil)
  }

  @Test(
    arguments: [
      ([0x00], "0 is no field number (byte 0 of a message)"),
      ([0x0b], "field 1 has the wire type 3, which is not used (byte 0 of a message)"),
      ([0x08], "ends early: 1 bytes wanted for field 1, 0 left (byte 1 of a message). Copy the file again"),
      ([0x0d, 0, 0], "ends early: 4 bytes wanted for field 1, 2 left (byte 1 of a message). Copy the file again"),
      ([0x0a, 5, 1], "ends early: 5 bytes wanted for field 1, 1 left (byte 2 of a message). Copy the file again"),
      ([0x08] + [UInt8](repeating: 0xff, count: 10), "field 1 is a number of more than 64 bits (byte 1 of a message)"),
      (
        [0x0a] + [UInt8](repeating: 0xff, count: 9) + [1],
        "18446744073709551615 bytes are no length (byte 1 of a message)"
      ),
      ([0x80, 0x80, 0x80, 0x80, 0x10], "536870912 is no field number (byte 0 of a message)"),
    ] as [([UInt8], String)])
  func damageIsNamed(bytes: [UInt8], problem: String) {
    var reader = ProtobufReader(bytes[...], path: "f")
    #expect {
      while try reader.next() != nil {}
    } throws: { "\($0)" == "f: \(problem)" }
  }
}
