/// Winograd's minimal filtering F(m×m, 3×3) for one set of interpolation points, and the C statements of its transforms.
///
/// Three taps on m + 2 inputs are a product of polynomials; evaluated at the finite points p and at infinity, transposed,
/// they give y = Aᵀ[(G g) ⊙ (Bᵀ d)] with
/// - Bᵀ: row p has the coefficients of Π_{q≠p} (x − q), the row of infinity those of Π_q (x − q);
/// - G: row p is (1, p, p²) / Π_{q≠p} (p − q), the row of infinity (0, 0, 1);
/// - Aᵀ: column p is (1, p, …, p^(m−1)), the column of infinity (0, …, 0, 1).
///
/// Points come in pairs ±p, with 0 where an odd one is needed: even and odd parts of the pair's polynomials are computed
/// once. The points decide the error: `errorBound`. Coefficients are computed in `Double` from decimal points, each a sum or
/// product of at most six terms, so that the `Float` they are rounded to is the nearest one or its neighbour.
public struct Winograd: Sendable, Equatable {
  /// Edge of an output tile.
  public let size: Int
  /// The positive point of each pair.
  let pairs: [Double]
  let hasZero: Bool

  /// What max |Δ| / max |y| of one convolution in `Float` stays below: about three times what 64 channels were measured to give
  /// (3.4e-7, 1.2e-6, 3.1e-6, 6.7e-6; a direct convolution, whose sums are longer, 1.0e-6).
  public var errorBound: Double {
    switch size {
    case 2: 1e-6
    case 4: 4e-6
    case 5: 1e-5
    default: 2e-5
    }
  }

  /// Edge of an input tile; its square is the number of Winograd-domain elements.
  public var edge: Int { size + 2 }

  /// F(2×2), F(4×4), F(5×5) and F(6×6).
  public static let all = [
    Winograd(size: 2, pairs: [1], hasZero: true),
    Winograd(size: 4, pairs: [0.7, 1.4], hasZero: true),
    Winograd(size: 5, pairs: [0.3, 0.9, 1.8], hasZero: false),
    Winograd(size: 6, pairs: [0.5, 1, 2], hasZero: true),
  ]

  static func of(size: Int) -> Winograd {
    guard let found = all.first(where: { $0.size == size }) else { preconditionFailure("no points for F(\(size))") }
    return found
  }

  /// Finite points in the order of the Winograd-domain elements, before infinity.
  var points: [Double] { (hasZero ? [0] : []) + pairs.flatMap { [$0, -$0] } }

  /// G, edge × 3.
  var kernelTransform: [[Double]] {
    points.map { p in
      let scale = points.reduce(1) { $1 == p ? $0 : $0 * (p - $1) }
      return [1 / scale, p / scale, p * p / scale]
    } + [[0, 0, 1]]
  }

  /// Coefficients of Π (x² − q²) over pairs, from the constant up; without the one at `index`.
  private func evenProduct(without index: Int? = nil) -> [Double] {
    pairs.indices.filter { $0 != index }.reduce([1.0]) { product, i in
      let square = pairs[i] * pairs[i]
      return (0...product.count).map {
        ($0 > 0 ? product[$0 - 1] : 0) - ($0 < product.count ? square * product[$0] : 0)
      }
    }
  }

  /// Bᵀ, edge × edge: what `inputStatements` computes, written out.
  var inputTransform: [[Double]] {
    func row(_ coefficients: [Double]) -> [Double] {
      coefficients + Array(repeating: 0, count: edge - coefficients.count)
    }
    return points.map { p in
      row(points.reduce([1.0]) { $1 == p ? $0 : Self.timesRoot($0, $1) })
    } + [row(points.reduce([1.0]) { Self.timesRoot($0, $1) })]
  }

  /// Aᵀ, size × edge.
  var outputTransform: [[Double]] {
    (0..<size).map { r in
      points.map { p in (0..<r).reduce(1.0) { product, _ in product * p } } + [r == size - 1 ? 1 : 0]
    }
  }

  /// Coefficients of a(x)·(x − root), from the constant up.
  private static func timesRoot(_ a: [Double], _ root: Double) -> [Double] {
    (0...a.count).map { ($0 > 0 ? a[$0 - 1] : 0) - ($0 < a.count ? root * a[$0] : 0) }
  }

  /// t = Bᵀ d for one line of inputs.
  var inputStatements: [String] {
    // Times x where 0 is a point: all indices move up by one.
    let shift = hasZero ? 1 : 0
    var lines: [String] = []
    let whole = evenProduct()
    if hasZero { lines.append("t[0] = \(Self.sum(whole, of: "d") { 2 * $0 });") }
    for (index, p) in pairs.enumerated() {
      let part = evenProduct(without: index)
      let odd = "odd\(index)"
      let even = "even\(index)"
      lines.append("const vec \(odd) = \(Self.sum(part, of: "d") { 2 * $0 + 1 + shift });")
      lines.append("const vec \(even) = \(Self.sum(part, of: "d") { 2 * $0 + shift });")
      let at = 2 * index + shift
      lines.append("t[\(at)] = \(Self.term(p, even, first: true)) + \(odd);")
      lines.append("t[\(at + 1)] = \(odd) - \(Self.term(p, even, first: true));")
    }
    lines.append("t[\(edge - 1)] = \(Self.sum(whole, of: "d") { 2 * $0 + shift });")
    return lines
  }

  /// y = Aᵀ t for one line of Winograd-domain elements.
  var outputStatements: [String] {
    let shift = hasZero ? 1 : 0
    var lines: [String] = []
    for index in pairs.indices {
      let at = 2 * index + shift
      lines.append("const vec sum\(index) = t[\(at)] + t[\(at + 1)], difference\(index) = t[\(at)] - t[\(at + 1)];")
    }
    for r in 0..<size {
      let name = r % 2 == 0 ? "sum" : "difference"
      var terms = pairs.enumerated().map { index, p in
        Self.term((0..<r).reduce(1.0) { product, _ in product * p }, "\(name)\(index)", first: index == 0)
      }
      if r == 0, hasZero { terms.append(" + t[0]") }
      if r == size - 1 { terms.append(" + t[\(edge - 1)]") }
      lines.append("y[\(r)] = \(terms.joined());")
    }
    return lines
  }

  private static func sum(_ coefficients: [Double], of name: String, index: (Int) -> Int) -> String {
    // The term of the highest power has the coefficient one.
    coefficients.indices.reversed().map {
      term(coefficients[$0], "\(name)[\(index($0))]", first: $0 == coefficients.count - 1)
    }
    .joined()
  }

  /// `c * name` as a summand; the coefficient 1 is left out.
  static func term(_ coefficient: Double, _ name: String, first: Bool) -> String {
    let magnitude = Float(abs(coefficient))
    let product = magnitude == 1 ? name : "\(magnitude)f * \(name)"
    return (first ? (coefficient < 0 ? "-" : "") : (coefficient < 0 ? " - " : " + ")) + product
  }
}
