#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension ScalarExpression {
  /// The value of a term for one number, and of a parameter if there is one; by default that of the result.
  package func evaluate(_ x: Double, _ parameter: Double = 0, at root: Int? = nil) -> Double {
    // On the stack: this runs for every number of a tensor.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: terms.count) { values in
      for (index, term) in terms.enumerated() {
        values[index] =
          switch term {
          case .output: x
          case .target: parameter
          case .constant(let value): value
          case .function(let function, let a): function.evaluate(values[a])
          case .operation(let operation, let a, let b): operation.evaluate(values[a], values[b])
          case .reduction: preconditionFailure("\(term) is no function of one number")
          }
      }
      return values[root ?? result]
    }
  }
}

extension ScalarExpression.Function {
  package func evaluate(_ x: Double) -> Double { value(of: self, at: x) }
}

/// Not a member of the enumeration, whose cases have the names of the functions.
private func value(of function: ScalarExpression.Function, at x: Double) -> Double {
  switch function {
  case .exp: exp(x)
  case .log: log(x)
  case .sqrt: x.squareRoot()
  case .sigmoid: 1 / (1 + exp(-x))
  case .softplus: max(x, 0) + log1p(exp(-abs(x)))
  case .sign: x > 0 ? 1 : x < 0 ? -1 : x
  case .tanh: tanh(x)
  case .erf: erf(x)
  }
}

extension ScalarExpression.Operation {
  /// Of a number and NaN, the larger and the smaller are NaN.
  package func evaluate(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .maximum: x >= y ? x : x < y ? y : x + y
    case .minimum: x <= y ? x : x > y ? y : x + y
    case .atLeast: x >= y ? 1 : 0
    }
  }
}
