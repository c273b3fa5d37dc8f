import Foundation
import SPDFormats
import Testing

@testable import SPDVision

/// Special files are refused at once, with their name.
@Suite(.timeLimit(.minutes(1))) struct SpecialFileTests {
  @Test func nothingBlocks() throws {
    try withTemporaryFolder { folder in
      mkfifo("\(folder)/a.jpg", 0o600)
      symlink("a.jpg", "\(folder)/link.jpg")
      for path in ["\(folder)/a.jpg", "\(folder)/link.jpg", "/dev/zero"] {
        let error = expectError { _ = try Image(contentsOf: path) }
        #expect(error?.what.contains("is not a regular file but a ") == true, "\(path)")
        #expect(error?.isOfTheMachine == false)
      }
    }
  }

  @Test func namesAreBytes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/" + FileName.string([0x63, 0x61, 0x66, 0xe9]) + ".png"
      let image = noise(4, 4, seed: 1)
      try image.write(to: path)
      #expect(try Image(contentsOf: path) == image)
      try writeAtomically(to: path) { try $0.write([1]) }
      #expect(
        expectError { _ = try Image(contentsOf: path) }?.description.contains("/caf\\xe9.png: the file is") == true)
    }
  }
}
