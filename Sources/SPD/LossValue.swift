#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A number for each number of the network's result: channel, row and column. It is written down, not computed.
///
/// Literals are such numbers; for a variable write `LossValue(weight)`. Gradients are those of PyTorch: that of `abs` is 0
/// at 0. Of two equal arguments of `max` the first takes all, where PyTorch shares.
public struct LossValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  private enum Storage {
    case number(Double)
    case term(LossTape, Int)
  }
  private let storage: Storage

  public init(_ value: Double) { storage = .number(value) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }
  init(_ tape: LossTape, _ index: Int) { storage = .term(tape, index) }

  func index(on tape: LossTape) -> Int {
    switch storage {
    case .number(let value): return tape.terms.constant(value)
    case .term(let own, let index):
      if own !== tape { fatalError("a loss uses a value of another loss") }
      return index
    }
  }

  private static func operation(
    _ operation: LossExpression.Operation, _ a: LossValue, _ b: LossValue, _ compute: (Double, Double) -> Double
  ) -> LossValue {
    switch (a.storage, b.storage) {
    case (.number(let x), .number(let y)): LossValue(compute(x, y))
    case (.term(let tape, _), _), (_, .term(let tape, _)):
      LossValue(tape, tape.terms.operation(operation, a.index(on: tape), b.index(on: tape)))
    }
  }

  fileprivate func function(_ function: LossExpression.Function, _ compute: (Double) -> Double) -> LossValue {
    switch storage {
    case .number(let x): LossValue(compute(x))
    case .term(let tape, let index): LossValue(tape, tape.terms.append(.function(function, index)))
    }
  }

  fileprivate func reduced(_ reduction: LossExpression.Reduction) -> LossValue {
    guard case .term(let tape, let index) = storage else {
      preconditionFailure("a loss adds up a constant over the channels")
    }
    return LossValue(tape, tape.terms.append(.reduction(reduction, index)))
  }

  public static func + (a: LossValue, b: LossValue) -> LossValue { operation(.add, a, b, +) }
  public static func - (a: LossValue, b: LossValue) -> LossValue { operation(.subtract, a, b, -) }
  public static func * (a: LossValue, b: LossValue) -> LossValue { operation(.multiply, a, b, *) }
  public static func / (a: LossValue, b: LossValue) -> LossValue { operation(.divide, a, b, /) }
  public static prefix func - (a: LossValue) -> LossValue { 0 - a }

  fileprivate static func maximum(_ a: LossValue, _ b: LossValue) -> LossValue {
    operation(.maximum, a, b) { $0 >= $1 ? $0 : $1 }
  }
}

/// Below −87 that of −87, above 88 that of 88: always finite.
public func exp(_ x: LossValue) -> LossValue { x.function(.exp) { exp($0) } }

/// The natural logarithm, of what is above 0.
public func log(_ x: LossValue) -> LossValue { x.function(.log) { log($0) } }

/// The square root of a value that is not below 0; its gradient at 0 is infinite.
public func sqrt(_ x: LossValue) -> LossValue { x.function(.sqrt) { $0.squareRoot() } }

/// 1 / (1 + e⁻ˣ)
public func sigmoid(_ x: LossValue) -> LossValue { x.function(.sigmoid) { 1 / (1 + exp(-$0)) } }

/// ln(1 + eˣ), precise for large |x| too.
public func softplus(_ x: LossValue) -> LossValue { x.function(.softplus) { log(1 + exp($0)) } }

public func abs(_ x: LossValue) -> LossValue { x * x.function(.sign) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 } }

public func max(_ a: LossValue, _ b: LossValue) -> LossValue { LossValue.maximum(a, b) }

public func min(_ a: LossValue, _ b: LossValue) -> LossValue { -LossValue.maximum(-a, -b) }

/// The sum over the channels of a pixel, for each of them.
public func channelSum(_ x: LossValue) -> LossValue { x.reduced(.sum) }

/// ln(eˣ / Σ eˣ) over the channels of a pixel.
public func logSoftmax(_ x: LossValue) -> LossValue {
  // Without the largest subtracted, whose gradients cancel, eˣ would overflow.
  let shifted = x - x.reduced(.maximum)
  return shifted - log(channelSum(exp(shifted)))
}

/// eˣ / Σ eˣ over the channels of a pixel.
public func softmax(_ x: LossValue) -> LossValue { exp(logSoftmax(x)) }
