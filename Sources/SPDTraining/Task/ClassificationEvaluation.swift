import Foundation
import SPD
import SPDReference
import SPDReport
import SPDData
import SPDRuntime

/// The evaluation of a classifier on a validation set.
public struct ClassificationEvaluation: Sendable {
  package var metrics = ClassificationMetrics()
  package var confusion: ConfusionMatrix
  /// The first misclassified images, in the order of the data set.
  package var mistakes: [Mistake] = []
  /// Number of images whose scores are not all finite.
  package var notFinite = 0
  /// Seconds spent waiting for images.
  package var waited = 0.0

  package struct Mistake: Sendable {
    package var index: Int
    package var truth: Int
    package var prediction: Int
    /// Probability of the prediction.
    package var confidence: Double
  }

  package static let mistakeLimit = 60
}

extension ClassificationEvaluation {
  /// Runs a classifier on a validation set; see `TrainingTask.evaluate`.
  static func run(
    _ validation: Validation<TrainingData>, _ parameters: ParameterFile, broken: inout BrokenImages,
    progress: (Int) -> Bool
  ) throws -> ClassificationEvaluation? {
    let network = validation.networks.first.network
    let graph = validation.networks.first.graph
    let classes = network.outputCount / network.inputShape[0]
    var evaluation = ClassificationEvaluation(confusion: ConfusionMatrix(classes: classes))
    let session = try network.session(try network.pack(parameters), threads: validation.threads)
    let loader = try BatchLoader(
      validation.data.validation, transform: validation.data.transform.evaluation,
      options: .evaluation(
        batchSize: network.inputShape[0], isStrict: validation.isStrict, threads: validation.loaderThreads), epochs: 1)
    defer { loader.cancel() }
    let endsInSoftmax = graph.nodes.last?.op == .softmax
    var scores = [Float](repeating: 0, count: network.outputCount)
    var done = 0
    while progress(done) {
      let start = ContinuousClock.now
      guard let batch = try loader.next() else { return evaluation }
      evaluation.waited += (ContinuousClock.now - start).seconds
      broken.report(batch.broken)
      try scores.withUnsafeMutableBufferPointer { try session.infer(batch.images, into: $0) }
      scores.withUnsafeBufferPointer { scores in
        for (row, index) in batch.indices.enumerated() {
          let own = UnsafeBufferPointer(rebasing: scores[row * classes..<(row + 1) * classes])
          let label = Int(batch.labels[row])
          evaluation.add(
            own, label: validation.classMap?[label] ?? label, index: index, loss: graph.loss,
            areProbabilities: endsInSoftmax)
        }
      }
      done += batch.count
    }
    return nil
  }
}

extension ClassificationEvaluation {
  /// Adds one image. Its loss is the model's own loss, else the negative log-likelihood of its class.
  fileprivate mutating func add(
    _ scores: UnsafeBufferPointer<Float>, label: Int, index: Int, loss: LossExpression?, areProbabilities: Bool
  ) {
    if !scores.allSatisfy(\.isFinite) { notFinite += 1 }
    let largest = Double(scores.max() ?? 0)
    // log Σ exp(score)
    let total = areProbabilities ? 0 : largest + log(scores.reduce(0) { $0 + exp(Double($1) - largest) })
    func logProbability(_ index: Int) -> Double {
      areProbabilities ? log(Double(scores[index])) : Double(scores[index]) - total
    }
    let loss = loss.map { own in
      let vector = Values(Shape(batch: 1, channels: scores.count, height: 1, width: 1), scores.map { Double($0) })
      return LossOracle.value(of: own, vector, targets: scores.indices.map { $0 == label ? 1 : 0 })
    }
    metrics.add(loss: loss ?? -logProbability(label), scores: scores, labels: [label], classes: scores.count)
    let prediction = Ranking.best(in: scores)
    confusion.add(truth: label, prediction: prediction)
    if prediction != label, mistakes.count < Self.mistakeLimit {
      mistakes.append(
        Mistake(index: index, truth: label, prediction: prediction, confidence: exp(logProbability(prediction))))
    }
  }

  /// Returns the misclassified images for a report.
  func misclassified(in dataset: any ImageDataset) -> [Misclassification] {
    mistakes.compactMap { mistake in
      guard let image = try? dataset.image(mistake.index) else { return nil }
      return Misclassification(
        image: image, truth: mistake.truth, prediction: mistake.prediction, confidence: mistake.confidence,
        name: dataset.origin(mistake.index))
    }
  }
}
