import Testing

@testable import SPDTraining

struct LearningRateScheduleTests {
  private func schedule(
    _ shape: ScheduleConfiguration.Shape, epochs: Int, iterations: Int = 391, base: Double = 0.1,
    change: (inout ScheduleConfiguration) -> Void = { _ in }
  ) -> LearningRateSchedule {
    var configuration = ScheduleConfiguration()
    configuration.shape = shape
    change(&configuration)
    return LearningRateSchedule(base: base, configuration, epochs: epochs, iterationsPerEpoch: iterations)
  }

  /// Both networks' training: 391 iterations an epoch.
  @Test(arguments: ["resnet18-spd", "resnet50-spd", "resnet50-spd-code"])
  func thePapersSteps(preset: String) {
    let configuration = TrainingPreset.configuration(named: preset, model: preset)!
    let base = configuration.optimizer.learningRate
    let schedule = LearningRateSchedule(configuration, iterationsPerEpoch: 391)
    let table: [(epoch: Int, factor: Double)] = [
      (2, 1), (59, 1), (60, 0.2), (119, 0.2), (120, 0.04), (159, 0.04), (160, 0.008), (200, 0.008), (500, 0.008),
    ]
    for (epoch, factor) in table {
      for iteration in [0, 1, 390] {
        #expect(abs(schedule.rate(epoch: epoch, iteration: iteration) / (base * factor) - 1) < 1e-12)
      }
    }
    #expect(schedule.rate(epoch: 1, iteration: 0) == 0)
    #expect(schedule.rate(epoch: 1, iteration: 1) == base * (1 / (391 + 1e-8)))
    #expect(schedule.rate(epoch: 1, iteration: 390) == base * (390 / (391 + 1e-8)))
  }

  @Test func severalEpochsOfWarmup() {
    let schedule = schedule(.constant, epochs: 10, iterations: 4, base: 1) { $0.warmupEpochs = 2 }
    #expect(abs(schedule.rate(epoch: 2, iteration: 3) - 7.0 / 8) < 1e-8)
    #expect(schedule.rate(epoch: 3, iteration: 0) == 1)
    #expect(self.schedule(.constant, epochs: 1) { $0.warmupEpochs = 0 }.rate(epoch: 1, iteration: 0) == 0.1)
  }

  /// YOLOv5's cosine over 300 epochs down to a tenth, as its code gives it.
  @Test func cosine() {
    let schedule = schedule(.cosine, epochs: 300, base: 1) {
      $0.warmupEpochs = 0; $0.finalFactor = 0.1
    }
    let table = [(0, 1), (1, 0.9999753), (100, 0.775), (150, 0.55), (200, 0.325), (299, 0.1000247)]
    for (x, factor) in table { #expect(abs(schedule.rate(epoch: x + 1, iteration: 7) - factor) < 1e-7) }
    #expect(abs(schedule.rate(epoch: 1000, iteration: 0) - 0.1) < 1e-12)
  }

  @Test func linear() {
    let schedule = schedule(.linear, epochs: 11, base: 1) {
      $0.warmupEpochs = 0; $0.finalFactor = 0.5
    }
    for (epoch, factor) in [(1, 1), (6, 0.75), (11, 0.5), (12, 0.5)] {
      #expect(abs(schedule.rate(epoch: epoch, iteration: 0) - factor) < 1e-12)
    }
    #expect(self.schedule(.linear, epochs: 1) { $0.warmupEpochs = 0 }.rate(epoch: 1, iteration: 0) == 0.1)
  }

  @Test func averageDecay() {
    var average = AverageConfiguration()
    average.decay = 0.9999
    let table = [
      (1, 4.99825e-4), (10, 0.0049870), (100, 0.0487657), (1000, 0.39343), (2000, 0.6320573), (10_000, 0.9931627),
    ]
    for (updates, decay) in table { #expect(abs(average.decay(updates: updates) / decay - 1) < 1e-5) }
    average.ramp = 0
    #expect(average.decay(updates: 1) == 0.9999)
  }
}
