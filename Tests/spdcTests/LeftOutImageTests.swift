import Foundation
import Testing

/// Broken images among others, folders, and names with control characters.
@Suite struct LeftOutImageTests {
  private struct Answer: Decodable {
    struct Class: Decodable { var name: String }
    var image: String, classes: [Class]?, error: String?
  }

  private let scratch: Scratch
  init() throws {
    scratch = try Scratch()
    for folder in ["photos/b/c", "empty"] {
      try FileManager.default.createDirectory(atPath: scratch(folder), withIntermediateDirectories: true)
    }
    for (name, place) in [
      ("good1", "photos/z.jpg"), ("good2", "photos/b/c/a.JPG"), ("cut", "photos/b/cut.jpg"),
      ("zero", "photos/zero.jpg"),
    ] {
      try FileManager.default.copyItem(atPath: Place.fixtures + "/images/\(name).jpg", toPath: scratch(place))
    }
    _ = try scratch.write("no image", "photos/readme.txt")
  }

  private func classify(_ arguments: String...) async throws -> Outcome {
    try await spdc(
      arguments: ["classify", Place.tiny, "--weights", "synthetic", "--top", "1"] + arguments, in: scratch.path)
  }

  @Test func theOthersAreAnswered() async throws {
    let run = try await classify("photos/z.jpg", "photos/b/cut.jpg", "photos/zero.jpg", "photos/b/c/a.JPG")
    #expect(run.code == Exit.data.rawValue)
    #expect(run.output.split(separator: "\n").filter { !$0.hasPrefix(" ") } == ["photos/z.jpg", "photos/b/c/a.JPG"])
    #expect(run.errors.contains("error: photos/b/cut.jpg: the JPEG is damaged or cut off"))
    #expect(run.errors.contains("error: photos/zero.jpg: the file is empty"))
    #expect(run.errors.contains("2 of 4 images have no result"))
    let missing = try await classify("none.jpg", "photos/z.jpg")
    #expect(missing.code == Exit.noInput.rawValue && missing.output.hasPrefix("photos/z.jpg\n"))
    #expect(missing.errors.contains("none.jpg: no such image"))
  }

  @Test func foldersAreLookedInto() async throws {
    let run = try await classify("--json", "photos/", "empty", "photos/z.jpg")
    #expect(run.code == Exit.data.rawValue)
    let answers: [Answer] = try run.json()
    #expect(
      answers.map(\.image) == [
        "photos/z.jpg", "photos/zero.jpg", "photos/b/cut.jpg", "photos/b/c/a.JPG", "empty", "photos/z.jpg",
      ])
    #expect(answers.map { $0.classes != nil } == [true, false, false, true, false, true])
    #expect(answers[4].error == "empty: the folder contains no images")
    #expect(answers.allSatisfy { ($0.error == nil) == ($0.classes != nil) })
  }

  @Test func annotatedImagesKeepTheirFolders() async throws {
    let run = try await spdc(
      "detect", "yolov5-spd-n", "--size", "64x64", "--weights", "synthetic", "--conf", "1", "-o", "found", "photos",
      in: scratch.path)
    #expect(run.code == Exit.data.rawValue)
    #expect(
      scratch.names.filter { $0.hasPrefix("found/") } == ["found/b", "found/b/c", "found/b/c/a.jpg", "found/z.jpg"])
  }

  @Test func namesDoNotReachTheTerminalRaw() async throws {
    let name = "\u{1B}[2J\nx\u{202E}gpj.jpg"
    try FileManager.default.copyItem(atPath: Place.fixtures + "/images/good1.jpg", toPath: scratch(name))
    let run = try await classify(name).succeeded()
    #expect(run.output.hasPrefix("\\u{1b}[2J\\u{a}x\\u{202e}gpj.jpg\n"), "\(run.output)")
    let missing = try await classify("no\u{1B}[2J.jpg")
    #expect(!missing.errors.contains("\u{1B}") && missing.errors.contains("no\\u{1b}[2J.jpg"))
    // Programs read names as they are.
    let answers: [Answer] = try await classify("--json", name).succeeded().json()
    #expect(answers.map(\.image) == [name])
  }
}
