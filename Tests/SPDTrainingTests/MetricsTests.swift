import Foundation
import Testing

@testable import SPDReport
@testable import SPDTraining

struct MetricsTests {
  @Test func ranks() {
    #expect(Ranking.rank(of: 1, in: [0.1, 3, 2]) == 0)
    #expect(Ranking.rank(of: 0, in: [0.1, 3, 2]) == 2)
    // Of equal scores the lower class is first, as the prediction is.
    #expect(Ranking.rank(of: 0, in: [1, 1, 1]) == 0 && Ranking.rank(of: 2, in: [1, 1, 1]) == 2)
    #expect(Ranking.best(in: [1, 1, 1]) == 0 && Ranking.best(in: [0, 2, 2]) == 1)
    #expect(Ranking.rank(of: 0, in: [.nan, 1]) == 2 && Ranking.rank(of: 1, in: [.nan, 1]) == 0)
    #expect(Ranking.best(in: [.nan, -5]) == 1 && Ranking.best(in: [.nan, .nan]) == 0)
    let slice = [9, 9, 0, 1, 2][2...].map(Float.init)[...]
    #expect(Ranking.rank(of: 2, in: slice) == 0 && Ranking.best(in: slice.dropFirst()) == 1)
  }

  @Test func batches() {
    var metrics = ClassificationMetrics()
    #expect(metrics.top1.value == nil && metrics.loss.value == nil)
    let scores: [Float] = [5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5]
    scores.withUnsafeBufferPointer { metrics.add(loss: 3, scores: $0, labels: [0, 1], classes: 6) }
    #expect(metrics.top1.value == 0.5 && metrics.top5.value == 1)
    scores.prefix(6).withUnsafeBufferPointer { metrics.add(loss: 0, scores: $0, labels: [5], classes: 6) }
    #expect(metrics.loss.value == 2)
    #expect(metrics.top1.value == 1.0 / 3 && metrics.top5.value == 2.0 / 3)
  }

  /// Averages restored from a checkpoint within an epoch continue bit for bit.
  @Test func averagesResume() throws {
    var whole = RunningAverage()
    var part = RunningAverage()
    for index in 0..<1000 {
      let value = sin(Double(index)) * 1e3
      whole.add(value, weight: 7)
      part.add(value, weight: 7)
      if index == 500 { part = try JSONDecoder().decode(RunningAverage.self, from: JSONEncoder().encode(part)) }
    }
    #expect(whole == part && whole.value!.bitPattern == part.value!.bitPattern)
  }

  @Test func confusion() throws {
    var matrix = ConfusionMatrix(classes: 3)
    #expect(matrix.accuracy == nil && matrix.recall(0) == nil)
    for (truth, prediction, count) in [(0, 0, 4), (0, 1, 2), (1, 1, 3), (1, 2, 1), (2, 0, 2)] {
      for _ in 0..<count { matrix.add(truth: truth, prediction: prediction) }
    }
    #expect(matrix.total == 12 && matrix.support(0) == 6)
    #expect(matrix.accuracy == 7.0 / 12)
    #expect(matrix.recall(0) == 4.0 / 6 && matrix.precision(1) == 3.0 / 5 && matrix.recall(2) == 0)
    let worst = matrix.confusions(limit: 2)
    #expect(worst.map(\.truth) == [0, 2] && worst.map(\.prediction) == [1, 0] && worst.map(\.count) == [2, 2])
    #expect(matrix.confusions(limit: 99).count == 3)
  }

  @Test func progressLines() {
    let metrics = ClassificationTask.metrics.filter { !$0.isValidation }
    var progress = TrainingProgress(
      epoch: 7, epochs: 200, iteration: 13, iterations: 26,
      measures: metrics.map { $0.text($0.unit == .loss ? 1.23456 : 0.5) }, imagesPerSecond: 1234.4,
      secondsLeft: 200)
    let bar = "━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌"
    #expect(
      progress.bar(width: 120) == "  epoch   7/200  \(bar)  loss 1.2346  top-1 50.00 %  1234 img/s  3 min 20 s left")
    // Lines never exceed the width; the least important details are dropped first.
    for width in 0...140 { #expect(progress.bar(width: width).count <= width) }
    #expect(progress.bar(width: 60) == "  epoch   7/200  ━━━━━━━╌╌╌╌╌╌╌╌  loss 1.2346  top-1 50.00 %")
    #expect(progress.bar(width: 30) == "  epoch   7/200  loss 1.2346  ")
    #expect(
      progress.line == "epoch   7/200  iteration 13/26  loss 1.2346  top-1 50.00 %  1234 img/s  3 min 20 s left")
    progress = TrainingProgress(epoch: 1, epochs: 1, iteration: 0, iterations: 0, measures: [metrics[0].text(.nan)])
    #expect(progress.line == "epoch 1/1  iteration 0/0  loss nan")
    #expect(progress.bar(width: 80).hasSuffix("╌  loss nan"))
  }

  @Test func durations() {
    let table: [(Double, String)] = [
      (0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"),
      (90_000, "1 d 1 h"), (.infinity, "forever"), (.nan, "forever"), (-3, "0 s"),
    ]
    for (seconds, words) in table { #expect(TrainingProgress.duration(seconds) == words) }
  }

  @Test func throughputForgetsPauses() {
    var rate = Throughput(startingAt: 100)
    #expect(rate.imagesPerSecond == nil)
    rate.add(images: 32, at: 102)
    #expect(rate.imagesPerSecond == 16)
    // An hour's pause, then a quick half minute.
    rate.add(images: 32, at: 3702)
    for second in 1...40 { rate.add(images: 100, at: 3702 + Double(second)) }
    #expect(rate.imagesPerSecond == 100)
  }

  @Test func pace() {
    var pace = ProgressPace(isTerminal: true, startingAt: 0)
    #expect(!pace.isDue(at: 0.05) && pace.isDue(at: 0.1) && !pace.isDue(at: 0.15) && pace.isDue(at: 0.25))
    pace = ProgressPace(isTerminal: false, startingAt: 0)
    #expect(!pace.isDue(at: 29) && pace.isDue(at: 31))
  }
}
