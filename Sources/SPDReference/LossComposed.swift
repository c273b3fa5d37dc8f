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
    let (expression, slope, _) = loss.values.differentiated()
    var gradient = Values(zeros: output.shape)
    let value = sum(expression, loss.average, output, targets) { places, divisor, terms in
      for (place, slope) in zip(places, terms[slope]) { gradient.elements[place] = slope / divisor }
    }
    return (value, gradient)
  }

  /// Evaluates the loss without its gradient.
  public static func value(of loss: LossExpression, _ output: Values, targets: [Double]) -> Double {
    sum(loss.values, loss.average, output, targets) { _, _, _ in }
  }

  /// - Parameter body: called for each pixel with its channels' positions, the divisor of sums, and all terms.
  private static func sum(
    _ expression: ScalarExpression, _ average: LossExpression.Average, _ output: Values, _ targets: [Double],
    _ body: ([Int], Double, [[Double]]) -> Void
  ) -> Double {
    let shape = output.shape
    let divisor = Double(average == .images ? shape.batch : shape.count)
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
  private static func evaluate(_ expression: ScalarExpression, _ output: [Double], _ targets: [Double]) -> [[Double]] {
    var values: [[Double]] = []
    for term in expression.terms {
      switch term {
      case .output: values.append(output)
      case .target: values.append(targets)
      case .constant(let value): values.append(output.map { _ in value })
      case .function(let function, let a): values.append(values[a].map { function.evaluate($0) })
      case .operation(let operation, let a, let b):
        values.append(zip(values[a], values[b]).map { operation.evaluate($0, $1) })
      case .reduction(let reduction, let a):
        let all = reduction == .sum ? values[a].reduce(0, +) : values[a].max()!
        values.append(output.map { _ in all })
      }
    }
    return values
  }
}
