import Foundation
import SPDDriver
import Testing

@testable import SPDFormats
@testable import SPDTraining

struct EventFileTests {
  @Test func checksums() {
    #expect(CRC32C.of([]).value == 0)
    #expect(CRC32C.of(Array("123456789".utf8)).value == 0xe306_9283)
    // RFC 3720, appendix B.4.
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)).value == 0x8a91_36aa)
    #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32)).value == 0x62a8_ab43)
    #expect(CRC32C.of(Array(0..<32)).value == 0x46dd_794e)
    // In pieces of every length, so that the eight-byte steps start anywhere.
    let all = (0..<100).map { UInt8($0) }
    for cut in 0...100 {
      var crc = CRC32C()
      all[..<cut].withUnsafeBytes { crc.add($0) }
      all[cut...].withUnsafeBytes { crc.add($0) }
      #expect(crc.value == CRC32C.of(all).value)
    }
  }

  /// The bytes are those that TensorBoard's own writer gave for the same events.
  @Test func sameBytesAsTensorBoard() throws {
    let folder = try TemporaryFolder()
    var time = 1_700_000_000.25
    let writer = try EventWriter(folder: folder.path) { time }
    time += 1
    try writer.write(["train/loss": 2.25, "lr": 0.1], step: 1)
    time += 1
    try writer.write(["train/loss": 0, "lr": 1e-30], step: 2)
    time += 1
    try writer.write(["train/loss": .nan, "val/top1 ü": -.infinity], step: 300_000)
    #expect(try bytes(writer.path) == fixture("tensorboard.tfevents"))
    #expect(folder.names == ["events.out.tfevents.1700000000.spdc"])
  }

  /// A file that the `tensorboard` package has been seen to read, resumed after step 2: it is unchanged.
  @Test func sameBytesAsChecked() throws {
    let folder = try TemporaryFolder()
    let first = try EventWriter(folder: folder.path) { 1_700_000_000 }
    for step in 1...4 { try first.write(["train/loss": 1 / Double(step)], step: step) }
    let second = try EventWriter(folder: folder.path, resumedAfter: 2) { 1_700_000_000 }
    for step in 3...5 { try second.write(["train/loss": 10 / Double(step)], step: step) }
    #expect(folder.names == ["events.out.tfevents.1700000000.spdc", "events.out.tfevents.1700000001.spdc"])
    #expect(try bytes(first.path) == fixture("resumed/events.out.tfevents.1700000000.spdc"))
    #expect(try bytes(second.path) == fixture("resumed/events.out.tfevents.1700000001.spdc"))
  }

  @Test func laterFilesSortLater() throws {
    let folder = try TemporaryFolder()
    let clocks = [9.0, 9.9, 5, 0]
    let paths = try clocks.map { clock in try EventWriter(folder: folder.path) { clock }.path }
    #expect(paths == paths.sorted() && Set(paths).count == 4)
  }

  @Test func aNumberAfterWhichNoneComes() throws {
    for number in ["9223372036854775807", "9999999999"] {
      let folder = try TemporaryFolder()
      try Data().write(to: URL(fileURLWithPath: folder.file("events.out.tfevents.\(number).spdc")))
      let error = #expect(throws: Failure.self) { try EventWriter(folder: folder.path) { 1 } }
      #expect(error?.code == .data && error?.message.contains("events.out.tfevents.\(number)") == true)
    }
  }

  @Test func recordsRoundTrip() throws {
    let data: [[UInt8]] = [[], [1], Array(repeating: 7, count: 1000)]
    let file = data.flatMap(TFRecord.framed)
    #expect(try TFRecord.records(file, path: "f").map(Array.init) == data)
    // A file that ends anywhere has the records before its end.
    let ends = data.indices.map { data[...$0].flatMap(TFRecord.framed).count }
    for length in 0..<file.count {
      #expect(try TFRecord.records(Array(file[..<length]), path: "f").count == ends.count { $0 <= length })
    }
    var damaged = file
    damaged[file.count - 5] ^= 1
    #expect(
      message { _ = try TFRecord.records(damaged, path: "f") }
        == "f: record 3 is damaged: the checksum of its data is wrong (byte 33)")
    damaged = file
    damaged[16] ^= 1
    #expect(
      message { _ = try TFRecord.records(damaged, path: "f") }
        == "f: record 2 is damaged: the checksum of its length is wrong (byte 16)")
  }

  @Test func eachEventIsInTheFileAtOnce() throws {
    let folder = try TemporaryFolder()
    let writer = try EventWriter(folder: folder.path)
    for step in 1...3 {
      try writer.write(["a": 1], step: step)
      #expect(try TFRecord.records(bytes(writer.path), path: writer.path).count == step + 1)
    }
    #expect(
      message { _ = try EventWriter(folder: "/nowhere") }?.hasSuffix("cannot be written: No such file or directory")
        == true)
  }
}
