import Foundation

/// The outlines of the `shapes` data set, which are its classes.
///
/// Several differ only in a detail of few pixels: the hole of a ring, the notch of a crescent, the gap between two
/// bars.
/// At low resolution these are lost first.
enum ShapeOutline: Int, CaseIterable {
  case disc, ring, square, frame, triangle, star, cross, crescent, bars, chevron

  var name: String { "\(self)" }

  /// Whether the shape covers a point; the shape is within the circle of radius 1 around the origin.
  func contains(_ x: Double, _ y: Double) -> Bool {
    switch self {
    case .disc: return x * x + y * y <= 0.75
    case .ring:
      let square = x * x + y * y
      return square <= 0.85 && square >= 0.2
    case .square: return max(abs(x), abs(y)) <= 0.7
    case .frame:
      let reach = max(abs(x), abs(y))
      return reach <= 0.7 && reach >= 0.36
    case .triangle:
      // Three half planes at distance 0.5 from the origin.
      return y <= 0.5 && -0.5 * y + 0.866_025_403_784_438_6 * abs(x) <= 0.5
    case .star: return Self.star(x, y)
    case .cross: return min(abs(x), abs(y)) <= 0.26 && max(abs(x), abs(y)) <= 0.9
    case .crescent:
      let notch = x - 0.5
      return x * x + y * y <= 0.8 && notch * notch + y * y >= 0.5
    case .bars: return abs(x) <= 0.8 && abs(y) <= 0.6 && abs(y) >= 0.2
    case .chevron:
      let slant = y + abs(x)
      return abs(x) <= 0.75 && slant <= 0.75 && slant >= 0.1
    }
  }

  /// Five points at radius 1, five notches at radius 0.42.
  private static func star(_ x: Double, _ y: Double) -> Bool {
    let radius = (x * x + y * y).squareRoot()
    if radius <= 0.4 { return true }
    if radius > 1 { return false }
    // Fold all points onto the half sector between one point and the adjacent notch; its edge is a straight line.
    let sector = 2 * Double.pi / 5
    var angle = atan2(x, y).truncatingRemainder(dividingBy: sector)
    if angle < 0 { angle += sector }
    angle = min(angle, sector - angle)
    let along = radius * cos(angle)
    let across = radius * sin(angle)
    let (notchAlong, notchAcross) = (0.42 * cos(sector / 2), 0.42 * sin(sector / 2))
    return across * (1 - notchAlong) <= notchAcross * (1 - along)
  }
}
