import Foundation

/// The classes of the generated small-object set, as outlines around the origin within the circle of radius 1.
enum ObjectShape: Int, CaseIterable {
  case circle, square, triangle, star, cross, arrow

  var name: String { "\(self)" }

  /// The corners in drawing order. Everything follows from them: pixels, box, outline and area.
  var corners: [SIMD2<Double>] {
    switch self {
    case .circle: Self.regular(48)
    case .square: Self.regular(4)
    case .triangle: Self.regular(3)
    case .star:
      (0..<10).map { Self.point($0 % 2 == 0 ? 1 : 0.42, Double($0) / 10) }
    case .cross:
      [
        (-0.3, -0.95), (0.3, -0.95), (0.3, -0.3), (0.95, -0.3), (0.95, 0.3), (0.3, 0.3), (0.3, 0.95), (-0.3, 0.95),
        (-0.3, 0.3), (-0.95, 0.3), (-0.95, -0.3), (-0.3, -0.3),
      ].map { SIMD2($0.0, $0.1) }
    case .arrow:
      [(0, -1), (0.8, -0.1), (0.32, -0.1), (0.32, 0.9), (-0.32, 0.9), (-0.32, -0.1), (-0.8, -0.1)]
        .map { SIMD2($0.0, $0.1) }
    }
  }

  private static func regular(_ count: Int) -> [SIMD2<Double>] {
    (0..<count).map { point(1, Double($0) / Double(count)) }
  }

  /// A point at a fraction of a full turn.
  private static func point(_ radius: Double, _ turn: Double) -> SIMD2<Double> {
    SIMD2(radius * sin(2 * .pi * turn), -radius * cos(2 * .pi * turn))
  }
}
