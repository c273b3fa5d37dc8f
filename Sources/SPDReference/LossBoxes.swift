import SPD
import SPDCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension LossOracle {
  /// A box by its centre and size, in any unit.
  public struct Box: Equatable, Sendable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }

  /// The complete IoU of two boxes and its derivatives with respect to the first.
  ///
  /// CIoU = IoU − (ρ²/c² + α·v), where ρ is the distance of the centres, c the diagonal of the enclosing box,
  /// v = (4/π²)(atan(w₂/h₂) − atan(w₁/h₁))² and α = v / (v − IoU + 1 + ε) is treated as a constant. ε = 10⁻⁷ is added to
  /// heights, union and c², but not to widths. Equal edges have half of the derivative each.
  public struct CompleteIoU: Sendable {
    public var value: Double
    /// The derivatives with respect to the first box's x, y, width and height.
    public var slope: Box
    public var alpha: Double

    /// - Parameter alpha: replaces the boxes' own α, so that finite differences may hold it constant.
    public init(_ first: Box, _ second: Box, alpha fixed: Double? = nil) {
      let epsilon = 1e-7
      let horizontal = Extent(first.x, first.width, second.x, second.width)
      let vertical = Extent(first.y, first.height, second.y, second.height)
      let (w1, h1) = (first.width, first.height + epsilon)
      let (w2, h2) = (second.width, second.height + epsilon)
      let common = horizontal.overlap * vertical.overlap
      let union = w1 * h1 + w2 * h2 - common + epsilon
      let iou = common / union
      let diagonal = horizontal.around * horizontal.around + vertical.around * vertical.around + epsilon
      let distance = pow(second.x - first.x, 2) + pow(second.y - first.y, 2)
      let turn = atan(w2 / h2) - atan(w1 / h1)
      let v = 4 / (Double.pi * .pi) * turn * turn
      let alpha = fixed ?? v / (v - iou + 1 + epsilon)

      // The quotient rule, for a variable with the given derivatives of the four quantities.
      func slope(
        common dCommon: Double, area: Double, diagonal dDiagonal: Double, distance dDistance: Double, v dV: Double
      )
        -> Double
      {
        let dUnion = area - dCommon
        return (dCommon * union - common * dUnion) / (union * union)
          - (dDistance * diagonal - distance * dDiagonal) / (diagonal * diagonal) - alpha * dV
      }
      let vByAngle = -8 / (Double.pi * .pi) * turn
      let square = w1 * w1 + h1 * h1
      self.alpha = alpha
      value = iou - (distance / diagonal + v * alpha)
      self.slope = Box(
        slope(
          common: horizontal.overlapByCentre * vertical.overlap, area: 0,
          diagonal: 2 * horizontal.around * horizontal.aroundByCentre, distance: 2 * (first.x - second.x), v: 0),
        slope(
          common: vertical.overlapByCentre * horizontal.overlap, area: 0,
          diagonal: 2 * vertical.around * vertical.aroundByCentre, distance: 2 * (first.y - second.y), v: 0),
        slope(
          common: horizontal.overlapBySize * vertical.overlap, area: h1,
          diagonal: 2 * horizontal.around * horizontal.aroundBySize, distance: 0, v: vByAngle * h1 / square),
        slope(
          common: vertical.overlapBySize * horizontal.overlap, area: w1,
          diagonal: 2 * vertical.around * vertical.aroundBySize, distance: 0, v: -vByAngle * w1 / square))
    }
  }
  private struct Extent {

    /// Two intervals of one axis: overlap, span, and their derivatives with respect to the first's centre and size.
    var overlap: Double
    var around: Double
    var overlapByCentre: Double
    var overlapBySize: Double
    var aroundByCentre: Double
    var aroundBySize: Double

    init(_ centre1: Double, _ size1: Double, _ centre2: Double, _ size2: Double) {
      let (low1, high1) = (centre1 - size1 / 2, centre1 + size1 / 2)
      let (low2, high2) = (centre2 - size2 / 2, centre2 + size2 / 2)
      let shared = min(high1, high2) - max(low1, low2)
      overlap = max(0, shared)
      around = max(high1, high2) - min(low1, low2)
      let touches = shared < 0 ? 0.0 : 1.0
      // With respect to the first's upper and lower edge.
      let (overlapHigh, overlapLow) = (touches * Self.share(high2, high1), -touches * Self.share(low1, low2))
      let (aroundHigh, aroundLow) = (Self.share(high1, high2), -Self.share(low2, low1))
      overlapByCentre = overlapHigh + overlapLow
      overlapBySize = (overlapHigh - overlapLow) / 2
      aroundByCentre = aroundHigh + aroundLow
      aroundBySize = (aroundHigh - aroundLow) / 2
    }

    /// d max(a, b) / da
    static func share(_ a: Double, _ b: Double) -> Double { a > b ? 1 : a < b ? 0 : 0.5 }
  }
}
