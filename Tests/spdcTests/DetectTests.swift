import Foundation
import SPDVision
import Testing

/// What `spdc detect` reads and writes: lists and patterns, batches, labels, crops, CSV.
@Suite struct DetectTests {
  struct Object: Decodable, Equatable { var `class`: Int, name: String, score: Double, box: [Double] }
  struct Answer: Decodable { var image: String, frame: Int?, detections: [Object]?, error: String? }

  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let network = ["detect", "yolov5-spd-n", "--size", "256x256", "--weights", Place.checkpoint]
  private static let images = ["000.jpg", "002.png", "006.jpg"].map { Place.shapes + "/" + $0 }

  private func detect(_ arguments: [String], shell: String? = nil) async throws -> Outcome {
    try await spdc(arguments: Self.network + arguments, in: scratch.path, shell: shell)
  }

  private func copy(_ index: Int, to name: String) throws {
    let url = URL(fileURLWithPath: scratch(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.images[index], toPath: url.path)
  }

  private func close(_ a: [Answer], _ b: [Answer]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { a, b in
        let (a, b) = (a.detections ?? [], b.detections ?? [])
        return a.count == b.count
          && zip(a, b).allSatisfy { a, b in
            a.class == b.class && abs(a.score - b.score) < 1e-3 && zip(a.box, b.box).allSatisfy { abs($0 - $1) < 0.1 }
          }
      }
  }

  /// What `make demo` ends with is right: all forty objects are found, each with its class and its centre in its box.
  @Test func ourOwnWeightsFindObjects() async throws {
    let folder = scratch("shapes")
    try await spdc(
      "dataset", "shapes", "-o", folder, "--size", "224", "--train", "1", "--val", "6", "--seed", "7"
    ).succeeded()
    let answers: [Answer] = try await spdc(
      "detect", "yolov5-spd-n", "--size", "224", "--weights",
      Place.repository + "/Examples/weights/yolov5-spd-n-shapes.safetensors", "--agnostic-nms",
      "--json", folder + "/images/val"
    ).succeeded().json()
    var count = 0
    for answer in answers {
      let path = answer.image.replacing("/images/", with: "/labels/").replacing(".jpg", with: ".txt")
      let labels = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: " ").compactMap { Double($0) } }
      for object in answer.detections ?? [] {
        let box = object.box.map { $0 / 224 }
        let isThere = labels.contains { label in
          Int(label[0]) == object.class && (box[0]...box[2]).contains(label[1]) && (box[1]...box[3]).contains(label[2])
        }
        #expect(isThere, "\(answer.image): \(object.name) at \(object.box)")
        count += 1
      }
    }
    #expect(answers.count == 6 && count == 40)
  }

  // MARK: - inputs

  @Test func patternsListsAndStandardInputNameTheSameImages() async throws {
    let files = ["photos/a/0.jpg", "photos/b/1.png", "photos/b/2.JPG"]
    for (index, name) in files.enumerated() { try copy(index, to: name) }
    func names(_ arguments: [String], shell: String? = nil) async throws -> [String] {
      let answers: [Answer] = try await detect(["--json", "--conf", "0.5"] + arguments, shell: shell).succeeded().json()
      #expect(answers.allSatisfy { !($0.detections ?? []).isEmpty })
      return answers.map(\.image)
    }
    #expect(try await names(["photos/*/*"]) == files)
    #expect(try await names(["photos/?/[01].*"]) == Array(files.prefix(2)))
    #expect(try await names(["**/[01].*"]) == Array(files.prefix(2)))
    #expect(try await names(["photos/**/*.jpg"]) == [files[0]])
    #expect(try await names(["photos/**/*"]) == files)
    #expect(try await names(["photos**/a/*"]) == [files[0]])
    // A pattern that matches folders stands for what they hold.
    #expect(try await names(["phot*"]) == files)
    // Paths in a list are relative to its folder, or to the current one; blanks and Windows line ends do not matter.
    _ = try scratch.write("\u{FEFF}a/0.jpg\r\n\r\n  photos/b/1.png \r\nb/*.JPG\n", "photos/list.txt")
    #expect(try await names(["photos/list.txt"]) == files)
    _ = try scratch.write(files.joined(separator: "\n"), "names")
    #expect(try await names(["-"], shell: "exec < names") == files)
    // A name may look like a pattern.
    try copy(0, to: "[0].jpg")
    #expect(try await names(["[0].jpg"]) == ["[0].jpg"])
  }

  @Test func inputsThatNameNothing() async throws {
    try copy(0, to: "good.jpg")
    _ = try scratch.write("\n \n", "empty.txt")
    _ = try scratch.write("good.jpg\nother.txt\nnone.jpg\n", "nested.txt")
    (try await detect(["*.png"])).failed(.noInput, "*.png: no file matches this pattern")
    (try await detect(["empty.txt"])).failed(.noInput, "empty.txt: the list names no images")
    (try await detect(["-"], shell: "exec < /dev/null")).failed(.noInput, "-: standard input names no images")
    (try await detect(["none.txt"])).failed(.noInput, "none.txt: no such image")
    let run = try await detect(["nested.txt"])
    #expect(run.code == Exit.data.rawValue && run.output.hasPrefix("good.jpg  "))
    #expect(run.errors.contains("nested.txt:2: other.txt is a list within a list"))
    #expect(run.errors.contains("none.jpg: no such image") && run.errors.contains("2 of 3 images have no result"))
  }

  @Test func resultsHaveTheOrderOfTheInputs() async throws {
    var expected: [(String, Bool)] = []
    for index in 0..<17 {
      let name = index < 10 ? "p0\(index).jpg" : "p\(index).jpg"
      let isBroken = index % 5 == 3
      if isBroken { _ = try scratch.write("no image", name) } else { try copy(index % 3 == 1 ? 0 : 2, to: name) }
      expected.append((name, isBroken))
    }
    for options in [["--threads", "1"], ["--threads", "3"], ["--threads", "2", "--batch", "2"]] {
      let run = try await detect(options + ["--json", "p*.jpg"])
      #expect(run.code == Exit.data.rawValue)
      let answers: [Answer] = try run.json()
      #expect(answers.map(\.image) == expected.map(\.0))
      #expect(answers.map { $0.error != nil } == expected.map(\.1))
      #expect(run.errors.contains("3 of 17 images have no result"))
    }
  }

  @Test func batchesGiveTheSameDetections() async throws {
    let single: [Answer] = try await detect(["--json"] + Self.images).succeeded().json()
    // The last batch has one image of its own.
    let batches: [Answer] = try await detect(["--json", "--batch", "2"] + Self.images).succeeded().json()
    #expect(close(single, batches))
    #expect(single.map { $0.detections?.isEmpty } == [false, false, false])
  }

  // MARK: - which detections

  @Test func classesByIndexAndName() async throws {
    func names(_ classes: String) async throws -> Set<String> {
      let answers: [Answer] = try await detect(["--json", "--classes", classes] + Self.images).succeeded().json()
      return Set(answers.flatMap { $0.detections ?? [] }.map(\.name))
    }
    #expect(try await names("3") == ["star"])
    #expect(try await names("star, 1") == ["square", "star"])
    (try await detect(["--classes", "stra", Self.images[0]]))
      .failed(.usage, "--classes: the network has no class stra. Did you mean star? It has circle, square")
    (try await detect(["--classes", "5", Self.images[0]])).failed(.usage, "there is no class 5; the network has 0 to 4")
    (try await detect(["--classes", ",", Self.images[0]])).failed(.usage, "--classes is empty")
  }

  @Test func agnosticSuppressionLooksAtAllClasses() async throws {
    func overlaps(_ arguments: [String]) async throws -> Int {
      let answers: [Answer] = try await detect(["--json", "--conf", "0.005", "--iou", "0.2"] + arguments + Self.images)
        .succeeded().json()
      return try answers.reduce(0) { sum, answer in
        // Boxes at the border may overlap more after they are clipped to the image.
        let image = try Image(contentsOf: answer.image)
        let found = (answer.detections ?? []).filter { object in
          object.box.allSatisfy { $0 > 0 } && object.box[2] < Double(image.width)
            && object.box[3] < Double(image.height)
        }
        return sum
          + found.indices.reduce(0) { sum, first in
            sum + found.indices.filter { $0 > first && iou(found[first].box, found[$0].box) > 0.21 }.count
          }
      }
    }
    #expect(try await overlaps([]) > 0)
    #expect(try await overlaps(["--agnostic-nms"]) == 0)
  }

  @Test func augmentationFindsTheSameObjects() async throws {
    let plain: [Answer] = try await detect(["--json", "--conf", "0.7"] + Self.images).succeeded().json()
    let augmented: [Answer] = try await detect(["--json", "--conf", "0.3", "--augment"] + Self.images)
      .succeeded().json()
    for (plain, augmented) in zip(plain, augmented) {
      for object in plain.detections ?? [] {
        #expect(
          (augmented.detections ?? []).contains { $0.class == object.class && iou($0.box, object.box) > 0.75 },
          "\(object)")
      }
    }
    // Three passes are not one.
    #expect(!close(plain, augmented))
  }

  private func iou(_ a: [Double], _ b: [Double]) -> Double {
    let common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
  }

  // MARK: - what is written

  @Test func labelsCropsAndTables() async throws {
    try copy(0, to: "photos/deep/one.jpg")
    try copy(1, to: "photos/two.png")
    let run = try await detect([
      "--json", "-o", "found", "--save-txt", "--save-conf", "--save-crop", "--csv", "found.csv", "--conf", "0.5",
      "photos",
    ]).succeeded()
    let answers: [Answer] = try run.json()
    #expect(answers.map(\.image) == ["photos/two.png", "photos/deep/one.jpg"])
    for (answer, name) in zip(answers, ["two", "deep/one"]) {
      let objects = try #require(answer.detections)
      let image = try Image(contentsOf: scratch(answer.image))
      let (width, height) = (Double(image.width), Double(image.height))
      let lines = try String(contentsOfFile: scratch("found/labels/\(name).txt"), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: " ").compactMap { Double($0) } }
      #expect(lines.count == objects.count && !objects.isEmpty)
      for (index, (line, object)) in zip(lines, objects).enumerated() {
        let box = zip(object.box, [width, height, width, height]).map { $0 / $1 }
        let expected =
          [Double(object.class), (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]
          + [object.score]
        #expect(line.count == 6 && zip(line, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(line) \(expected)")
        #expect(exists(scratch("found/crops/\(object.name)/\(name)-\(index + 1).jpg")))
      }
    }
    #expect(exists(scratch("found/two.png")) && exists(scratch("found/deep/one.jpg")))
    let table = try String(contentsOfFile: scratch("found.csv"), encoding: .utf8).split(separator: "\n")
    #expect(table[0] == "image,frame,class,name,score,x1,y1,x2,y2")
    let objects = answers.flatMap { answer in (answer.detections ?? []).map { (answer.image, $0) } }
    #expect(table.count == objects.count + 1)
    for (line, (image, object)) in zip(table.dropFirst(), objects) {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      #expect(fields.count == 9 && fields[0] == image && fields[1] == "" && fields[3] == object.name)
      #expect(Int(fields[2]) == object.class && abs((Double(fields[4]) ?? 0) - object.score) < 1e-6)
      #expect(zip(fields[5...], object.box).allSatisfy { abs((Double($0) ?? -1) - $1) < 1e-3 })
    }
  }

  @Test func labelsWithoutImages() async throws {
    try copy(0, to: "a.jpg")
    try await detect(["-o", "found", "--save-txt", "--no-images", "--conf", "0.9", "a.jpg"]).succeeded()
    #expect(scratch.names.filter { $0.hasPrefix("found/") } == ["found/labels", "found/labels/a.txt"])
    let line = try #require(
      try String(contentsOfFile: scratch("found/labels/a.txt"), encoding: .utf8).split(separator: "\n").first)
    #expect(line.split(separator: " ").count == 5)
    // An image without objects has an empty file, so that none of an earlier run stays.
    try await detect(["-o", "found", "--save-txt", "--no-images", "--conf", "1", "a.jpg"]).succeeded()
    #expect(try bytes(scratch("found/labels/a.txt")).isEmpty)
  }

  @Test func namesThatWouldCollide() async throws {
    try copy(0, to: "a.jpg")
    try copy(1, to: "a.png")
    try copy(2, to: "b/a.jpg")
    let run = try await detect(["-o", "found", "--save-txt", "a.jpg", "a.png", "b/a.jpg"]).succeeded()
    #expect(run.errors.contains("a.png has the name of a.jpg; what is written of it is called a-2"))
    #expect(run.errors.contains("b/a.jpg has the name of a.jpg; what is written of it is called a-3"))
    #expect(
      scratch.names.filter { $0.hasPrefix("found/") } == [
        "found/a-2.png", "found/a-3.jpg", "found/a.jpg", "found/labels", "found/labels/a-2.txt", "found/labels/a-3.txt",
        "found/labels/a.txt",
      ])
    // Nor may an output be another input.
    (try await detect(["-o", "b", "a.jpg", "b/a.jpg"])).failed(
      .usage, "-o b would overwrite", "b/a.jpg; give another folder")
    #expect(try bytes(scratch("b/a.jpg")) == bytes(Self.images[2]))
    (try await detect(["--csv", "none/found.csv", "a.jpg"]))
      .failed(.cannotWrite, "none/found.csv", "there is no folder")
    let before = try bytes(scratch("a.jpg"))
    (try await detect(["--csv", "./a.jpg", "a.jpg"]))
      .failed(.usage, "--csv ./a.jpg would overwrite the input a.jpg; give another file")
    #expect(try bytes(scratch("a.jpg")) == before)
  }

  @Test(arguments: [
    (["--rect", "--batch", "2"], "--rect gives each image a shape of its own; remove --rect or --batch"),
    (["--save-conf", "-o", "found"], "--save-conf needs --save-txt"),
    (["--save-txt"], "need an output folder: -o DIR"), (["--save-crop"], "need an output folder: -o DIR"),
    (["-o", "found", "--no-images"], "writes nothing; remove -o"), (["--batch", "0"], "--batch must be 1 or more"),
    (["--max-det", "0"], "--max-det must be 1 or more"),
  ]) func optionsThatMakeNoSense(_ arguments: [String], _ message: String) async throws {
    (try await detect(arguments + ["a.jpg"])).failed(.usage, message)
  }
}
