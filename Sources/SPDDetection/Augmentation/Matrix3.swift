/// A 3×3 matrix that maps points of an image, row by row.
struct Matrix3: Sendable, Equatable {
  var elements: [Double]

  init(_ elements: [Double]) {
    precondition(elements.count == 9, "a 3×3 matrix has nine elements")
    self.elements = elements
  }

  static let identity = Matrix3([1, 0, 0, 0, 1, 0, 0, 0, 1])

  subscript(row: Int, column: Int) -> Double {
    get { elements[row * 3 + column] }
    set { elements[row * 3 + column] = newValue }
  }

  static func * (left: Matrix3, right: Matrix3) -> Matrix3 {
    var product = Matrix3.identity
    for row in 0..<3 {
      for column in 0..<3 {
        product[row, column] = (0..<3).reduce(0) { $0 + left[row, $1] * right[$1, column] }
      }
    }
    return product
  }

  /// Maps a point, with the division by the third coordinate if the last row is not (0, 0, 1).
  func map(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let x = elements[0] * point.x + elements[1] * point.y + elements[2]
    let y = elements[3] * point.x + elements[4] * point.y + elements[5]
    guard isPerspective else { return SIMD2(x, y) }
    let w = elements[6] * point.x + elements[7] * point.y + elements[8]
    return SIMD2(x / w, y / w)
  }

  var isPerspective: Bool { elements[6] != 0 || elements[7] != 0 || elements[8] != 1 }

  /// The inverse by cofactors, all zeros for a singular matrix as in OpenCV.
  var inverse: Matrix3 {
    let m = elements
    let determinant =
      m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])
    guard determinant != 0 else { return Matrix3([Double](repeating: 0, count: 9)) }
    let d = 1 / determinant
    return Matrix3([
      (m[4] * m[8] - m[5] * m[7]) * d, (m[2] * m[7] - m[1] * m[8]) * d, (m[1] * m[5] - m[2] * m[4]) * d,
      (m[5] * m[6] - m[3] * m[8]) * d, (m[0] * m[8] - m[2] * m[6]) * d, (m[2] * m[3] - m[0] * m[5]) * d,
      (m[3] * m[7] - m[4] * m[6]) * d, (m[1] * m[6] - m[0] * m[7]) * d, (m[0] * m[4] - m[1] * m[3]) * d,
    ])
  }
}
