import SPD
import SPDCompiler
import SPDReference
import Testing

/// The oracle of losses that a model file composes: its derivative is its slope.
struct LossComposedTests {
  static let losses: [Loss] = [
    .mean { y, t in (y - t) * (y - t) },
    .sum { y, t in -(t * log(sigmoid(y))) },
    .mean { y, t in sqrt(y * y + 2) / exp(t) },
    .mean { y, t in max(y, t) + abs(y) + softplus(y * 0.5) },
    .mean { y, t in min(y, t) },
    .mean { y, t in channelSum(y * t) * y },
    .sum { y, t in t * logSoftmax(y) },
  ]

  @Test(arguments: losses.indices)
  func theSlopeIsThatOfFiniteDifferences(_ index: Int) {
    let loss = Self.losses[index].expression
    let shape = Shape(batch: 2, channels: 3, height: 2, width: 1)
    let numbers = uniform("output \(index)", 24).map { Double($0) * 4 - 2 }
    let (output, targets) = (Values(shape, Array(numbers[..<12])), Array(numbers[12...]))
    let gradient = LossOracle.composed(loss, output, targets: targets).gradient
    for place in output.elements.indices {
      func moved(_ step: Double) -> Double {
        var other = output
        other.elements[place] += step
        return LossOracle.composed(loss, other, targets: targets).loss
      }
      let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
      #expect(abs(difference - gradient.elements[place]) < 1e-7, "\(loss): \(place)")
    }
  }

  /// A composed cross-entropy equals the built-in one.
  @Test func crossEntropy() {
    let loss = Loss.sum { logits, target in -target * logSoftmax(logits) }.expression
    let logits = Values(
      Shape(batch: 3, channels: 4, height: 1, width: 1), uniform("logits", 12).map { Double($0) * 900 })
    let targets = Values(logits.shape) { n, c, _, _ in c == n ? 1 : 0 }
    let wanted = LossOracle.crossEntropy(logits, labels: [0, 1, 2])
    let found = LossOracle.composed(loss, logits, targets: targets.elements)
    #expect(abs(found.loss - wanted.loss) < 1e-10)
    #expect(zip(found.gradient.elements, wanted.gradient.elements).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}
