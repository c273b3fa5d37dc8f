import SPD
import SPDCompiler

extension Interpreter {
  /// Evaluates a training step with the losses that generated code supports.
  ///
  /// - Parameters:
  ///   - labels: for a classification network, one per image.
  ///   - targets: for a detector.
  ///   - expected: for a network with a composed loss, in the order of its result.
  public func trainingStep(
    input: [Float], labels: [Int] = [], targets: [LossOracle.Target] = [], expected: [Double] = [],
    rates: LossOracle.YOLO.Rates = LossOracle.YOLO.Rates()
  ) throws -> TrainingResult {
    try trainingStep(input: input) { op, heads in
      switch op {
      case .crossEntropy:
        let result = LossOracle.crossEntropy(heads[0], labels: labels)
        return ([result.loss, Double(result.firsts), Double(result.fives)], [result.gradient])
      case .composed(let loss):
        let result = LossOracle.composed(loss, heads[0], targets: expected)
        return ([result.loss], [result.gradient])
      case .yolo(let boxes):
        let numbers = try parameters(boxes.anchors)
        let anchors = heads.indices.map { level in
          (0..<boxes.anchorsPerLevel).map { anchor in
            let first = (level * boxes.anchorsPerLevel + anchor) * 2
            return (width: numbers[first], height: numbers[first + 1])
          }
        }
        let loss = LossOracle.YOLO(
          classes: boxes.classes, anchors: anchors, rates: rates,
          referenceLevel: boxes.strides.firstIndex(of: 16) ?? boxes.strides.count / 2)
        let result = loss(heads, targets)
        return ([result.total, result.box, result.objectness, result.classes], result.gradient)
      }
    }
  }
}
