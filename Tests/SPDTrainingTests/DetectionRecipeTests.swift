import Foundation
import Models
import SPD
import SPDDetection
import SPDDriver
import SPDRuntime
import Testing

@testable import SPDTraining

/// YOLOv5's recipe: batch, accumulation, weight decay, warm-up, gains, initial biases.
@Suite struct DetectionRecipeTests {
  private func configuration(batch: Int) throws -> TrainingConfiguration {
    try TrainingConfiguration.resolve(
      model: "yolov5-spd-n",
      overrides: [Setting(argument: "batch=\(batch)")])
  }

  /// total batch → accumulation, effective weight decay.
  @Test(arguments: [(16, 4, 5e-4), (32, 2, 5e-4), (64, 1, 5e-4), (20, 3, 4.6875e-4), (40, 2, 6.25e-4), (128, 1, 1e-3)])
  func nominalBatch(batch: Int, accumulation: Int, decay: Double) throws {
    let configuration = try configuration(batch: batch)
    #expect(configuration.accumulation == accumulation)
    #expect(abs(configuration.effectiveWeightDecay - decay) < 1e-12)
  }

  /// Factors of the cosine schedule of 300 epochs, whose warm-up is over after three epochs of 925 iterations.
  @Test func cosineAndWarmUp() throws {
    let configuration = try configuration(batch: 128)
    let schedule = LearningRateSchedule(configuration, iterationsPerEpoch: 925)
    for (epoch, factor) in [(100, 0.775), (150, 0.55), (200, 0.325), (299, 0.1000247)] {
      let rates = schedule.rates(epoch: epoch + 1, iteration: 7)
      #expect(abs(rates.weights - 0.01 * factor) < 1e-8 && rates.biases == rates.weights)
      #expect(rates.momentum == 0.937 && rates.accumulation == 1)
    }
    let first = schedule.rates(epoch: 1, iteration: 0)
    #expect(first == StepRates(weights: 0, biases: 0.1, momentum: 0.8, accumulation: 1))
    // YOLOv5's groups: scales of BatchNorm, weights, biases.
    #expect(DetectionTask.learningRates.map { first[$0.group] } == [0, 0, 0.1])
    // Half way through 2775 iterations, in epoch index 1.
    let middle = schedule.rates(epoch: 2, iteration: 462)
    let part = 1387.0 / 2775
    let target = 0.01 * 0.9999753
    #expect(abs(middle.weights - part * target) < 1e-9)
    #expect(abs(middle.biases - (0.1 + part * (target - 0.1))) < 1e-9)
    #expect(abs(middle.momentum - (0.8 + part * 0.137)) < 1e-12)
  }

  /// A small data set warms up for 1000 iterations, and accumulation grows from 1.
  @Test func minimumWarmUp() throws {
    let schedule = LearningRateSchedule(try configuration(batch: 16), iterationsPerEpoch: 10)
    #expect(schedule.rates(epoch: 1, iteration: 0).accumulation == 1)
    // 1 + 3 · 0.5 = 2.5, to even.
    #expect(schedule.rates(epoch: 51, iteration: 0).accumulation == 2)
    #expect(schedule.rates(epoch: 101, iteration: 0).accumulation == 4)
    #expect(schedule.rates(epoch: 101, iteration: 1).momentum == 0.937)
  }

  @Test func updatesHaveThreeGroups() throws {
    let update = try configuration(batch: 20).update(
      StepRates(weights: 0.003, biases: 0.07, momentum: 0.85, accumulation: 2))
    #expect(update.nesterov && update.weights.momentum == 0.85)
    #expect(abs(update.weights.weightDecay - 4.6875e-4) < 1e-12)
    #expect(update.biases.weightDecay == 0 && update.scales.weightDecay == 0)
    #expect(update.biases.learningRate == 0.07 && update.scales.learningRate == 0.003)
  }

  @Test func gainsScaleWithSizeAndClasses() throws {
    let graph = try yolov5SPDN.graph(size: Size2D(320, 320), batch: 1, classes: 20)
    let rates = try configuration(batch: 16).detectionRates(graph, side: 320)
    #expect(rates.box == 0.05 && rates.objectness == 0.25 && rates.classes == 0.125 && rates.anchorLimit == 4)
  }

