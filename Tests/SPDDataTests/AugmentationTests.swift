import Foundation
import SPD
import SPDVision
import Testing

@testable import SPDData

/// Against what torchvision and Pillow made of the same images; see Fixtures/make_augmentations.py.
struct AugmentationTests {
  private struct Recording: Decodable {
    struct Rotation: Decodable {
      var width, height: Int
      var degrees: Double
      var sum: String
    }
    struct Crop: Decodable {
      var top, left: Int
      var sum: String
    }
    struct Run: Decodable {
      var preset, seed: String
      var epoch, index: Int
      var sum: String
      var mean: Double
      var first: [Float]
    }
    var words: [String]
    var below: [Int]
    var horizontal, vertical: String
    var rotations: [Rotation]
    var crops: [Crop]
    var runs: [Run]

    static func load() throws -> Recording {
      let url = URL(fileURLWithPath: Fixture.folder + "/augmentations.json")
      return try JSONDecoder().decode(Recording.self, from: Data(contentsOf: url))
    }
  }

  @Test func randomNumbersAreThoseOfTheRecording() throws {
    let recording = try Recording.load()
    var random = SplitMix64(.scene, 1, 2, 3)
    #expect((0..<4).map { _ in String(random.next(), radix: 16) }.map { padded($0) } == recording.words)
    #expect((0..<8).map { _ in random.below(10) } == recording.below)
  }

  private func padded(_ digits: String) -> String { String(repeating: "0", count: 16 - digits.count) + digits }

  @Test func flips() throws {
    let recording = try Recording.load()
    let image = formulaImage(19, 13, seed: 3)
    #expect(checksum(image.flippedHorizontally().pixels) == recording.horizontal)
    #expect(checksum(image.flippedVertically().pixels) == recording.vertical)
  }

  @Test func cropsWithPadding() throws {
    let crops = try Recording.load().crops
    #expect(crops.count == 12)
    for crop in crops {
      let result = formulaImage(19, 13, seed: 2).cropped(left: crop.left, top: crop.top, width: 19, height: 13)
      #expect(checksum(result.pixels) == crop.sum, "\(crop)")
    }
    for (left, top) in [(4, 0), (9, 1), (-7, 0), (0, 30), (1, -2)] {
      let outside = formulaImage(4, 4, seed: 1).cropped(left: left, top: top, width: 2, height: 2)
      #expect(outside == Image(width: 2, height: 2, filledWith: RGB(0, 0, 0)))
    }
  }

  @Test func rotations() throws {
    let rotations = try Recording.load().rotations
    #expect(rotations.count == 33)
    for rotation in rotations {
      let image = formulaImage(rotation.width, rotation.height, seed: 1)
      #expect(checksum(image.rotated(degrees: rotation.degrees).pixels) == rotation.sum, "\(rotation)")
    }
  }

  @Test func presetsFromImageToNetworkInput() throws {
    let runs = try Recording.load().runs
    #expect(runs.count == 14)
    for run in runs {
      let transform: ImageTransform = run.preset == "cifar" ? .cifar : .tinyImageNet
      let stored = formulaImage(transform.width, transform.height, seed: UInt32(run.index))
      let image = transform.image(stored, seed: UInt64(run.seed)!, epoch: run.epoch, index: run.index)
      let values = normalised([image], transform.standardisation.normalisation)
      #expect(Array(values.prefix(4)) == run.first)
      #expect(abs(values.reduce(0) { $0 + Double($1) } / Double(values.count) - run.mean) < 1e-12)
      #expect(checksum(values) == run.sum, "\(run.preset) \(run.seed) \(run.epoch) \(run.index)")
    }
  }

  @Test func settingsSurviveJSON() throws {
    for transform in [ImageTransform.cifar, .tinyImageNet] {
      let data = try JSONEncoder().encode(transform)
      #expect(try JSONDecoder().decode(ImageTransform.self, from: data) == transform)
    }
    let text = String(decoding: try JSONEncoder().encode([Augmentation.rotation(15), .randomCrop(4)]), as: UTF8.self)
    #expect(text == #"["rotation 15.0","random-crop 4"]"#)
  }

  @Test(arguments: [
    "", "rotation", "rotation x", "rotation 181", "rotation -1", "rotation nan", "random-crop 4.5", "random-crop -1",
    "horizontal-flip 1.1", "vertical-flip 2", "blur 1", "rotation 1 2",
  ])
  func textThatIsNoAugmentation(_ text: String) throws {
    #expect(Augmentation(text) == nil)
    let data = try JSONEncoder().encode([text])
    let problem = message { _ = try JSONDecoder().decode([Augmentation].self, from: data) }
    #expect(problem?.contains("is not an augmentation; supported are horizontal-flip PROBABILITY") == true)
  }

  @Test func probabilitiesAreMet() {
    let image = formulaImage(4, 4, seed: 1)
    for (probability, range) in [(0.0, 0...0), (1.0, 1000...1000), (0.3, 250...350)] {
      var random = SplitMix64(.augmentation, 1)
      let count = (0..<1000).filter { _ in
        Augmentation.horizontalFlip(probability).applied(to: image, using: &random) != image
      }.count
      #expect(range.contains(count), "\(probability): \(count)")
    }
  }

  @Test func everyOffsetAndOrderOccurs() {
    var random = SplitMix64(.order, 3)
    var counts = [Int](repeating: 0, count: 9)
    for _ in 0..<9000 { counts[random.below(9)] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
    var orders: [[Int32]: Int] = [:]
    for _ in 0..<6000 { orders[random.permutation(3), default: 0] += 1 }
    #expect(orders.count == 6 && orders.values.allSatisfy { (880...1120).contains($0) }, "\(orders)")
  }
}
