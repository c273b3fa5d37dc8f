import Foundation
import SPDFormats
import SPDVision
import Testing

@testable import SPDData

/// Names of folders and files are bytes; inaccessible entries are never skipped silently.
@Suite(.timeLimit(.minutes(1))) struct FolderNameTests {
  private static let dot = formulaImage(4, 4, seed: 1)

  /// `train` and `val` with the classes, two images each. Made by way of our own functions: Foundation has no such names.
  private static func divided(_ classes: [[UInt8]], image: [UInt8] = [0x31]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for split in ["train", "val"] {
      for name in classes {
        let place = "\(folder.path)/\(split)/\(FileName.string(name))"
        try make("\(folder.path)/\(split)")
        try make(place)
        try dot.write(to: "\(place)/\(FileName.string(image)).png")
        try dot.write(to: "\(place)/2.png")
      }
    }
    return folder
  }

  private static func make(_ path: String) throws {
    guard FileName.withPath(path, { mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
      throw FormatError(path: path, problem: "cannot be made")
    }
  }

  @Test func bytesThatAreNotUTF8() throws {
    let folder = try Self.divided([[0x63, 0x68, 0xee, 0x65, 0x6e], [0x63, 0x61, 0x74]], image: [0x63, 0xe9])
    let data = try openDataset(folder.path)
    #expect(data.training.classNames == ["cat", "ch\\xeeen"])
    #expect(data.training.count == 4 && data.validation.count == 4)
    for index in 0..<4 { #expect(try data.training.image(index) == Self.dot) }
  }

  /// Composed and decomposed, which Swift's strings take for equal.
  @Test func bytesDecide() throws {
    let (composed, decomposed): ([UInt8], [UInt8]) = ([0xc3, 0xa9], [0x65, 0xcc, 0x81])
    let folder = try Self.divided([composed, decomposed])
    let data = try openDataset(folder.path)
    #expect(data.training.classNames.map { Array($0.utf8) } == [decomposed, composed])
    #expect(data.validation.classCounts == [2, 2])
    #expect((0..<4).map { data.validation.annotation($0).label } == [0, 0, 1, 1])

    let other = try Self.divided([composed, [0x62]])
    rename("\(other.path)/val/\u{e9}", "\(other.path)/val/e\u{301}")
    #expect(message { _ = try openDataset(other.path) }?.contains("another Unicode normalisation") == true)
  }

  @Test func whatCannotBeEnteredIsAnError() throws {
    let folder = try Self.divided([[0x61], [0x62]])
    symlink("nowhere", folder.path + "/train/dog")
    #expect(message { _ = try openDataset(folder.path) }?.contains("train/dog: is a broken link") == true)
    unlink(folder.path + "/train/dog")
    symlink("nowhere", folder.path + "/train/a/more")
    #expect(try openDataset(folder.path).warnings.first?.contains("train/a/more is a broken link") == true)
    rename(folder.path + "/val", folder.path + "/elsewhere")
    symlink("nowhere", folder.path + "/val")
    #expect(message { _ = try openDataset(folder.path) }?.contains("/val: is a broken link") == true)
  }

  @Test func specialFilesAreLeftOutByName() throws {
    let folder = try Self.divided([[0x61], [0x62]])
    mkfifo(folder.path + "/train/a/fifo.png", 0o600)
    mkfifo(folder.path + "/train/a/fifo", 0o600)
    mkfifo(folder.path + "/train/fifo", 0o600)
    symlink("/dev/zero", folder.path + "/train/b/zero.jpg")
    symlink("fifo.png", folder.path + "/train/a/fifo.ppm")
    let data = try openDataset(folder.path)
    #expect(data.warnings.count == 2 && data.warnings.allSatisfy { $0.contains("a FIFO") })
    let broken = data.training.brokenImages().map(\.description)
    #expect(broken.count == 3 && broken.allSatisfy { $0.contains("is not a regular file but a ") })
    mkfifo(folder.path + "/wnids.txt", 0o600)
    #expect(
      message { _ = try openDataset(folder.path) }?.contains("wnids.txt: is not a regular file but a FIFO") == true)
    #expect(message { _ = try openDataset(folder.path + "/wnids.txt") }?.contains("but a FIFO") == true)
  }
}
