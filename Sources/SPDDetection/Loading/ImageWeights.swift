/// Weights by which training draws images, so that rare and difficult classes are seen more often.
public enum ImageWeights {
  /// Weighs the classes: 1 / number of objects (no object counts as one), scaled to the sum 1.
  public static func classWeights(_ dataset: some DetectionDataset) -> [Double] {
    var counts = [Int](repeating: 0, count: dataset.classNames.count)
    for index in 0..<dataset.count {
      for object in dataset.labels(index).objects where counts.indices.contains(object.classIndex) && !object.isCrowd {
        counts[object.classIndex] += 1
      }
    }
    let weights = counts.map { 1 / Double(max($0, 1)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Weighs the images of a data set for an epoch: the sum over an image's objects of w·(1 − mAP)² of their classes.
  ///
  /// - Parameter meanAPs: mAP of each class at the last validation, 0 before the first one.
  /// - Returns: one weight per image; equal weights if no image has an object.
  public static func weights(
    _ dataset: some DetectionDataset, classWeights: [Double], meanAPs: [Double]
  ) -> [Double] {
    precondition(classWeights.count == meanAPs.count, "there are \(classWeights.count) classes")
    let importance = zip(classWeights, meanAPs).map { $0 * (1 - $1) * (1 - $1) }
    let weights = (0..<dataset.count).map { index in
      dataset.labels(index).objects.reduce(0.0) { sum, object in
        !object.isCrowd && importance.indices.contains(object.classIndex) ? sum + importance[object.classIndex] : sum
      }
    }
    return weights.contains { $0 > 0 } ? weights : weights.map { _ in 1 }
  }
}
