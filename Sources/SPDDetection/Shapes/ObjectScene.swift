import Foundation
import SPD

/// The content of an image of the generated small-object set, in pixels: objects over distractors over a textured
/// background.
struct ObjectScene {
  /// R, G, B in 0...1.
  typealias Colour = SIMD3<Double>

  struct Object {
    let shape: ObjectShape
    let corners: [SIMD2<Double>]
    let colour: Colour

    /// Extent: left, top, right, bottom.
    let bounds: SIMD4<Double>
  }

  /// A polygon that is no object: a stroke, a speck or a jagged blot.
  struct Distractor {
    let corners: [SIMD2<Double>]
    let colour: Colour
    let opacity: Double
  }

  let side: Int
  let background: Background
  let distractors: [Distractor]
  /// Objects from back to front.
  var objects: [Object]
  /// Standard deviation of the noise in every value in 0...1.
  let noise: Double

  /// Maximum part of an object's box that another one's box may cover.
  static let occlusionLimit = 0.15
  /// Range of √(width · height) in pixels, with the probability of each: COCO-small, medium and large.
  static let sizes: [(probability: Double, range: ClosedRange<Double>)] = [
    (0.65, 8...30), (0.27, 34...90), (0.08, 100...160),
  ]

  /// - Parameters:
  ///   - side: of the image in pixels.
  ///   - classes: number of shapes in use.
  init(side: Int, classes: Int, using random: inout SplitMix64) {
    self.side = side
    let scale = Double(side)
    let isDark = random.chance(0.5)
    let background = Background(isDark: isDark, using: &random)
    self.background = background
    distractors = (0..<4 + random.below(9)).map { _ in Self.distractor(scale, background.colour, &random) }
    var objects: [Object] = []
    for _ in 0..<1 + random.below(12) {
      let shape = ObjectShape.allCases[random.below(classes)]
      let size = min(Self.size(&random), scale * 0.5)
      let colour = Self.objectColour(isDark, background.colour, &random)
      let angle = random.uniform(0, 2 * .pi)
      // A crowded image may have no room for another object.
      for _ in 0..<30 {
        let object = Self.placed(shape, size, angle, colour, scale, &random)
        if objects.allSatisfy({ Self.cover($0.bounds, object.bounds) <= Self.occlusionLimit }) {
          objects.append(object)
          break
        }
      }
    }
    self.objects = objects
    noise = random.uniform(0.02, 0.06)
  }

  private static func size(_ random: inout SplitMix64) -> Double {
    var rest = random.uniform()
    let range =
      sizes.first { entry in
        rest -= entry.probability
        return rest < 0
      }?.range ?? sizes[0].range
    // Uniform on a logarithmic scale.
    return range.lowerBound * exp(random.uniform() * log(range.upperBound / range.lowerBound))
  }

  private static func placed(
    _ shape: ObjectShape, _ size: Double, _ angle: Double, _ colour: Colour, _ side: Double, _ random: inout SplitMix64
  ) -> Object {
    let (cosine, sine) = (cos(angle), sin(angle))
    let turned = shape.corners.map { SIMD2(cosine * $0.x - sine * $0.y, sine * $0.x + cosine * $0.y) }
    let extent = bounds(turned)
    let scale = size / ((extent.z - extent.x) * (extent.w - extent.y)).squareRoot()
    let (width, height) = ((extent.z - extent.x) * scale, (extent.w - extent.y) * scale)
    // One pixel from the edges, so that the whole object is visible.
    let left = 1 + random.uniform() * max(side - 2 - width, 0)
    let top = 1 + random.uniform() * max(side - 2 - height, 0)
    let offset = SIMD2(left, top) - SIMD2(extent.x, extent.y) * scale
    let corners = turned.map { $0 * scale + offset }
    return Object(shape: shape, corners: corners, colour: colour, bounds: bounds(corners))
  }

  static func bounds(_ points: [SIMD2<Double>]) -> SIMD4<Double> {
    let low = points.reduce(points[0], pointwiseMin)
    let high = points.reduce(points[0], pointwiseMax)
    return SIMD4(low.x, low.y, high.x, high.y)
  }

  /// The covered part of the smaller box.
  private static func cover(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> Double {
    let width = min(a.z, b.z) - max(a.x, b.x)
    let height = min(a.w, b.w) - max(a.y, b.y)
    guard width > 0, height > 0 else { return 0 }
    return width * height / min((a.z - a.x) * (a.w - a.y), (b.z - b.x) * (b.w - b.y))
  }

  static func randomColour(_ random: inout SplitMix64) -> Colour {
    Colour(random.uniform(), random.uniform(), random.uniform())
  }

  /// Brighter than a dark background and darker than a bright one, whatever the hue.
  private static func objectColour(_ isDark: Bool, _ background: Colour, _ random: inout SplitMix64) -> Colour {
    var colour = background
    while abs((colour - background).sum()) < 0.9 { colour = randomColour(&random) * 0.6 + (isDark ? 0.4 : 0) }
    return colour
  }

  private static func distractor(_ side: Double, _ background: Colour, _ random: inout SplitMix64) -> Distractor {
    let centre = SIMD2(random.uniform(), random.uniform()) * side
    let colour = background + (randomColour(&random) - 0.5) * 0.9
    let kind = random.uniform()
    if kind < 0.5 {
      // A stroke.
      let (length, width) = (random.uniform(0.05, 0.3) * side / 2, random.uniform(0.7, 2.5) / 2)
      let angle = random.uniform(0, 2 * .pi)
      let along = SIMD2(cos(angle), sin(angle)) * length
      let across = SIMD2(-sin(angle), cos(angle)) * width
      return Distractor(
        corners: [centre - along - across, centre + along - across, centre + along + across, centre - along + across],
        colour: colour, opacity: random.uniform(0.5, 1))
    }
    // A speck smaller than any object, or a jagged blot, faint where it is as large as one.
    let isSpeck = kind < 0.75
    let radius = isSpeck ? random.uniform(0.7, 2) : random.uniform(4, 40)
    let count = isSpeck ? 5 : 9 + random.below(8)
    let corners = (0..<count).map { index in
      let turn = 2 * .pi * Double(index) / Double(count)
      return centre + SIMD2(cos(turn), sin(turn)) * radius * random.uniform(0.45, 1)
    }
    return Distractor(corners: corners, colour: colour, opacity: isSpeck ? 1 : random.uniform(0.15, 0.4))
  }
}
