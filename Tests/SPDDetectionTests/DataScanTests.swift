import Foundation
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct DataScanTests {
  private let folder: DataFolder
  private var images: String { folder.path + "/images/train" }

  init() throws { folder = try DataFolder() }

  private func scan(_ sources: [String]? = nil, classes: Int = 3, _ change: (inout ScanOptions) -> Void = { _ in })
    throws -> DatasetScan
  {
    var options = ScanOptions()
    change(&options)
    return try DatasetScan(sources ?? [images], root: folder.path, classCount: classes, options: options)
  }

  private func makeOddSet() throws {
    for name in ["a.jpg", "b.JPG", "c.png", "sub/d.jpeg", "e.Png", "f.mpo", "g.jpg"] {
      try folder.image("images/train/" + name)
    }
    try folder.write("labels/train/a.txt", "0 0.5 0.5 0.2 0.1\r\n")
    try folder.write("labels/train/b.txt", "1 0.5 0.5 0.2 0.1\n1 0.5 0.5 0.2 0.1\n")
    try folder.write("labels/train/c.txt", "\n \n")
    try folder.write("labels/train/sub/d.txt", "2 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n")
    try folder.write("labels/train/e.txt", "0 0.5 0.5 0.2 0.1\n7 0.5 0.5 0.2 0.1\n")
    try folder.write("images/train/broken.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 0])
    try folder.write("images/train/empty.png", [])
    try folder.image("images/train/tiny.png", width: 9, height: 30)
    try folder.write("images/train/notes.txt", "not an image")
    try folder.write("images/train/.hidden.jpg", "hidden")
    try FileManager.default.copyItem(atPath: dataFixtures + "/image.webp", toPath: images + "/h.webp")
  }

  @Test func everyImageIsCountedOnceAndEveryBadFileNamedOnce() throws {
    try makeOddSet()
    let scan = try scan()
    let report = scan.report
    #expect(report.labelled == 3 && report.missing == 2 && report.empty == 1 && report.corrupt == 5)
    #expect(report.count == scan.paths.count && scan.paths == scan.paths.sorted())
    let errors = report.issues.filter(\.leavesOut)
    #expect(errors.count == 5 && Set(errors.map(\.path)).count == 5)
    func reason(_ name: String) -> String { report.issues.first { $0.path.hasSuffix(name) }.map(\.description) ?? "" }
    #expect(reason("labels/train/e.txt").hasSuffix("e.txt:2: the class 7 is not below 3, the number of classes"))
    #expect(reason("broken.jpg").contains("JPEG is damaged"))
    #expect(reason("empty.png").contains("the file is empty"))
    #expect(reason("tiny.png").contains("9×30 pixels; both sides must have 10 or more"))
    #expect(reason("h.webp").contains("is a WebP"))
    #expect(reason("b.txt").contains("b.txt:2: repeats an earlier row; 1 such rows"))
  }

  @Test func theDataSetHasTheUsableImages() throws {
    try makeOddSet()
    let set = try YOLODataset(name: "odd", classNames: ["x", "y", "z"], sources: [images], root: folder.path)
    #expect(set.count == 6)
    #expect(
      set.images.map { ($0.path as NSString).lastPathComponent } == [
        "a.jpg", "b.JPG", "c.png", "f.mpo", "g.jpg", "d.jpeg",
      ])
    #expect(set.labels(1).objects.count == 1 && set.labels(2).objects.isEmpty)
    let polygon = try #require(set.labels(5).objects.first)
    #expect(abs((polygon.area ?? 0) - 0.4 * 0.4 * 800) < 1e-3)
    for index in 0..<set.count {
      let image = try set.image(index)
      #expect(image.width == 40 && image.height == 20)
    }
    let statistics = DetectionStatistics(set)
    #expect(statistics.classCounts == [1, 1, 1] && statistics.background == 3 && statistics.outlines == 1)
    #expect(statistics.sizes == [.small: 3] && statistics.imageSizes == [SIMD2(40, 20): 6])
    // An image that was replaced after the scan does not fit its labels.
    try folder.image("images/train/a.jpg", width: 20, height: 40)
    #expect(dataMessage { _ = try set.image(0) }?.contains("20×40 pixels, its labels are for 40×20") == true)
  }

  @Test func strictRefusesWithTheFirstBadFile() throws {
    try makeOddSet()
    let message = dataMessage { _ = try scan { $0.isStrict = true } }
    #expect(message?.contains("broken.jpg") == true && message?.contains("5 files are wrong") == true)
  }

  @Test func aSecondScanReadsOnlyWhatChanged() throws {
    try makeOddSet()
    let first = try scan()
    #expect(first.report.read == 11)
    #expect(FileManager.default.fileExists(atPath: images + ".spdc-cache"))
    let second = try scan()
    #expect(second.report.read == 0 && second.entries == first.entries)
    try folder.write("labels/train/e.txt", "0 0.5 0.5 0.2 0.1\n")
    try folder.write("labels/train/g.txt", "0 0.5 0.5 0.2 0.1\n")
    let third = try scan()
    #expect(third.report.read == 2 && third.report.labelled == 5 && third.report.corrupt == 4)
    try FileManager.default.removeItem(atPath: images + "/a.jpg")
    #expect(try scan().report.count == 10)
    #expect(try scan().report.read == 0)
    // Another number of classes changes what is right.
    #expect(try scan(classes: 1).report.corrupt == 6)
  }

  @Test func damagedCachesAreIgnoredAndReplaced() throws {
    try makeOddSet()
    let good = try scan()
    let path = images + ".spdc-cache"
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    let base = folder.path + "/images"
    #expect(ScanCache.entries(bytes, base: base, classCount: 3)?.count == 11)
    for count in 0..<bytes.count {
      #expect(ScanCache.entries(Array(bytes[..<count]), base: base, classCount: 3) == nil)
    }
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= UInt8(1 << (index % 8))
      // The checksum guards all but the numbers of classes and of images, which are checked themselves.
      #expect(ScanCache.entries(changed, base: base, classCount: 3) == nil, "byte \(index)")
    }
    try Data(bytes.dropLast(7)).write(to: URL(fileURLWithPath: path))
    let again = try scan()
    #expect(again.report.read == 11 && again.entries == good.entries)
    #expect(try scan().report.read == 0)
  }

  @Test func hostileCachesWithRightChecksumsNeverCrash() throws {
    try makeOddSet()
    _ = try scan()
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: images + ".spdc-cache")))
    for _ in 0..<5000 {
      var payload = Array(bytes[24...])
      for _ in 0..<Int.random(in: 1...6) {
        payload[.random(in: 0..<payload.count)] = [0, 1, 0x7f, 0x80, 0xff, .random(in: 0...255)].randomElement()!
      }
      if Bool.random() { payload.removeLast(.random(in: 0..<payload.count)) }
      let crc = ScanCache.checksum(payload)
      let file = Array(bytes[..<12]) + withUnsafeBytes(of: crc) { Array($0) } + bytes[16..<24] + payload
      _ = ScanCache.entries(file, base: folder.path, classCount: 3)
    }
  }

  @Test func theResultIsTheSameForAnyNumberOfThreads() throws {
    for index in 0..<300 {
      try folder.image("images/train/\(index).png")
      try folder.write("labels/train/\(index).txt", "\(index % 4) 0.5 0.5 0.2 0.1\n")
    }
    let seen = Counter()
    let one = try scan {
      $0.threads = 1
      $0.usesCache = false
      $0.progress = { done, total in seen.add(done, total) }
    }
    #expect(seen.values.last == 300 && seen.values == seen.values.sorted())
    let two = try scan { $0.usesCache = false }
    #expect(one.entries == two.entries && one.report == two.report && one.report.corrupt == 75)
    #expect(!FileManager.default.fileExists(atPath: images + ".spdc-cache"))
  }

  @Test func listsNameImagesRelativeToThemselvesOrTheRoot() throws {
    for name in ["images/a.jpg", "images/b.jpg", "lists/images/c.jpg"] { try folder.image(name) }
    try folder.write("labels/a.txt", "0 0.5 0.5 0.2 0.1\n")
    let list =
      "\u{FEFF}./../images/a.jpg\r\n\r\nimages/b.jpg\r\n  images/c.jpg\t\n\(folder.path)/images/b.jpg\n# comment\n./gone.jpg"
    try folder.write("lists/train.txt", list)
    let scan = try scan([folder.path + "/lists/train.txt"])
    #expect(
      scan.paths.map { $0.dropFirst(folder.path.count + 1) } == [
        "images/b.jpg", "lists/../images/a.jpg", "lists/gone.jpg", "lists/images/c.jpg",
      ])
    #expect(scan.report.labelled == 1 && scan.report.corrupt == 1 && scan.report.missing == 2)
    #expect(scan.report.notes.count == 2)
    #expect(scan.report.issues.map(\.path) == [folder.path + "/lists/gone.jpg"])
  }

  @Test func labelsLieBesideImagesUnlessAFolderIsNamedImages() {
    #expect(Paths.labels(of: "a/images/b/images/c.d.jpg") == "a/images/b/labels/c.d.txt")
    #expect(Paths.labels(of: "images/x.JPG") == "labels/x.txt")
    #expect(Paths.labels(of: "/data/x.jpg") == "/data/x.txt")
    #expect(Paths.labels(of: "/my.images/noextension") == "/my.images/noextension.txt")
    #expect(Paths.labels(of: "/images/a.jpg") == "/labels/a.txt")
  }

  @Test func linksThatLeadBackEnd() throws {
    try folder.image("images/train/a.jpg")
    try FileManager.default.createSymbolicLink(atPath: images + "/loop", withDestinationPath: images)
    let scan = try scan()
    #expect(scan.paths.count == 1 && scan.report.notes.contains { $0.contains("searched under another name") })
    let message = dataMessage { _ = try self.scan([folder.path + "/images/train/a.jpg"]) }
    #expect(message?.contains("neither a folder of images nor a list") == true)
  }

  @Test func namesThatAreNotUTF8SurviveTheCache() throws {
    try folder.image("images/train/a.jpg")
    let name = Array("\(images)/".utf8) + [0xE9, 0x2E, 0x6A, 0x70, 0x67, 0]
    #expect(name.withUnsafeBytes { rename(images + "/a.jpg", $0.bindMemory(to: CChar.self).baseAddress!) } == 0)
    #expect(try scan().report.missing == 1)
    #expect(try scan().report.read == 0)
  }

  @Test func aFolderThatCannotBeWrittenHasItsCacheElsewhere() throws {
    try folder.image("images/train/a.jpg")
    // A folder where the cache belongs, since the superuser may write anywhere.
    try FileManager.default.createDirectory(atPath: images + ".spdc-cache", withIntermediateDirectories: true)
    #expect(try scan().report.notes.contains { $0.contains("the scan is not cached") })
    try FileManager.default.createDirectory(atPath: folder.path + "/caches", withIntermediateDirectories: true)
    let caches = folder.path + "/caches"
    #expect(try scan { $0.cacheFolder = caches }.report.read == 1)
    #expect(try scan { $0.cacheFolder = caches }.report.read == 0)
    #expect(try folder.names("caches").count == 1)
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var values: [Int] = []
  func add(_ value: Int, _ total: Int) { lock.withLock { values.append(value) } }
}
