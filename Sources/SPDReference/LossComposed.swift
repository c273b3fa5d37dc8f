#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import SPD
import SPDCompiler

extension LossOracle {
  /// Evaluates a loss that a model file composes.
  ///
  /// - Parameters:
  ///   - output: the network's result, N×C×H×W.
  ///   - targets: as many numbers, in the same order.
  public static func composed(
    _ loss: LossExpression, _ output: Values, targets: [Double]
  ) -> (loss: Double, gradient: Values) {
    let (expression, slope) = loss.differentiated()
    var gradient = Values(zeros: output.shape)
    let value = sum(expression, output, targets) { places, divisor, terms in
      for (place, slope) in zip(places, terms[slope]) { gradient.elements[place] = slope / divisor }
    }
    return (value, gradient)
  }

  /// Evaluates the loss without its gradient.
  public static func value(of loss: LossExpression, _ output: Values, targets: [Double]) -> Double {
    sum(loss, output, targets) { _, _, _ in }
  }

  /// - Parameter body: called for each pixel with its channels' positions, the divisor of sums, and all terms.
  private static func sum(
    _ expression: LossExpression, _ output: Values, _ targets: [Double], _ body: ([Int], Double, [[Double]]) -> Void
  ) -> Double {
    let shape = output.shape
    let divisor = Double(expression.average == .images ? shape.batch : shape.count)
    var sum = 0.0
    for n in 0..<shape.batch {
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          let places = (0..<shape.channels).map { output.index(n, $0, y, x) }
          let terms = evaluate(expression, places.map { output.elements[$0] }, places.map { targets[$0] })
          sum += terms[expression.result].reduce(0, +)
          body(places, divisor, terms)
        }
      }
    }
    return sum / divisor
  }

  /// Evaluates every term for each channel of one pixel.
  private static func evaluate(_ expression: LossExpression, _ output: [Double], _ targets: [Double]) -> [[Double]] {
    var values: [[Double]] = []
    for term in expression.terms {
      switch term {
      case .output: values.append(output)
      case .target: values.append(targets)
      case .constant(let value): values.append(output.map { _ in value })
      case .function(let function, let a): values.append(values[a].map { evaluate(function, $0) })
      case .operation(let operation, let a, let b):
        values.append(zip(values[a], values[b]).map { evaluate(operation, $0, $1) })
      case .reduction(let reduction, let a):
        let all = reduction == .sum ? values[a].reduce(0, +) : values[a].max()!
        values.append(output.map { _ in all })
      }
    }
    return values
  }

  private static func evaluate(_ function: LossExpression.Function, _ x: Double) -> Double {
    switch function {
    case .exp: exp(x)
    case .log: log(x)
    case .sqrt: x.squareRoot()
    case .sigmoid: sigmoid(x)
    case .softplus: softplus(x)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
    }
  }

  private static func evaluate(_ operation: LossExpression.Operation, _ x: Double, _ y: Double) -> Double {
    switch operation {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .maximum: max(x, y)
    case .atLeast: x >= y ? 1 : 0
    }
  }
}
