import SPD
import SPDCompiler
import SPDReference
import Testing

/// The YOLOv5 loss against results of the reference and finite differences.
struct LossYOLOTests {
  private static let pixels: [[(Float, Float)]] = [
    [(10, 13), (16, 30), (33, 23)], [(30, 61), (62, 45), (59, 119)], [(116, 90), (156, 198), (373, 326)],
  ]
  private static let anchors = zip(pixels, [8, 16, 32] as [Float]).map { level, stride in
    level.map { (width: $0.0 / stride, height: $0.1 / stride) }
  }
  private static let targets = [
    LossOracle.Target(image: 0, label: 3, 0.5123, 0.4071, 0.10, 0.20),
    LossOracle.Target(image: 1, label: 17, 0.03, 0.99, 0.05, 0.015),
    LossOracle.Target(image: 1, label: 0, 0.76, 0.26, 0.5, 0.45),
  ]

  /// Logits ((7919·k) mod 1000)/250 − 2, with k counting through (image, anchor, row, column, number).
  private static func levels(_ size: Int, _ value: (Int) -> Double = { Double($0 * 7919 % 1000) / 250 - 2 }) -> [Values]
  {
    [8, 16, 32].map { stride in
      let n = size / stride
      return Values(Shape(batch: 2, channels: 255, height: n, width: n)) { image, channel, y, x in
        value((((image * 3 + channel / 85) * n + y) * n + x) * 85 + channel % 85)
      }
    }
  }