  @Test func detectBeginsNearTheFrequencies() throws {
    let graph = try yolov5SPDN.graph(size: Size2D(64, 64), batch: 1, classes: 80)
    #expect(graph.headBiases == (0..<3).map { "model.30.m.\($0).bias" })
    for (name, objectness) in zip(graph.headBiases, [-6.684612, -5.298317, -3.912023]) {
      let parameter = try #require(graph.parameter(name))
      let values = DetectionTask.offsets(of: parameter, in: graph)
      #expect(values.count == 255 && values[0] == 0 && values[3] == 0)
      #expect(abs(Double(values[85 + 4]) - objectness) < 1e-5 && abs(Double(values[85 + 5]) + 4.8804) < 1e-5)
    }
    #expect(graph.anchors?[0] == [SIMD2(10, 13), SIMD2(16, 30), SIMD2(33, 23)])
    #expect(graph.anchors?[2][2] == SIMD2(373, 326))
  }

  @Test func settingsThatExcludeEachOther() throws {
    for (other, reason) in [("multi-scale", "both decide the size"), ("image-weights", "keeps images in order")] {
      var configuration = try configuration(batch: 16)
      let problem = message {
        try configuration.apply([Setting(argument: "rect=true"), Setting(argument: other + "=true")])
      }
      #expect(problem?.contains(reason) == true && problem?.hasSuffix("set one of them to false") == true)
      try configuration.apply([Setting(argument: other + "=true")])
      #expect(configuration.yaml.contains("\n\(other): true "))
    }
  }

  /// Checkpoints of versions without these settings are read.
  @Test func aConfigurationOfAnEarlierVersion() throws {
    let settings = try JSONSerialization.jsonObject(with: JSONEncoder().encode(DetectionConfiguration()))
    var earlier = try #require(settings as? [String: Any])
    for key in ["isMultiScaleOrNone", "weighsImagesOrNone"] { #expect(earlier.removeValue(forKey: key) != nil) }
    let read = try JSONDecoder().decode(
      DetectionConfiguration.self, from: JSONSerialization.data(withJSONObject: earlier))
    #expect(!read.isMultiScale && !read.weighsImages)
  }

  /// Classes without labels in the validation set count with the mean of the others.
  @Test func weightsFollowTheValidation() async throws {
    var configuration = try configuration(batch: 16)
    try configuration.apply([Setting(argument: "data=shapes:64"), Setting(argument: "limit=12")])
    let data = try await DetectionTrainingData(configuration, model: LoadedModel(yolov5SPDN))
    let first = try data.imageWeights(classAPs: [])
    #expect(first.count == 12 && Set(first).count > 1)
    let classes = data.classNames.count
    let known = try data.imageWeights(classAPs: (0..<classes).map { $0 == 0 ? 1 : 0 })
    #expect(zip(first, known).allSatisfy { $0 >= $1 } && first != known)
    #expect(
      message { _ = try data.imageWeights(classAPs: [0.5]) }?.contains(
        "has the mAP of 1 classes, but \(data.trainingName) has \(classes); resume from another checkpoint") == true)
    let metrics = DetectionMetrics(classes: 3)
    #expect(metrics.summary().classAPs == [0, 0, 0])
  }

  /// Hyperparameters of YOLOv5's file become settings, the optimiser's too.
  @Test func aHyperparameterFileIsApplied() throws {
    var configuration = try configuration(batch: 16)
    configuration.apply(
      try DetectionHyperparameters(yaml: "lr0: 0.02\nmosaic: 0.5\nwarmup_bias_lr: 0.2\n", path: "h.yaml"))
    #expect(configuration.optimizer.learningRate == 0.02 && configuration.detection.hyperparameters.mosaic == 0.5)
    let settings = Dictionary(
      uniqueKeysWithValues: configuration.hyperparameterSettings.map { ($0.key, $0.value.description) })
    #expect(settings["lr"] == "`0.02`" && settings["mosaic"] == "`0.5`" && settings["warmup-bias-lr"] == "`0.2`")
    #expect(settings["batch"] == nil && settings["cache"] == nil)
  }
}
