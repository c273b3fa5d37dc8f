import Foundation
import Testing

@testable import SPDFormats

/// Special files are named by their kind and refused unopened; `open` would block or have side effects.
@Suite(.timeLimit(.minutes(1))) struct PathKindTests {
  @Test func kinds() throws {
    let folder = try TemporaryFolder()
    try writeAtomically(to: folder.file("file")) { try $0.write([1]) }
    mkfifo(folder.file("fifo"), 0o600)
    for (link, target) in [("a", "file"), ("b", "fifo"), ("c", "nowhere"), ("d", "d"), ("e", ".")] {
      symlink(target, folder.file(link))
    }
    #expect(PathKind(of: folder.path) == .folder)
    #expect(PathKind(of: folder.file("a")) == .file)
    #expect(PathKind(of: folder.file("b")) == .special("a FIFO"))
    #expect(PathKind(of: folder.file("c")) == .danglingLink)
    #expect(PathKind(of: folder.file("d")) == .danglingLink)
    #expect(PathKind(of: folder.file("e")) == .folder)
    #expect(PathKind(of: "/dev/zero") == .special("a device"))
    #expect(PathKind(of: folder.file("none")) == nil)
    #expect(PathKind(of: folder.file("file/inside")) == nil)
    #expect(PathKind(of: String(repeating: "x", count: 300))?.fault == "cannot be inspected: File name too long")
  }

  @Test func readersRefuseThem() throws {
    let folder = try TemporaryFolder()
    mkfifo(folder.file("fifo"), 0o600)
    symlink("fifo", folder.file("link"))
    for path in [folder.file("fifo"), folder.file("link"), "/dev/zero", "/dev/tty"] {
      for read in Self.readers {
        let text = message { try read(path) } ?? "no error"
        #expect(text.hasPrefix("\(path): ") && text.contains("is not a regular file but a "), "\(text)")
      }
    }
  }

  private static let readers: [@Sendable (String) throws -> Void] = [
    { _ = try readCheckpoint($0) }, { _ = try readNPY($0) }, { _ = try readNPZ($0) }, { _ = try readSafetensors($0) },
    { _ = try PickledTable(contentsOf: $0) },
  ]
}
