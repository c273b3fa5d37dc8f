/// Arithmetic on single numbers: what a `Loss` or an `Activation` records, and what is differentiated and turned into C.
///
/// Every term has a value for each number of a tensor: image, channel, row and column.
public struct ScalarExpression: Codable, Hashable, Sendable {
  public enum Term: Codable, Hashable, Sendable {
    /// y, a number of the network's result; of an activation, its argument.
    case output
    /// t, what the network's result should be; of an activation, its parameter.
    case target
    case constant(Double)
    case function(Function, Int)
    case operation(Operation, Int, Int)
    /// A reduction over all channels of the pixel. Only losses have it.
    case reduction(Reduction, Int)
  }

  public enum Function: String, Codable, Sendable, CaseIterable {
    /// ln, of what is above 0, and a square root, of what is not below; ln(1 + eˣ); −1, 0 or 1.
    case exp, log, sqrt, sigmoid, softplus, sign, tanh
    /// 2/√π · ∫₀ˣ e^(−t²) dt
    case erf
  }

  public enum Operation: String, Codable, Sendable, CaseIterable {
    case add, subtract, multiply, divide, maximum, minimum
    /// 1 where the first is the larger or both are equal, else 0.
    case atLeast
  }

  public enum Reduction: String, Codable, Sendable, CaseIterable {
    case sum
    /// Has no gradient: it is there to be subtracted and added again.
    case maximum
  }

  /// Each reads only terms before it.
  public internal(set) var terms: [Term]
  /// The term whose values are the result.
  public internal(set) var result: Int

  /// The terms that one is computed from, and itself, in order.
  public func closure(of roots: [Int]) -> [Int] {
    var isNeeded = [Bool](repeating: false, count: terms.count)
    for root in roots { isNeeded[root] = true }
    for index in terms.indices.reversed() where isNeeded[index] {
      for operand in terms[index].operands { isNeeded[operand] = true }
    }
    return terms.indices.filter { isNeeded[$0] }
  }

  /// Whether every term reads only terms before it and constants are finite, as decoding cannot know.
  var isWellFormed: Bool {
    terms.indices.contains(result)
      && terms.enumerated().allSatisfy { index, term in
        if case .constant(let value) = term, !Float(value).isFinite { return false }
        return term.operands.allSatisfy { (0..<index).contains($0) }
      }
  }
}

extension ScalarExpression.Term {
  public var operands: [Int] {
    switch self {
    case .output, .target, .constant: []
    case .function(_, let a), .reduction(_, let a): [a]
    case .operation(_, let a, let b): [a, b]
    }
  }
}

extension ScalarExpression: CustomStringConvertible {
  /// As one would write it: `(y - t) * (y - t)`; without what would be too long to read.
  public var description: String {
    var sizes: [Int] = []
    for term in terms { sizes.append(term.operands.reduce(1) { min($0 + sizes[$1], 1000) }) }
    return sizes[result] <= 100 ? text(of: result) : "of \(closure(of: [result]).count) terms"
  }

  private func text(of index: Int) -> String {
    switch terms[index] {
    case .output: "y"
    case .target: "t"
    case .constant(let value): value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)"
    case .function(let function, let a): "\(function.rawValue)(\(text(of: a)))"
    case .reduction(let reduction, let a): "channel_\(reduction.rawValue)(\(text(of: a)))"
    case .operation(.add, let a, let b): "(\(text(of: a)) + \(text(of: b)))"
    case .operation(.subtract, let a, let b): "(\(text(of: a)) - \(text(of: b)))"
    case .operation(.multiply, let a, let b): "\(text(of: a)) * \(text(of: b))"
    case .operation(.divide, let a, let b): "\(text(of: a)) / \(text(of: b))"
    case .operation(.maximum, let a, let b): "max(\(text(of: a)), \(text(of: b)))"
    case .operation(.minimum, let a, let b): "min(\(text(of: a)), \(text(of: b)))"
    case .operation(.atLeast, let a, let b): "(\(text(of: a)) >= \(text(of: b)))"
    }
  }
}

// MARK: - the gradient

extension ScalarExpression {
  /// The derivative of the sum of the result over all channels of a pixel by each of its y.
  ///
  /// - Returns: the same terms, followed by those of the derivatives, and which of them is that by y and that by t.
  public func differentiated() -> (expression: ScalarExpression, gradient: Int, byTarget: Int) {
    var tape = ScalarTape.Terms(terms)
    let one = tape.constant(1)
    // What each term adds to the sum, per unit; nil is nothing.
    var slopes = [Int?](repeating: nil, count: terms.count)
    slopes[result] = one
    var (gradient, byTarget): (Int?, Int?)
    for index in terms.indices.reversed() {
      guard let slope = slopes[index] else { continue }
      func contribute(_ amount: Int, to operand: Int) {
        slopes[operand] = slopes[operand].map { tape.operation(.add, $0, amount) } ?? amount
      }
      switch terms[index] {
      case .output: gradient = slope
      case .target: byTarget = slope
      case .constant, .function(.sign, _), .operation(.atLeast, _, _), .reduction(.maximum, _): break
      case .function(let function, let a):
        contribute(tape.operation(.multiply, slope, tape.derivative(of: function, at: a, value: index)), to: a)
      case .reduction(.sum, let a):
        contribute(tape.append(.reduction(.sum, slope)), to: a)
      case .operation(.add, let a, let b):
        contribute(slope, to: a)
        contribute(slope, to: b)
      case .operation(.subtract, let a, let b):
        contribute(slope, to: a)
        contribute(tape.operation(.subtract, tape.constant(0), slope), to: b)
      case .operation(.multiply, let a, let b):
        contribute(tape.operation(.multiply, slope, b), to: a)
        contribute(tape.operation(.multiply, slope, a), to: b)
      case .operation(.divide, let a, let b):
        let share = tape.operation(.divide, slope, b)
        contribute(share, to: a)
        contribute(tape.operation(.subtract, tape.constant(0), tape.operation(.multiply, share, index)), to: b)
      case .operation(.maximum, let a, let b), .operation(.minimum, let a, let b):
        let isMaximum = terms[index] == .operation(.maximum, a, b)
        let first = isMaximum ? tape.operation(.atLeast, a, b) : tape.operation(.atLeast, b, a)
        contribute(tape.operation(.multiply, slope, first), to: a)
        contribute(
          tape.operation(.multiply, slope, tape.operation(.subtract, tape.constant(1), first)), to: b)
      }
    }
    let (first, second) = (gradient ?? tape.constant(0), byTarget ?? tape.constant(0))
    return (ScalarExpression(terms: tape.terms, result: result), first, second)
  }
}

extension ScalarTape.Terms {
  /// f′ at a, where f(a) is a term already.
  fileprivate mutating func derivative(of function: ScalarExpression.Function, at a: Int, value: Int) -> Int {
    switch function {
    case .exp: value
    case .log: operation(.divide, constant(1), a)
    case .sqrt: operation(.divide, constant(0.5), value)
    case .sigmoid: operation(.multiply, value, operation(.subtract, constant(1), value))
    case .softplus: append(.function(.sigmoid, a))
    case .sign: constant(0)
    case .tanh: operation(.subtract, constant(1), operation(.multiply, value, value))
    // 2/√π · e^(−a²)
    case .erf:
      operation(
        .multiply, constant(2 / Double.pi.squareRoot()),
        append(.function(.exp, operation(.subtract, constant(0), operation(.multiply, a, a)))))
    }
  }
}
