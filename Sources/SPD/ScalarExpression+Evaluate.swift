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
    var number = x
    withUnsafeMutablePointer(to: &number) {
      apply(to: UnsafeMutableBufferPointer(start: $0, count: 1), parameter: parameter, at: root)
    }
    return number
  }

  /// Replaces each of many numbers by the value of a term for it; by default that of the result.
  ///
  /// Term by term for some hundred numbers at a time, so that the loops are short and have nothing to decide.
  package func apply(to numbers: UnsafeMutableBufferPointer<Double>, parameter: Double = 0, at root: Int? = nil) {
    let width = min(256, numbers.count)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: terms.count * width) { memory in
      for first in stride(from: 0, to: numbers.count, by: max(1, width)) {
        let count = min(width, numbers.count - first)
        let values = terms.indices.map { memory.baseAddress! + $0 * width }
        let chunk = numbers.baseAddress! + first
        for (term, value) in zip(terms, values) {
          switch term {
          case .output: value.update(from: chunk, count: count)
          case .target: value.update(repeating: parameter, count: count)
          case .constant(let constant): value.update(repeating: constant, count: count)
          case .function(let function, let a): function.evaluate(values[a], to: value, count)
          case .operation(let operation, let a, let b): operation.evaluate(values[a], values[b], to: value, count)
          case .reduction: preconditionFailure("\(term) is no function of one number")
          }
        }
        chunk.update(from: values[root ?? result], count: count)
      }
    }
  }
}

extension ScalarExpression.Function {
  package func evaluate(_ x: Double) -> Double {
    var (x, y) = (x, 0.0)
    evaluate(&x, to: &y, 1)
    return y
  }

  fileprivate func evaluate(_ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int) {
    value(of: self, x, y, count)
  }
}

/// Not a member of the enumeration, whose cases have the names of the functions.
private func value(
  of function: ScalarExpression.Function, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
) {
  switch function {
  case .exp: for i in 0..<count { y[i] = exp(x[i]) }
  case .log: for i in 0..<count { y[i] = log(x[i]) }
  case .sqrt: for i in 0..<count { y[i] = x[i].squareRoot() }
  case .sigmoid: for i in 0..<count { y[i] = 1 / (1 + exp(-x[i])) }
  case .softplus: for i in 0..<count { y[i] = max(x[i], 0) + log1p(exp(-abs(x[i]))) }
  case .sign: for i in 0..<count { y[i] = x[i] > 0 ? 1 : x[i] < 0 ? -1 : x[i] }
  case .tanh: for i in 0..<count { y[i] = tanh(x[i]) }
  case .erf: for i in 0..<count { y[i] = erf(x[i]) }
  }
}

extension ScalarExpression.Operation {
  package func evaluate(_ x: Double, _ y: Double) -> Double {
    var (x, y, z) = (x, y, 0.0)
    evaluate(&x, &y, to: &z, 1)
    return z
  }

  /// Of a number and NaN, the larger and the smaller are NaN.
  fileprivate func evaluate(
    _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, to z: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    switch self {
    case .add: for i in 0..<count { z[i] = x[i] + y[i] }
    case .subtract: for i in 0..<count { z[i] = x[i] - y[i] }
    case .multiply: for i in 0..<count { z[i] = x[i] * y[i] }
    case .divide: for i in 0..<count { z[i] = x[i] / y[i] }
    case .maximum: for i in 0..<count { z[i] = x[i] >= y[i] ? x[i] : x[i] < y[i] ? y[i] : x[i] + y[i] }
    case .minimum: for i in 0..<count { z[i] = x[i] <= y[i] ? x[i] : x[i] > y[i] ? y[i] : x[i] + y[i] }
    case .atLeast: for i in 0..<count { z[i] = x[i] >= y[i] ? 1 : 0 }
    }
  }
}
