import Foundation
import Testing

/// `spdc detect` with a checkpoint that PyTorch wrote, against what PyTorch found; `spdc classify`.
@Suite struct ImageTests {
  private struct Object: Decodable { var `class`: Int, name: String, score: Double, box: [Double] }
  private struct Answer: Decodable { var image: String, detections: [Object] }

  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let images = ["000.jpg", "002.png", "006.jpg"].map { Place.shapes + "/" + $0 }
  private static let shapes = ["detect", "yolov5-spd-n", "--size", "256x256", "--weights", Place.checkpoint]

  private func iou(_ a: [Double], _ b: [Double]) -> Double {
    let width = min(a[2], b[2]) - max(a[0], b[0])
    let height = min(a[3], b[3]) - max(a[1], b[1])
    guard width > 0, height > 0 else { return 0 }
    let common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
  }

  @Test func detectFindsWhatTheReferenceFound() async throws {
    let expected = try JSONDecoder().decode(
      [String: [Object]].self, from: Data(bytes(Place.shapes + "/detections.json")))
    let run = try await spdc(arguments: Self.shapes + ["--json"] + Self.images).succeeded()
    let answers: [Answer] = try run.json()
    #expect(answers.map(\.image) == Self.images)
    #expect(run.errors.contains("(model, fp16), 349 of 349 tensors mapped"))
    for answer in answers {
      let wanted = try #require(expected[URL(fileURLWithPath: answer.image).lastPathComponent])
      #expect(answer.detections.count == wanted.count)
      for (found, wanted) in zip(answer.detections, wanted) {
        #expect(found.class == wanted.class && found.name == wanted.name)
        #expect(abs(found.score - wanted.score) <= 2e-3)
        #expect(iou(found.box, wanted.box) >= 0.99)
      }
    }
  }

  @Test func theJSONHasExactlyTheDocumentedForm() async throws {
    let run = try await spdc(arguments: Self.shapes + ["--json", Self.images[2]]).succeeded()
    let list = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
    #expect(list.map { Set($0.keys) } == [["image", "detections"]])
    let detections = try #require(list[0]["detections"] as? [[String: Any]])
    #expect(detections.allSatisfy { Set($0.keys) == ["class", "name", "score", "box"] })
  }

  @Test func anEmptyImageGivesAnEmptyList() async throws {
    let run = try await spdc(arguments: Self.shapes + ["--json", "--conf", "1", Self.images[0]]).succeeded()
    let answers: [Answer] = try run.json()
    #expect(answers.count == 1 && answers[0].detections.isEmpty)
  }

  @Test func annotatedImagesAndText() async throws {
    let run = try await spdc(arguments: Self.shapes + ["--max-det", "2", "-o", scratch("found")] + Self.images)
      .succeeded()
    #expect(run.output.contains("000.jpg  2 found\n  star  0.970"))
    #expect(scratch.names == ["found", "found/000.jpg", "found/002.png", "found/006.jpg"])
    #expect(try bytes(scratch("found/000.jpg")).starts(with: [0xff, 0xd8]))
    #expect(try bytes(scratch("found/002.png")).starts(with: Array("\u{89}PNG".unicodeScalars.map { UInt8($0.value) })))
  }

  @Test func rectFindsTheSameInASmallerRectangle() async throws {
    let square: [Answer] = try await spdc(arguments: Self.shapes + ["--conf", "0.5", "--json", Self.images[2]])
      .succeeded().json()
    let rectangle: [Answer] = try await spdc(
      arguments: Self.shapes + ["--conf", "0.5", "--rect", "--json", Self.images[2]]
    ).succeeded().json()
    for (a, b) in zip(square[0].detections, rectangle[0].detections) {
      #expect(a.name == b.name && iou(a.box, b.box) > 0.9 && abs(a.score - b.score) < 0.05)
    }
    #expect(square[0].detections.count == rectangle[0].detections.count)
  }

  @Test func imagesThatCannotBeRead() async throws {
    let jpeg = try scratch.write(Array(bytes(Self.images[0]).prefix(9000)), "cut.jpg")
    (try await spdc(arguments: Self.shapes + [jpeg])).failed(.data, "cut.jpg: the JPEG is damaged or cut off")
    let png = try scratch.write(Array(bytes(Self.images[1]).prefix(9000)), "cut.png")
    let listed = try await spdc(arguments: Self.shapes + [png, "--json"])
    #expect(listed.code == Exit.data.rawValue && listed.errors.contains("cut.png: the PNG is damaged or cut off"))
    #expect(listed.output.contains("\"error\" : ") && listed.output.contains("cut.png"))
    let text = try scratch.write("hello", "text.jpg")
    (try await spdc(arguments: Self.shapes + [text])).failed(.data, "text.jpg", "not JPEG, PNG or BMP", "convert it")
    (try await spdc(arguments: Self.shapes + [scratch.path])).failed(.data, "cut.jpg", "cut.png", "text.jpg", "3 of 3")
    (try await spdc(arguments: Self.shapes + [scratch("none.png")])).failed(
      .noInput, "none.png: no such image")
  }

  @Test func annotationsNeverReplaceAnImage() async throws {
    for folder in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: scratch(folder), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Self.images[2], toPath: scratch("\(folder)/p.jpg"))
    }
    let before = try bytes(scratch("a/p.jpg"))
    (try await spdc(arguments: Self.shapes + ["-o", scratch("a"), scratch("a/p.jpg")]))
      .failed(.usage, "would overwrite", "give another folder")
    (try await spdc(arguments: Self.shapes + ["-o", scratch("a/p.jpg"), Self.images[0]]))
      .failed(.cannotWrite, "the folder cannot be created: File exists")
    #expect(try bytes(scratch("a/p.jpg")) == before)
    #expect(scratch.names == ["a", "a/p.jpg", "b", "b/p.jpg"])
  }

  @Test func classifyNamesClasses() async throws {
    struct Classes: Decodable {
      struct Class: Decodable { var `class`: Int, name: String, probability: Double }
      var image: String, classes: [Class]
    }
    let image = Self.images[0]
    let answers: [Classes] = try await spdc(
      "classify", Place.tiny, "--weights", "synthetic", "--top", "3", "--json", image
    ).succeeded().json()
    #expect(answers.count == 1 && answers[0].image == image && answers[0].classes.count == 3)
    let probabilities = answers[0].classes.map(\.probability)
    #expect(probabilities == probabilities.sorted(by: >) && probabilities[0] < 1)
    let text = try await spdc("classify", Place.tiny, "--weights", "synthetic", "--normalise", "cifar", image)
      .succeeded().output
    #expect(text.hasPrefix(image + "\n") && text.contains(" %  class "))
  }

  @Test func theWrongKindOfNetwork() async throws {
    (try await spdc("detect", Place.tiny, "--weights", "synthetic", Self.images[0]))
      .failed(.usage, "tiny-spd is not a detector", "try classify")
    (try await spdc("classify", "yolov5-spd-n", "--size", "64", "--weights", "synthetic", Self.images[0]))
      .failed(.usage, "yolov5-spd-n detects objects", "try detect")
  }
}
