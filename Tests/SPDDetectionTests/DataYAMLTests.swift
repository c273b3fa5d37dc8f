import SPDData
import Testing

@testable import SPDDetection

@Suite struct DataYAMLTests {
  private func data(_ yaml: String) throws -> DetectionData {
    try DetectionData(yaml: yaml, path: "/nowhere/data.yaml")
  }

  @Test func namesAreAListOrAMapping() throws {
    let list = try data("train: a\nnc: 3\nnames: [cat, 'no', 1]\n")
    #expect(list.classNames == ["cat", "no", "1"])
    let mapping = try data("val: a\nnames:\n  1: no\n  0: cat\n  2: 1\n")
    #expect(mapping.classNames == ["cat", "no", "1"])
    #expect(try data("train: a\nnc: 2\n").classNames == ["class 0", "class 1"])
  }

  @Test func splitsArePathsOrListsOfThem() throws {
    let found = try data("path: ../coco\ntrain: [a, b.txt]\nval: c\ntest:\nnames: [x]\n")
    #expect(found.sources == [.train: ["a", "b.txt"], .val: ["c"]])
    #expect(found.splits == [.train, .val])
    #expect(found.root == "/nowhere/../coco")
  }

  @Test func downloadAndUnknownKeysAreNoted() throws {
    let found = try data("train: a\nnames: [x]\ndownload: |\n  import os\nroboflow: {a: [1]}\n")
    #expect(found.notes.count == 2)
    #expect(found.notes[0].contains("`download` is ignored") && found.notes[1].contains("`roboflow` is not used"))
  }

  @Test(arguments: [
    ("train: a\nnc: 3\nnames: [x]", "`nc` is 3, but there are 1"), ("names: [x]", "neither `train` nor `val`"),
    ("train: a", "neither `names` nor `nc`"), ("train: a\nnc: 99999999999999999999", ":2: `nc` is not a whole number"),
    ("train: a\nnc: -1", "`nc`"), ("train: {a: b}\nnames: [x]", "neither a path nor a list"),
    ("train: a\nnames: {0: x, 2: y}", "no class 1"), ("train: a\nnames: [[x]]", "not a word"),
    ("train: a\nnames: []", "there are 0"), ("train: [a\nnames: x", "is not YAML"), ("- a\n- b", "not a mapping"),
    ("", "not a mapping"), ("train: a\ntrain: b\nnames: [x]", "occurs twice"),
    ("train: a\nnames: {0: x, 00: y}", "twice"), ("train: a\nnames: x", "neither a list nor a mapping"),
  ])
  func mistakesAreNamed(yaml: String, expected: String) {
    let message = dataMessage { _ = try data(yaml) }
    #expect(message?.contains(expected) == true, "\(message ?? "no error")")
    #expect(message?.contains("/nowhere/data.yaml") == true)
  }

  @Test func editorsForWindowsMarkTheirText() throws {
    let folder = try DataFolder()
    try folder.write("data.yaml", "\u{FEFF}train: a\r\nnames: [cat]\r\n")
    #expect(try DetectionData(contentsOf: folder.path).classNames == ["cat"])
    try folder.write("hyp.yaml", "\u{FEFF}lr0: 0.02\n")
    #expect(try DetectionHyperparameters(contentsOf: folder.path + "/hyp.yaml").lr0 == 0.02)
  }

  @Test func aliasesAreRead() throws {
    let data = try data("val: &v images/val\ntrain: *v\nnames: ['*', '* a', b*c]  # **bold**, *italic*\n")
    #expect(data.sources[.train] == ["images/val"])
    #expect(data.classNames == ["*", "* a", "b*c"])
  }

  @Test func hostileFilesNeverCrash() {
    let deep = String(repeating: "[", count: 200_000)
    #expect(dataMessage { _ = try data("train: " + deep) } != nil)
    let bomb =
      "a: &a [x,x]\n"
      + (0..<40).map { "b\($0): &b\($0) [*\($0 == 0 ? "a" : "b\($0 - 1)"),*\($0 == 0 ? "a" : "b\($0 - 1)")]\n" }
      .joined()
    #expect(dataMessage { _ = try data(bomb + "train: *b39\nnames: *b39\n") } != nil)
    // A key is hashed with all that its alias stands for.
    #expect(dataMessage { _ = try data(bomb + "? *b39\n: x\n") }?.contains(":10: has too many aliases") == true)
    let words = [
      "train:", "names", ": ", "[", "]", "{", "}", "\n", "  ", "- ", "0", "nc: 2\n", "&a ", "*a", "!!binary ", "|", "?",
      "\u{0}", "\"", "'", "#", "<<: *a",
    ]
    for _ in 0..<4000 { _ = try? data((0..<Int.random(in: 1...30)).map { _ in words.randomElement()! }.joined()) }
  }

  @Test func pathsAreTriedFromTheRootAndTheYAML() throws {
    let folder = try DataFolder()
    try folder.image("set/train/images/a.jpg")
    try folder.image("set/images/val/b.jpg")
    // As Roboflow writes it.
    try folder.write("set/data.yaml", "train: ../train/images\nval: images/val\nnames: [x]\n")
    let data = try DetectionData(contentsOf: folder.path + "/set/")
    #expect(try data.paths(of: .train) == ["\(folder.path)/set/train/images"])
    #expect(try data.paths(of: .val) == ["\(folder.path)/set/images/val"])
    #expect(dataMessage { _ = try data.paths(of: .test) }?.contains("names no `test`") == true)
    // A path relative to the yaml in another folder.
    try folder.write("elsewhere/x.yaml", "path: ../set\ntrain: images/val/\nval: gone\nnames: [x]\n")
    let other = try DetectionData(contentsOf: folder.path + "/elsewhere/x.yaml")
    #expect(try other.paths(of: .train) == ["\(folder.path)/elsewhere/../set/images/val"])
    #expect(dataMessage { _ = try other.paths(of: .val) }?.contains("names gone, which is not there; tried") == true)
  }

  @Test func foldersWithoutYAMLAreRecognised() throws {
    let folder = try DataFolder()
    try folder.image("a/images/train2017/1.jpg")
    try folder.image("a/images/val2017/2.jpg")
    try folder.image("b/train/images/1.jpg")
    try folder.image("b/valid/images/2.jpg")
    try folder.write("b/classes.txt", "cat\r\ndog\r\n")
    try folder.image("c/images/1.jpg")
    let a = try DetectionData(contentsOf: folder.path + "/a")
    #expect(a.sources == [.train: ["images/train2017"], .val: ["images/val2017"]] && a.classNames.isEmpty)
    let b = try DetectionData(contentsOf: folder.path + "/b")
    #expect(b.sources == [.train: ["train/images"], .val: ["valid/images"]] && b.classNames == ["cat", "dog"])
    #expect(try DetectionData(contentsOf: folder.path + "/c").sources == [.train: ["images"]])
    #expect(
      dataMessage { _ = try DetectionData(contentsOf: folder.path) }?.contains("is no detection data set") == true)
    #expect(dataMessage { _ = try DetectionData(contentsOf: folder.path + "/d") }?.contains("no such file") == true)
  }
}
