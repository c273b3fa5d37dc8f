/// Records the arithmetic of a `Loss` or an `Activation` as it is written down.
final class ScalarTape {
  var terms = Terms([])

  /// Terms of which no two are equal.
  struct Terms {
    private(set) var terms: [ScalarExpression.Term]
    private var indices: [ScalarExpression.Term: Int]

    init(_ terms: [ScalarExpression.Term]) {
      self.terms = terms
      indices = Dictionary(terms.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Returns the index of a term, appending it unless an equal one exists.
    mutating func append(_ term: ScalarExpression.Term) -> Int {
      if let index = indices[term] { return index }
      terms.append(term)
      indices[term] = terms.count - 1
      return terms.count - 1
    }

    mutating func constant(_ value: Double) -> Int {
      if !Float(value).isFinite {
        fatalError("a loss or an activation contains the constant \(value): it must be a finite Float")
      }
      return append(.constant(value))
    }

    /// Leaves out what changes nothing: sums with 0, products with 1, and what constants alone make.
    mutating func operation(_ operation: ScalarExpression.Operation, _ a: Int, _ b: Int) -> Int {
      switch (operation, number(a), number(b)) {
      case (.add, 0, _), (.multiply, 1, _): return b
      case (.add, _, 0), (.subtract, _, 0), (.multiply, _, 1), (.divide, _, 1): return a
      case (_, let x?, let y?) where Float(operation.evaluate(x, y)).isFinite: return constant(operation.evaluate(x, y))
      default: return append(.operation(operation, a, b))
      }
    }

    private func number(_ index: Int) -> Double? {
      if case .constant(let value) = terms[index] { value } else { nil }
    }
  }
}
