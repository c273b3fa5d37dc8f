/// Outlines of objects: polygons, closed from the last point to the first.
enum Outline {
  /// The extent of points as centre x, centre y, width and height.
  static func box(_ points: [SIMD2<Float>]) -> SIMD4<Float> {
    guard var low = points.first else { return .zero }
    var high = low
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    let centre = (low + high) / 2
    return SIMD4(centre.x, centre.y, high.x - low.x, high.y - low.y)
  }

  /// The area that an outline encloses: |Σ xᵢ·yᵢ₊₁ − xᵢ₊₁·yᵢ| / 2.
  static func area(_ points: [SIMD2<Float>]) -> Double { abs(signedArea(points)) }

  /// Positive where the points run clockwise on the screen, whose y axis points down.
  static func signedArea(_ points: [SIMD2<Float>]) -> Double {
    guard var previous = points.last else { return 0 }
    var sum = 0.0
    for point in points {
      sum += Double(previous.x) * Double(point.y) - Double(point.x) * Double(previous.y)
      previous = point
    }
    return sum / 2
  }

  /// Joins the parts of an object into one outline that encloses the same area: from the nearest pair of points a line
  /// leads to the next part and back.
  static func joined(_ parts: [[SIMD2<Float>]]) -> [SIMD2<Float>] {
    guard var outline = parts.first else { return [] }
    for part in parts.dropFirst() where !part.isEmpty {
      // Parts of opposite direction would be subtracted.
      let part = signedArea(part) * signedArea(outline) < 0 ? part.reversed() : part
      let (from, to) = nearest(outline, part)
      outline.insert(contentsOf: part[to...] + part[...to] + [outline[from]], at: from + 1)
    }
    return outline
  }

  /// The nearest pair of points. Outlines of very many points are sampled, so that time stays bounded.
  private static func nearest(_ a: [SIMD2<Float>], _ b: [SIMD2<Float>]) -> (Int, Int) {
    var best = (0, 0)
    var distance = Float.infinity
    for i in stride(from: 0, to: a.count, by: a.count / 1024 + 1) {
      for j in stride(from: 0, to: b.count, by: b.count / 1024 + 1) {
        let offset = a[i] - b[j]
        let square = (offset * offset).sum()
        if square < distance { (best, distance) = ((i, j), square) }
      }
    }
    return best
  }
}
