import Foundation
import SPD
import SPDVision
import Testing

@testable import SPDData

struct ShapesTests {
  @Test func optionsAndNames() throws {
    var options = DatasetOptions()
    options.shapes.training = 40
    options.shapes.validation = 20
    let data = try openDataset("shapes:16", options: options)
    #expect(data.training.name == "shapes 16×16, training")
    #expect(data.validation.name == "shapes 16×16, validation")
    #expect(data.training.classCounts == [Int](repeating: 4, count: 10))
    #expect(data.validation.count == 20)
    #expect(data.training.classNames.count == 10 && Set(data.training.classNames).count == 10)
    #expect(try data.training.image(39).width == 16)
    #expect(try openDataset("shapes", options: options).training.image(0).height == 32)
    #expect(data.training.origin(3) == "shapes 16×16, training, image 3")
  }

  @Test func theSameImagesEveryTime() throws {
    func made(_ split: ShapesDataset.Split, seed: UInt64) throws -> [Image] {
      let data = try ShapesDataset(split: split, count: 130, resolution: 12, seed: seed)
      return (0..<130).map(data.image)
    }
    let images = try made(.training, seed: 5)
    #expect(try made(.training, seed: 5) == images)
    #expect(try zip(made(.training, seed: 6), images).allSatisfy { $0 != $1 })
    #expect(try zip(made(.validation, seed: 5), images).allSatisfy { $0 != $1 })
  }

  /// Without noise, an image must be the mean of what a finer one shows, since both are drawn from areas.
  @Test func lowResolutionsShowTheSameScene() {
    for outline in ShapeOutline.allCases {
      var random = SplitMix64(.scene, UInt64(outline.rawValue))
      let scene = ShapeScene(outline: outline, using: &random)
      var other = random
      let fine = scene.drawn(side: 64, using: &random)
      let coarse = scene.drawn(side: 16, using: &other)
      let shrunk = fine.fitted(.stretch, width: 16, height: 16)
      let errors: [Double] = zip(shrunk.pixels, coarse.pixels).map { abs(Double($0) - Double($1)) }
      // The noise alone has a mean deviation of up to 0.05 · 255 · 0.8 ≈ 10.
      #expect(errors.reduce(0, +) / Double(errors.count) < 12, "\(outline)")
    }
  }

  @Test func shapesAreInTheUnitCircleAndDiffer() {
    let grid = stride(from: -1.2, through: 1.2, by: 0.02)
    var masks: Set<[Bool]> = []
    for outline in ShapeOutline.allCases {
      var mask: [Bool] = []
      for y in grid {
        for x in grid {
          let isInside = outline.contains(x, y)
          mask.append(isInside)
          #expect(!isInside || x * x + y * y <= 1.01, "\(outline) covers \(x), \(y)")
        }
      }
      let share = Double(mask.count { $0 }) / Double(mask.count)
      #expect((0.1...0.5).contains(share), "\(outline) covers \(share)")
      masks.insert(mask)
    }
    #expect(masks.count == ShapeOutline.allCases.count)
  }

  /// A star is the polygon of its ten corners.
  @Test func starIsItsPolygon() {
    let corners = (0..<10).map { corner in
      let radius = corner % 2 == 0 ? 1 : 0.42
      let angle = Double(corner) * .pi / 5
      return (x: radius * sin(angle), y: radius * cos(angle))
    }
    func isInside(_ x: Double, _ y: Double) -> Bool {
      var crossings = 0
      for (first, second) in zip(corners, corners[1...] + corners[..<1]) where (first.y > y) != (second.y > y) {
        if x < first.x + (y - first.y) / (second.y - first.y) * (second.x - first.x) { crossings += 1 }
      }
      return crossings % 2 == 1
    }
    var random = SplitMix64(.scene, 1)
    for _ in 0..<5000 {
      let (x, y) = (random.uniform(-1, 1), random.uniform(-1, 1))
      #expect(ShapeOutline.star.contains(x, y) == isInside(x, y), "\(x), \(y)")
    }
  }

  /// The shape is the largest element where strokes, which reach 0.3, are smaller.
  @Test func smallestRadius() throws {
    for number in 0..<200 {
      var random = SplitMix64(.scene, UInt64(number))
      let scene = ShapeScene(outline: .star, smallest: 0.3, using: &random)
      let radius = scene.elements.map(\.radiusX).max()!
      #expect((0.3...0.36).contains(radius), "\(radius)")
    }
    var options = DatasetOptions()
    options.shapes.training = 5
    options.shapes.validation = 1
    func images(_ name: String) throws -> [Image] {
      let data = try openDataset(name, options: options).training
      return try (0..<5).map(data.image)
    }
    #expect(try images("shapes:16:0.15") == images("shapes:16"))
    #expect(try zip(images("shapes:16:0.3"), images("shapes:16")).allSatisfy { $0 != $1 })
  }

  @Test func everyMessage() {
    #expect(
      message { _ = try openDataset("shapes:16:0.5") }
        == "shapes: the radius of the smallest shapes is 0.5; 0.05 to 0.36 of the side is supported; say shapes:16:0.3, for example"
    )
    for name in ["shapes:16:x", "shapes:16:0.2:1", "shapes:"] {
      #expect(message { _ = try openDataset(name) }?.contains("what is after the colon is no number") == true)
    }
    #expect(
      message { _ = try openDataset("shapes:3") }
        == "shapes: the resolution is 3; 4 to 1024 are drawn; say shapes:32, for example")
    #expect(
      message { _ = try openDataset("shapes:big") }
        == "shapes:big: what is after the colon is no number; say shapes:16 for 16×16 images, shapes:16:0.3 for large shapes in them"
    )
    var options = DatasetOptions()
    options.shapes.validation = 0
    options.shapes.training = 1
    #expect(
      message { _ = try openDataset("shapes", options: options) }
        == "shapes: 0 images are asked for; ask for at least one")
  }
}
