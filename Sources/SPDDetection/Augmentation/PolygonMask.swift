/// A binary mask of an image's size.
struct PolygonMask: Sendable {
  let width, height: Int
  private(set) var isSet: [Bool]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    isSet = [Bool](repeating: false, count: width * height)
  }

  subscript(x: Int, y: Int) -> Bool { isSet[y * width + x] }

  /// Fills a polygon as OpenCV's `drawContours` does with `FILLED` and 8-connected lines: pixels whose centre is inside
  /// by the even–odd rule, and the pixels of the outline itself, drawn with Bresenham's algorithm.
  ///
  /// The vertices are truncated to whole pixels. Scan lines meet edges in units of 2⁻¹⁶ pixel; both ends of a span are
  /// rounded half up and belong to it. Along outlines that leave the image, a pixel may differ from OpenCV, which clips
  /// lines first.
  mutating func fill(_ polygon: [SIMD2<Double>]) {
    // Vertices far outside cannot occur after clipping; the limit keeps the arithmetic below from overflowing.
    let limit = 1e6
    guard polygon.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return }
    let vertices = polygon.map { point in
      (x: Int(min(max(point.x, -limit), limit)), y: Int(min(max(point.y, -limit), limit)))
    }
    guard var previous = vertices.last else { return }
    var edges: [Edge] = []
    for vertex in vertices {
      drawLine(from: previous, to: vertex)
      if previous.y != vertex.y { edges.append(Edge(previous, vertex)) }
      previous = vertex
    }
    guard let first = edges.map(\.top).min(), let last = edges.map(\.bottom).max() else { return }
    for y in max(first, 0)..<max(min(last, height), max(first, 0)) {
      let crossings = edges.filter { $0.top <= y && y < $0.bottom }.map { $0.x(at: y) }.sorted()
      for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
        let from = max((crossings[pair] + 1 << 15) >> 16, 0)
        let to = min((crossings[pair + 1] + 1 << 15) >> 16, width - 1)
        if from <= to { for x in from...to { isSet[y * width + x] = true } }
      }
    }
  }

  /// An edge that is not horizontal, in units of 2⁻¹⁶ pixel horizontally.
  private struct Edge {
    let top, bottom, startX, slope: Int

    init(_ first: (x: Int, y: Int), _ second: (x: Int, y: Int)) {
      let (upper, lower) = first.y < second.y ? (first, second) : (second, first)
      top = upper.y
      bottom = lower.y
      startX = upper.x << 16
      slope = ((lower.x - upper.x) << 16) / (lower.y - upper.y)
    }

    func x(at y: Int) -> Int { startX + slope * (y - top) }
  }

  /// Draws an 8-connected line from left to right.
  private mutating func drawLine(from first: (x: Int, y: Int), to second: (x: Int, y: Int)) {
    let (start, end) = first.x <= second.x ? (first, second) : (second, first)
    let across = end.x - start.x
    let down = abs(end.y - start.y)
    let direction = end.y < start.y ? -1 : 1
    let (major, minor) = (max(across, down), min(across, down))
    var error = major - 2 * minor
    var (x, y) = start
    for _ in 0...major {
      if x >= 0 && y >= 0 && x < width && y < height { isSet[y * width + x] = true }
      let isDiagonal = error < 0
      error += isDiagonal ? 2 * (major - minor) : -2 * minor
      if across >= down {
        x += 1
        if isDiagonal { y += direction }
      } else {
        y += direction
        if isDiagonal { x += 1 }
      }
    }
  }
}
