import Foundation
import SPD

/// The content of one image of the `shapes` data set, in units of its side: independent of the resolution, so that the
/// same scene can be drawn at any.
struct ShapeScene {
  /// R, G, B in 0...1.
  typealias Colour = SIMD3<Double>

  /// A shape of one colour; in its own frame it is within the circle of radius 1.
  struct Element {
    let contains: (_ x: Double, _ y: Double) -> Bool
    let centreX, centreY: Double
    /// Half extents along the shape's own axes.
    let radiusX, radiusY: Double
    let angle: Double
    let colour: Colour
  }

  /// A wave of colour across the background.
  struct Wave {
    /// Radians per side, along x and y.
    let alongX, alongY: Double
    let phase: Double
    let amplitude: Colour
  }

  let background: Colour
  let waves: [Wave]
  /// Elements from back to front.
  let elements: [Element]
  /// Standard deviation of the noise in every value in 0...1.
  let noise: Double

  /// Radius of the largest shapes.
  static let largest = 0.36

  /// - Parameter smallest: radius of the smallest shapes.
  init(outline: ShapeOutline, smallest: Double = ShapesOptions().smallest, using random: inout SplitMix64) {
    // Shapes are randomly brighter or darker than the background, whatever the hues.
    let isDark = random.chance(0.5)
    let background = Self.colour(&random) * 0.55 + (isDark ? 0 : 0.45)
    self.background = background
    waves = (0..<2).map { _ in
      let direction = random.uniform(0, 2 * .pi)
      let frequency = 2 * .pi * random.uniform(0.5, 2.5)
      return Wave(
        alongX: frequency * cos(direction), alongY: frequency * sin(direction), phase: random.uniform(0, 2 * .pi),
        amplitude: (Self.colour(&random) - 0.5) * 0.2)
    }
    let behind = (0..<1 + random.below(3)).map { _ in Self.clutter(&random) }
    let object = Self.object(outline, smallest, on: background, isDark: isDark, &random)
    let inFront = (0..<random.below(2)).map { _ in Self.clutter(&random) }
    elements = behind + [object] + inFront
    noise = random.uniform(0.02, 0.05)
  }

  private static func colour(_ random: inout SplitMix64) -> Colour {
    Colour(random.uniform(), random.uniform(), random.uniform())
  }

  /// The shape to be recognised; radii are uniform on a logarithmic scale.
  private static func object(
    _ outline: ShapeOutline, _ smallest: Double, on background: Colour, isDark: Bool, _ random: inout SplitMix64
  ) -> Element {
    let radius = smallest * exp(random.uniform() * log(largest / smallest))
    let reach = 1 - 2 * radius
    var colour = background
    // Draw again while the colour is too close to the background.
    while abs((colour - background).sum()) < 0.75 { colour = Self.colour(&random) * 0.6 + (isDark ? 0.4 : 0) }
    return Element(
      contains: outline.contains, centreX: radius + reach * random.uniform(),
      centreY: radius + reach * random.uniform(),
      radiusX: radius, radiusY: radius * random.uniform(0.85, 1), angle: random.uniform(0, 2 * .pi), colour: colour)
  }

  /// A thin stroke or a dot smaller than any object.
  private static func clutter(_ random: inout SplitMix64) -> Element {
    let isStroke = random.chance(0.7)
    let length = isStroke ? random.uniform(0.08, 0.3) : random.uniform(0.02, 0.05)
    let width = isStroke ? random.uniform(0.008, 0.022) : length
    let box = { (x: Double, y: Double) in max(abs(x), abs(y)) <= 1 }
    let ellipse = { (x: Double, y: Double) in x * x + y * y <= 1 }
    return Element(
      contains: isStroke ? box : ellipse,
      centreX: random.uniform(), centreY: random.uniform(), radiusX: length, radiusY: width,
      angle: random.uniform(0, 2 * .pi), colour: colour(&random))
  }
}
