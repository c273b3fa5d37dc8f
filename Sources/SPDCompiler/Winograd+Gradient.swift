// The gradient of a 3×3 kernel in the same domain: from y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A follows
// dg = Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G, summed over tiles before G comes in.
extension Winograd {
  /// t = A y for one line of outputs: even and odd powers of each pair of points.
  var gradientStatements: [String] {
    let shift = hasZero ? 1 : 0
    var lines = hasZero ? ["t[0] = y[0];"] : []
    for (index, p) in pairs.enumerated() {
      func part(_ first: Int) -> String {
        stride(from: first, to: size, by: 2).map { r in
          Self.term(power(p, r), "y[\(r)]", first: r == first)
        }.joined()
      }
      let at = 2 * index + shift
      lines.append("const vec even\(index) = \(part(0)), odd\(index) = \(part(1));")
      lines.append("t[\(at)] = even\(index) + odd\(index);")
      lines.append("t[\(at + 1)] = even\(index) - odd\(index);")
    }
    lines.append("t[\(edge - 1)] = y[\(size - 1)];")
    return lines
  }

  /// w = Gᵀ t for one line of Winograd-domain elements. The rows of ±p have the same scale if 0 is a point, else opposite ones.
  var kernelStatements: [String] {
    let shift = hasZero ? 1 : 0
    var lines: [String] = []
    for index in pairs.indices {
      let at = 2 * index + shift
      lines.append("const vec sum\(index) = t[\(at)] + t[\(at + 1)], difference\(index) = t[\(at)] - t[\(at + 1)];")
    }
    let transform = kernelTransform
    for k in 0..<3 {
      let name = (k % 2 == 0) == hasZero ? "sum" : "difference"
      var terms = pairs.indices.map { index in
        Self.term(transform[2 * index + shift][k], "\(name)\(index)", first: index == 0)
      }
      if k == 0, hasZero { terms.append(Self.term(transform[0][0], "t[0]", first: false)) }
      if k == 2 { terms.append(" + t[\(edge - 1)]") }
      lines.append("w[\(k)] = \(terms.joined());")
    }
    return lines
  }

  private func power(_ p: Double, _ r: Int) -> Double { (0..<r).reduce(1.0) { product, _ in product * p } }
}
