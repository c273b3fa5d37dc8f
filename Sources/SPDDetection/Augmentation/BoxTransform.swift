/// Maps an object by a matrix and clips it to the output; nil if too little of it is left.
///
/// A box becomes the hull of its mapped corners. With an outline, it becomes the hull of those of 1000 mapped points of
/// the outline that lie inside the output. The result has no outline.
///
/// - Parameter scale: the scale of the matrix, which an object's size before the mapping is multiplied by.
func transformed(
  _ object: PixelObject, by matrix: Matrix3, scale: Double, width: Int, height: Int
) -> PixelObject? {
  let limit = SIMD2(Double(width), Double(height))
  let hasOutline = object.polygon.count > 1
  var corner = SIMD2<Double>(repeating: .infinity)
  var opposite = SIMD2<Double>(repeating: -.infinity)
  func extend(_ point: SIMD2<Double>) {
    corner = pointwiseMin(corner, point)
    opposite = pointwiseMax(opposite, point)
  }
  if hasOutline {
    forEachPoint(of: object.polygon, count: 1000) { point in
      let mapped = matrix.map(point)
      if all(mapped .>= 0) && all(mapped .<= limit) { extend(mapped) }
    }
    guard corner.x <= opposite.x else { return nil }
  } else {
    let box = object.box
    for x in [box.x, box.z] { for y in [box.y, box.w] { extend(matrix.map(SIMD2(x, y))) } }
  }
  let mapped = PixelObject(classIndex: object.classIndex, box: SIMD4(lowHalf: corner, highHalf: opposite))
    .clipped(width: limit.x, height: limit.y)
  let minimumArea = hasOutline ? 0.01 : 0.1
  return isUsable(mapped, was: object, scale: scale, minimumArea: minimumArea) ? mapped : nil
}

/// Whether enough of an object is left to train on: more than 2 pixels in both directions, more than a fraction
/// `minimumArea` of the scaled area it had, and sides with a ratio below 20.
func isUsable(_ object: PixelObject, was before: PixelObject, scale: Double, minimumArea: Double) -> Bool {
  let (width, height) = (object.width, object.height)
  let areaBefore = before.width * scale * (before.height * scale)
  // A NaN fails all comparisons.
  return width > 2 && height > 2 && width * height / (areaBefore + 1e-16) > minimumArea
    && max(width / (height + 1e-16), height / (width + 1e-16)) < 20
}

/// Visits `count` points of a closed outline, evenly spaced by vertex number: position t of 0...n lies between the
/// vertices ⌊t⌋ and ⌊t⌋ + 1.
func forEachPoint(of polygon: [SIMD2<Double>], count: Int, _ visit: (SIMD2<Double>) -> Void) {
  for number in 0..<count {
    let position = Double(number) * Double(polygon.count) / Double(count - 1)
    let vertex = min(Int(position), polygon.count - 1)
    let fraction = position - Double(vertex)
    let next = vertex + 1 == polygon.count ? 0 : vertex + 1
    visit(polygon[vertex] + (polygon[next] - polygon[vertex]) * fraction)
  }
}
