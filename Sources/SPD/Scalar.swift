#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A number of a `Loss` or an `Activation`, for each channel, row and column. It is written down, not computed.
///
/// Literals are such numbers; for a variable write `Scalar(weight)`. Gradients are those of PyTorch: that of `abs` is 0
/// at 0. Of two equal arguments of `max` or `min` the first takes all, where PyTorch shares.
public struct Scalar: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  private enum Storage {
    case number(Double)
    case term(ScalarTape, Int)
  }
  private let storage: Storage

  public init(_ value: Double) { storage = .number(value) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }
  init(_ tape: ScalarTape, _ index: Int) { storage = .term(tape, index) }

  func index(on tape: ScalarTape) -> Int {
    switch storage {
    case .number(let value): return tape.terms.constant(value)
    case .term(let own, let index):
      if own !== tape { fatalError("a loss or an activation uses a value of another one") }
      return index
    }
  }

  private static func operation(
    _ operation: ScalarExpression.Operation, _ a: Scalar, _ b: Scalar, _ compute: (Double, Double) -> Double
  ) -> Scalar {
    switch (a.storage, b.storage) {
    case (.number(let x), .number(let y)): Scalar(compute(x, y))
    case (.term(let tape, _), _), (_, .term(let tape, _)):
      Scalar(tape, tape.terms.operation(operation, a.index(on: tape), b.index(on: tape)))
    }
  }

  fileprivate func function(_ function: ScalarExpression.Function, _ compute: (Double) -> Double) -> Scalar {
    switch storage {
    case .number(let x): Scalar(compute(x))
    case .term(let tape, let index): Scalar(tape, tape.terms.append(.function(function, index)))
    }
  }

  fileprivate func reduced(_ reduction: ScalarExpression.Reduction) -> Scalar {
    guard case .term(let tape, let index) = storage else {
      fatalError("a loss adds up a constant over the channels")
    }
    return Scalar(tape, tape.terms.append(.reduction(reduction, index)))
  }

  public static func + (a: Scalar, b: Scalar) -> Scalar { operation(.add, a, b, +) }
  public static func - (a: Scalar, b: Scalar) -> Scalar { operation(.subtract, a, b, -) }
  public static func * (a: Scalar, b: Scalar) -> Scalar { operation(.multiply, a, b, *) }
  public static func / (a: Scalar, b: Scalar) -> Scalar { operation(.divide, a, b, /) }
  public static prefix func - (a: Scalar) -> Scalar { 0 - a }

  fileprivate static func maximum(_ a: Scalar, _ b: Scalar) -> Scalar {
    operation(.maximum, a, b) { $0 >= $1 ? $0 : $1 }
  }

  fileprivate static func minimum(_ a: Scalar, _ b: Scalar) -> Scalar {
    operation(.minimum, a, b) { $0 <= $1 ? $0 : $1 }
  }
}

/// A number of a loss.
public typealias LossValue = Scalar

/// Below −87 that of −87, above 88 that of 88: always finite.
public func exp(_ x: Scalar) -> Scalar { x.function(.exp) { exp($0) } }

/// The natural logarithm, of what is above 0.
public func log(_ x: Scalar) -> Scalar { x.function(.log) { log($0) } }

/// The square root of a value that is not below 0; its gradient at 0 is infinite.
public func sqrt(_ x: Scalar) -> Scalar { x.function(.sqrt) { $0.squareRoot() } }

/// 1 / (1 + e⁻ˣ)
public func sigmoid(_ x: Scalar) -> Scalar { x.function(.sigmoid) { 1 / (1 + exp(-$0)) } }

/// ln(1 + eˣ), precise for large |x| too.
public func softplus(_ x: Scalar) -> Scalar { x.function(.softplus) { log(1 + exp($0)) } }

/// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
public func tanh(_ x: Scalar) -> Scalar { x.function(.tanh) { tanh($0) } }

/// 2/√π · ∫₀ˣ e^(−t²) dt
public func erf(_ x: Scalar) -> Scalar { x.function(.erf) { erf($0) } }

public func abs(_ x: Scalar) -> Scalar { x * x.function(.sign) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 } }

public func max(_ a: Scalar, _ b: Scalar) -> Scalar { Scalar.maximum(a, b) }

public func min(_ a: Scalar, _ b: Scalar) -> Scalar { Scalar.minimum(a, b) }

/// The sum over the channels of a pixel, for each of them.
public func channelSum(_ x: Scalar) -> Scalar { x.reduced(.sum) }

/// ln(eˣ / Σ eˣ) over the channels of a pixel.
public func logSoftmax(_ x: Scalar) -> Scalar {
  // Without the largest subtracted, whose gradients cancel, eˣ would overflow.
  let shifted = x - x.reduced(.maximum)
  return shifted - log(channelSum(exp(shifted)))
}

/// eˣ / Σ eˣ over the channels of a pixel.
public func softmax(_ x: Scalar) -> Scalar { exp(logSoftmax(x)) }
