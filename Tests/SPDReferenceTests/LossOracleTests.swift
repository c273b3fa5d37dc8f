import SPD
import SPDCompiler
import SPDReference
import Testing

/// The oracles of the losses against results of the reference and against finite differences.
struct LossOracleTests {
  /// IoU variants of two pairs of boxes, as the reference computes them.
  @Test(arguments: [
    (LossOracle.Box(0.5, 0.5, 2, 3), LossOracle.Box(0.6, 0.4, 2.5, 2), 0.5669499),
    (LossOracle.Box(0.2, 0.7, 1, 1), LossOracle.Box(3.2, 0.7, 1.5, 0.5), -0.4791135),
  ])
  func completeIoU(first: LossOracle.Box, second: LossOracle.Box, expected: Double) {
    // The reference ran in single precision.
    #expect(abs(LossOracle.CompleteIoU(first, second).value - expected) < 2e-7)
  }

  /// Apart, overlapping, one within the other either way, edges that meet in part.
  @Test(arguments: [
    LossOracle.Box(0.5, 0.5, 2, 3), LossOracle.Box(-3, 0.4, 1, 1), LossOracle.Box(0.6, 0.4, 0.5, 0.25),
    LossOracle.Box(0.7, 0.3, 9, 7), LossOracle.Box(1.1, -0.2, 0.4, 5), LossOracle.Box(0.3, 4, 2, 1),
  ])
  func theSlopeOfCompleteIoU(box: LossOracle.Box) {
    let target = LossOracle.Box(0.6, 0.4, 2.5, 2)
    let found = LossOracle.CompleteIoU(box, target)
    let fields: [(WritableKeyPath<LossOracle.Box, Double>)] = [\.x, \.y, \.width, \.height]
    for field in fields {
      func moved(_ step: Double) -> Double {
        var other = box
        other[keyPath: field] += step
        return LossOracle.CompleteIoU(other, target, alpha: found.alpha).value
      }
      let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
      #expect(abs(difference - found.slope[keyPath: field]) < 1e-8)
    }
  }

  @Test(arguments: [0, 0.3, 1], [0, 0.5, 1.5])
  func theSlopeOfBinaryCrossEntropy(target: Double, gamma: Double) {
    for x in [-30, -2, -0.1, 0, 0.7, 3, 25] as [Double] {
      func loss(_ x: Double) -> Double {
        LossOracle.binaryCrossEntropy(x, target: target, weight: 1.7, gamma: gamma).loss
      }
      let slope = LossOracle.binaryCrossEntropy(x, target: target, weight: 1.7, gamma: gamma).slope
      #expect(abs((loss(x + 1e-5) - loss(x - 1e-5)) / 2e-5 - slope) < 1e-8 * max(1, abs(slope)))
    }
  }

  /// Σ −log softmax by hand: logits ln 1, ln 2, ln 5 have the probabilities ⅛, ¼, ⅝.
  @Test func crossEntropyByHand() {
    let row = [0, 0.6931471805599453, 1.6094379124341003]
    let logits = Values(Shape(batch: 3, channels: 3, height: 1, width: 1), row + row + row.map { $0 + 1000 })
    let found = LossOracle.crossEntropy(logits, labels: [1, -1, 0], smoothing: 0.3)
    let logs = [-2.0794415416798357, -1.3862943611198906, -0.4700036292457356]
    let everywhere = -0.1 * logs.reduce(0, +)
    #expect(abs(found.loss - ((everywhere - 0.7 * logs[1]) + (everywhere - 0.7 * logs[0])) / 2) < 1e-12)
    let expected = [0.125 - 0.1, 0.25 - 0.8, 0.625 - 0.1, 0, 0, 0, 0.125 - 0.8, 0.25 - 0.1, 0.625 - 0.1].map { $0 / 2 }
    #expect(zip(found.gradient.elements, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(found.firsts == 0 && found.fives == 2)
    #expect(LossOracle.crossEntropy(logits, labels: [2, 2, 1]).firsts == 2)
    #expect(LossOracle.crossEntropy(logits, labels: [-1, -1, -1]).loss == 0)
  }

  /// Among equal logits the first counts as the largest.
  @Test func equalLogitsRankByNumber() {
    let logits = Values(zeros: Shape(batch: 1, channels: 7, height: 1, width: 1))
    let found = (0..<7).map { LossOracle.crossEntropy(logits, labels: [$0]) }
    #expect(found.map(\.firsts) == [1, 0, 0, 0, 0, 0, 0])
    #expect(found.map(\.fives) == [1, 1, 1, 1, 1, 0, 0])
  }

  @Test func theGradientOfCrossEntropy() {
    let shape = Shape(batch: 2, channels: 6, height: 1, width: 1)
    let logits = Values(shape, uniform("logits", 12).map { Double($0) * 6 - 3 })
    let gradient = LossOracle.crossEntropy(logits, labels: [4, 0], smoothing: 0.1).gradient
    for i in 0..<12 {
      func loss(_ step: Double) -> Double {
        var moved = logits
        moved.elements[i] += step
        return LossOracle.crossEntropy(moved, labels: [4, 0], smoothing: 0.1).loss
      }
      #expect(abs((loss(1e-5) - loss(-1e-5)) / 2e-5 - gradient.elements[i]) < 1e-9)
    }
  }
}
