import Models
import SPD
import SPDCompiler
import Testing

@testable import SPDDriver

/// Statistics of `spdc bench`, and its mapping of steps to space-to-depth sites.
@Suite struct BenchTests {
  // MARK: - intervals

  /// The probability that the median lies outside follows from the binomial distribution with p = 1/2.
  @Test func theIntervalIsWideEnoughAndNotTooWide() {
    #expect(Samples([1, 2, 3, 4, 5]).medianInterval == nil)
    for count in 6...300 {
      var probability = 1.0
      for _ in 0..<count { probability /= 2 }
      var below: [Double] = []
      for k in 0...count {
        below.append((below.last ?? 0) + probability)
        probability *= Double(count - k) / Double(k + 1)
      }
      let interval = Samples((1...count).map(Double.init)).medianInterval ?? 0...0
      let rank = Int(interval.lowerBound)
      #expect(Int(interval.upperBound) == count + 1 - rank)
      #expect(2 * below[rank - 1] <= 0.05, "\(count)")
      #expect(2 * below[min(rank + 1, count)] > 0.05, "\(count)")
    }
  }

  private func times(_ rounds: Int, _ runs: Int, _ milliseconds: (_ round: Int, _ run: Int) -> Double) -> Times {
    var times = Times()
    for round in 0..<rounds {
      for run in 0..<runs { times.append(milliseconds(round, run), in: round) }
    }
    return times
  }

  @Test func aDifferenceInEveryRoundIsConclusive() {
    let fast = times(6, 4) { round, run in 2 + 0.1 * Double(round + run) }
    let slow = times(6, 4) { round, run in 3 + 0.15 * Double(round + run) }
    let ratio = Ratio(slow, of: "slow", over: fast)
    #expect(ratio.conclusive && abs(ratio.low - 1.5) < 1e-9 && abs(ratio.high - 1.5) < 1e-9)
    #expect(ratio.text == "1.50× (1.500 … 1.500)")
    #expect(Ratio(fast, of: "fast", over: slow).conclusive)
  }

  @Test func runningSecondIsNoDifference() {
    // The second run is slower, and the machine slows down continuously.
    let a = times(8, 6) { _, run in (run % 2 == 0 ? 1 : 2) + 0.001 * Double(run / 2) }
    let b = times(8, 6) { _, run in (run % 2 == 0 ? 2 : 1) + 0.001 * Double(run / 2) }
    #expect(!Ratio(a, of: "a", over: b).conclusive)
  }

  @Test func manyRunsOfFewRoundsAreInconclusive() {
    let fast = times(6, 1000) { _, _ in 1 }
    // Slower at all memory addresses but one.
    let slow = times(6, 1000) { round, _ in round == 3 ? 0.99 : 1.02 }
    let ratio = Ratio(slow, of: "slow", over: fast)
    #expect(!ratio.conclusive && ratio.text == "not conclusive (0.990 … 1.020)")
    #expect(!Ratio(times(5, 2) { _, _ in 2 }, of: "slow", over: times(5, 2) { _, _ in 1 }).conclusive)
  }

  // MARK: - sites

  private func kernels(_ graph: Graph, unfused: Bool) throws -> [[String]] {
    var options = Pipeline.Options()
    options.unfused = unfused
    let plan = try LowerToPlan.plan(
      try Pipeline.run(graph, options: options).graph, prefix: "p", target: .scalar,
      kernels: KernelOptions(algorithms: .exact))
    let sites = graph.spaceToDepthSites
    let times = SiteTimes(sites, of: graph, in: plan)
    // Each step once and in order.
    #expect(times.runs.flatMap { Array($0.steps) } == Array(plan.steps.indices))
    return sites.indices.map { site in
      times.runs.filter { $0.sites.contains(site) }.flatMap { plan.steps[$0.steps] }.map(\.kernel.template)
    }
  }

  @Test func stepsOfASite() throws {
    let yolo = try yolov5SPDN.graph(size: 64)
    let direct = "conv_direct"
    #expect(try kernels(yolo, unfused: false)[1] == [direct, direct])
    #expect(
      try kernels(yolo, unfused: true)[1] == [
        direct, "pointwise", "pointwise", "copy", direct, "pointwise", "pointwise", direct, "pointwise", "pointwise",
      ])
    let resnet = try resnet18SPD.graph(size: 32)
    #expect(try kernels(resnet, unfused: false)[1] == [direct, direct])
    #expect(
      try kernels(resnet, unfused: true)[1] == [
        direct, "copy", "pointwise", "pointwise", direct, "pointwise", "pointwise", "pointwise",
      ])
  }

  @Test func aConvolutionBetweenTwoSitesBelongsToBoth() throws {
    let model = Model("two", input: .image(3, 16, 16)) { image, _ in
      image.through(
        Conv2D(16, kernel: 3), SpaceToDepth(), Conv2D(16, kernel: 3), SpaceToDepth(), Conv2D(16, kernel: 1))
    }
    let graph = try model.graph()
    let fused = try LowerToPlan.plan(try Pipeline.run(graph).graph, prefix: "p", target: .scalar)
    var times = SiteTimes(graph.spaceToDepthSites, of: graph, in: fused)
    #expect(times.runs.map(\.sites) == [[0], [0, 1], [1], []])
    times.measure(in: 0) { Double($0.count) }
    #expect(times.times.map(\.rounds) == [[[2]], [[2]]])
  }
}
