import SPDDetection
import SPDDriver

extension DetectionTrainingData {
  /// Returns the weight of each training image: see `ImageWeights`.
  ///
  /// - Parameter classAPs: mAP of each class at the latest validation; empty before the first one, which counts as 0.
  /// - Throws: `Failure` for numbers that are not of this data set.
  func imageWeights(classAPs: [Double]) throws -> [Double] {
    let classes = classNames.count
    guard classAPs.isEmpty || classAPs.count == classes && classAPs.allSatisfy({ (0...1).contains($0) }) else {
      throw Failure(
        .data,
        "the checkpoint has the mAP of \(classAPs.count) classes, but \(trainingName) has \(classes); resume from "
          + "another checkpoint")
    }
    return ImageWeights.weights(
      training, classWeights: ImageWeights.classWeights(training),
      meanAPs: classAPs.isEmpty ? [Double](repeating: 0, count: classes) : classAPs)
  }
}