  struct Golden: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var size = 640
    var smoothing = 0.0
    var gamma = 0.0
    var total: Double
    var items: [Double]
    var gradients: [Double]
    var matches: [Int]
  }

  @Test(arguments: [
    Golden(
      testDescription: "plain", total: 11.837341, items: [0.118395, 4.550500, 1.249775],
      gradients: [4.50826, 1.52543, 0.92411], matches: [9, 9, 15]),
    Golden(
      testDescription: "label smoothing", smoothing: 0.1, total: 11.840397, items: [0.118395, 4.550500, 1.251303],
      gradients: [4.45826, 1.47543, 0.87411], matches: [9, 9, 15]),
    Golden(
      testDescription: "focal", gamma: 1.5, total: 5.104990, items: [0.118395, 1.917859, 0.516241],
      gradients: [2.95877, 1.00720, 0.61376], matches: [9, 9, 15]),
    Golden(
      testDescription: "64×64", size: 64, total: 11.898412, items: [0.131923, 4.545862, 1.271421],
      gradients: [4.48560, 1.49379, 0.96304], matches: [15, 6, 2]),
  ])
  func theReferencesFigures(golden: Golden) {
    var loss = LossOracle.YOLO(classes: 80, anchors: Self.anchors, referenceLevel: 1)
    loss.rates.labelSmoothing = golden.smoothing
    loss.rates.focalGamma = golden.gamma
    let found = loss(Self.levels(golden.size), Self.targets)
    #expect(found.matches.map(\.count) == golden.matches)
    #expect(abs(found.total - golden.total) < 1e-6)
    for (value, expected) in zip([found.box, found.objectness, found.classes], golden.items) {
      #expect(abs(value - expected) < 1e-6)
    }
    let sums = found.gradient.map { $0.elements.reduce(0) { $0 + abs($1) } }
    for (sum, expected) in zip(sums, golden.gradients) { #expect(abs(sum - expected) < 1e-5) }
  }

  /// All logits zero and a centre on the border of cells at every level, which counts its own cell several times.
  @Test func theReferencesFiguresOnABorder() {
    var targets = Self.targets
    (targets[2].x, targets[2].y) = (0.75, 0.25)
    let found = LossOracle.YOLO(classes: 80, anchors: Self.anchors)(Self.levels(640) { _ in 0 }, targets)
    #expect(found.matches.map(\.count) == [9, 9, 21])
    // The reference ran in single precision.
    #expect(abs(found.total - 9.763998) < 2e-6)
    let items = zip([found.box, found.objectness, found.classes], [0.0992828, 3.7429953, 1.0397208])
    for (value, expected) in items { #expect(abs(value - expected) < 1e-6) }
  }

  /// The centre (15, 5) of a level of 20×20: its own cell three times, then left and above.
  @Test func aCentreOnABorderFindsItsCellAgain() {
    let target = LossOracle.Target(image: 0, label: 0, 0.75, 0.25, 0.1, 0.1)
    let found = LossOracle.matches([target], anchors: [(2, 2)], rows: 20, columns: 20)
    #expect(found.map { [$0.column, $0.row] } == [[15, 5], [14, 5], [15, 4], [15, 5], [15, 5]])
    #expect(found[1].box == LossOracle.Box(1, 0, 2, 2))
  }

  /// Own cells come first, by anchor, then by target; then the neighbours on the left, and so on.
  @Test func theOrderOfMatches() {
    let targets = [
      LossOracle.Target(image: 0, label: 0, 0.52, 0.57, 0.2, 0.2),
      LossOracle.Target(image: 0, label: 0, 0.28, 0.22, 0.2, 0.2),
    ]
    let found = LossOracle.matches(targets, anchors: [(2, 2), (1.5, 3)], rows: 10, columns: 10)
    #expect(
      found.map { [$0.target, $0.anchor, $0.column, $0.row] } == [
        [0, 0, 5, 5], [1, 0, 2, 2], [0, 1, 5, 5], [1, 1, 2, 2],
        [0, 0, 4, 5], [0, 1, 4, 5],
        [1, 0, 2, 1], [1, 1, 2, 1],
        [1, 0, 3, 2], [1, 1, 3, 2],
        [0, 0, 5, 6], [0, 1, 5, 6],
      ])
  }

  /// A side that differs by exactly the limit does not match; nor does a box of no size.
  @Test(arguments: [(Float(0.79), 1), (0.8, 0), (0.06, 1), (0.05, 0), (0, 0)])
  func theLimitOfAnchors(width: Float, expected: Int) {
    let target = LossOracle.Target(image: 0, label: 0, 0.55, 0.55, width, 0.2)
    let found = LossOracle.matches([target], anchors: [(2, 2)], rows: 10, columns: 10)
    #expect(min(found.count, 1) == expected)
  }

  /// At the image's edges there is no neighbour beyond, and a centre on the far edge is clamped into the last cell.
  @Test func theEdgesOfTheImage() {
    func cells(_ x: Float, _ y: Float) -> [[Int]] {
      LossOracle.matches(
        [LossOracle.Target(image: 0, label: 0, x, y, 0.5, 0.5)], anchors: [(2, 2)], rows: 4, columns: 4
      ).map { [$0.column, $0.row] }
    }
    #expect(cells(0.05, 0.05) == [[0, 0]])
    #expect(cells(0.95, 0.95) == [[3, 3]])
    #expect(cells(1, 1) == [[3, 3], [3, 3], [3, 3]])
    #expect(cells(0, 0) == [[0, 0], [0, 0], [0, 0]])
  }

  struct Variant: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (inout LossOracle.YOLO.Rates) -> Void
    var classes = 3
  }

  /// Every logit of a small network, with anchors, matches and collisions in plenty.
  @Test(arguments: [
    Variant(testDescription: "plain", change: { _ in }),
    Variant(testDescription: "one class", change: { _ in }, classes: 1),
    Variant(testDescription: "focal", change: { $0.focalGamma = 1.5 }),
    Variant(
      testDescription: "weighted, smoothed",
      change: {
        $0.classWeight = 0.6
        $0.objectnessWeight = 1.7
        $0.labelSmoothing = 0.2
      }),
  ])
  func finiteDifferences(variant: Variant) {
    let anchors: [[(width: Float, height: Float)]] = [[(1, 1.5), (2, 1)], [(1.2, 0.8), (0.7, 1.9)]]
    var loss = LossOracle.YOLO(classes: variant.classes, anchors: anchors, balances: [3, 0.5])
    variant.change(&loss.rates)
    let channels = 2 * (5 + variant.classes)
    let levels = [(6, 4), (3, 2)].map { rows, columns in
      let shape = Shape(batch: 2, channels: channels, height: rows, width: columns)
      return Values(shape, uniform("level \(rows)", shape.count).map { Double($0) * 4 - 2 })
    }
    let numbers = uniform("targets", 40)
    let targets = (0..<8).map { i in
      let u = numbers[(i * 5)..<(i * 5 + 5)].map { $0 }
      return LossOracle.Target(
        image: i % 2, label: i % variant.classes, u[0], u[1], 0.1 + 0.7 * u[2], 0.1 + 0.5 * u[3])
    }
    let found = loss(levels, targets)
    #expect(found.matches.allSatisfy { !$0.isEmpty })
    for level in levels.indices {
      for i in levels[level].elements.indices {
        func total(_ step: Double) -> Double {
          var moved = levels
          moved[level].elements[i] += step
          return loss(moved, targets, constants: found.constants).total
        }
        let difference = (total(1e-5) - total(-1e-5)) / 2e-5
        #expect(abs(difference - found.gradient[level].elements[i]) < 1e-8)
      }
    }
  }

  /// No targets: objectness alone; the balances move towards 1 / loss and are divided by that of the reference level.
  @Test func autobalanceWithoutTargets() {
    var loss = LossOracle.YOLO(classes: 80, anchors: Self.anchors, referenceLevel: 1)
    loss.rates.autobalance = true
    let found = loss(Self.levels(64) { _ in 0 }, [])
    #expect(found.box == 0 && found.classes == 0)
    let ln2 = 0.6931471805599453
    #expect(abs(found.objectness - 5.4 * ln2) < 1e-12)
    let moved = [4, 1, 0.4].map { $0 * 0.9999 + 0.0001 / ln2 }
    #expect(zip(found.balances, moved).allSatisfy { abs($0 - $1 / moved[1]) < 1e-12 })
  }

  @Test func gainsScaleWithTheNetwork() {
    let scaled = LossOracle.YOLO.Rates().scaled(levels: 4, classes: 20, imageSize: 320)
    #expect(scaled.box == 0.05 * 0.75 && scaled.objectness == 0.25 * 0.75 && scaled.classes == 0.5 * 0.25 * 0.75)
  }
}
