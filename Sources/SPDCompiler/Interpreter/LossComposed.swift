#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import SPD

extension LossOracle {
  /// A loss that a model file composes.
  ///
  /// - Parameters:
  ///   - output: the network's result, N×C×H×W.
  ///   - targets: as many numbers, in the same order.
  public static func composed(
    _ loss: LossExpression, _ output: Values, targets: [Double]
  ) -> (loss: Double, gradient: Values) {
    let (expression, slope) = loss.differentiated()
    let shape = output.shape
    let divisor = Double(loss.average == .images ? shape.batch : shape.count)
    var sum = 0.0
    var gradient = Values(zeros: shape)
    for n in 0..<shape.batch {
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          let places = (0..<shape.channels).map { output.index(n, $0, y, x) }
          let terms = evaluate(expression, places.map { output.elements[$0] }, places.map { targets[$0] })
          sum += terms[loss.result].reduce(0, +)
          for (place, value) in zip(places, terms[slope]) { gradient.elements[place] = value / divisor }
        }
      }
    }
    return (sum / divisor, gradient)
  }

  /// Every term for each channel of one pixel.
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
