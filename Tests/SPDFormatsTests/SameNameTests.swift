import Testing

@testable import SPDFormats

/// Swift's strings are equal if they are canonically equivalent; names in files are not. No tensor may silently replace
/// another.
struct SameNameTests {
  private static let composed = "\u{e9}"
  private static let decomposed = "e\u{301}"

  private func isRefused(_ bytes: [UInt8]) -> Bool {
    message { _ = try parseCheckpoint(bytes, path: "x") }?.contains("Unicode normalisation") == true
  }

  @Test func tensorsAreNotConfused() {
    let entry = { (start: Int) in "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(start),\(start + 4)]}" }
    #expect(
      isRefused(
        safetensorsFile("{\"\(Self.composed)\":\(entry(0)),\"\(Self.decomposed)\":\(entry(4))}", data: 8)))
    let array = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", data: 4)
    #expect(isRefused(zipArchive([(Self.composed + ".npy", array), (Self.decomposed + ".npy", array)])))
    let pickle = Pickle().dict {
      $0.text(Self.composed).tensor([1], strides: [1], count: 1).text(Self.decomposed).tensor(
        [1], strides: [1], count: 1)
    }
    #expect(isRefused(torchFile(pickle.end, storages: ["0": [0, 0, 0, 0]])))
  }

  @Test func entriesOfAnArchiveAreToldApart() throws {
    let archive = try ZipArchive(zipArchive([(Self.composed, [1]), (Self.decomposed, [2])]), path: "x")
    #expect(try archive.contents(of: Self.composed) == [1])
    #expect(try archive.contents(of: Self.decomposed) == [2])
  }

  @Test func keysOfADictAreToldApart() {
    var dictionary = PickleDictionary()
    dictionary.set(.string(Self.composed), to: .int(1))
    dictionary.set(.string(Self.decomposed), to: .int(2))
    #expect(dictionary.count == 2)
    if case .int(1)? = dictionary[Self.composed] {} else { Issue.record("the second key took the first one's place") }
  }
}
