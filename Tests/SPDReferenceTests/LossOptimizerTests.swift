import SPDCompiler
import SPDReference
import Testing

/// The oracle of the optimisers against three steps of `torch.optim` in double precision.
struct LossOptimizerTests {
  struct Golden: Sendable, CustomTestStringConvertible {
    var rule: LossOracle.Optimizer.Rule
    var clips = false
    var values: [Double]
    var testDescription: String { "\(rule)\(clips ? ", clipped" : "")" }
  }

  /// Two groups: rate 0.1, decay 0.05, momentum 0.9; rate 0.02, no decay, momentum 0.8. Gradients of step s:
  /// (0.1s, −0.2, 0.3, −0.05s) and (0.4, −0.6s), scaled by ½; clipped to the norm 0.3. SGD clips with Nesterov.
  @Test(arguments: [
    Golden(
      rule: .sgd,
      values: [0.4386298125, -1.15922709375, 1.8603493750000002, 0.14521129687499998, 0.72904, -0.44576]),
    Golden(
      rule: .sgd, clips: true,
      values: [
        0.4464987923826028, -1.1570755711248177, 1.8556260870153516, 0.1367887947930736, 0.734642938607824,
        -0.46358998432010223,
      ]),
    Golden(
      rule: .adam,
      values: [
        0.20328183506344039, -0.9503474953536216, 1.7002133031339701, 0.4165872728342303, 0.690000003,
        -0.44044987457017926,
      ]),
    Golden(
      rule: .adamW, clips: true,
      values: [
        0.19371643694635388, -0.9452910121617186, 1.6840971529673112, 0.4219552856608695, 0.6933743636440794,
        -0.4396421820017308,
      ]),
  ])
  func asPyTorchDoes(golden: Golden) {
    typealias Optimizer = LossOracle.Optimizer
    var optimizer = Optimizer(
      golden.rule,
      groups: [
        Optimizer.Group(rate: 0.1, weightDecay: 0.05, momentum: 0.9),
        Optimizer.Group(rate: 0.02, weightDecay: 0, momentum: 0.8),
      ],
      entries: [
        Optimizer.Entry([0.5, -1.25, 2, 0.125], group: 0), Optimizer.Entry([7], group: nil),
        Optimizer.Entry([0.75, -0.5], group: 1),
      ])
    optimizer.gradientScale = 0.5
    optimizer.maxNorm = golden.clips ? 0.3 : 0
    optimizer.nesterov = golden.clips
    var norms: [Double] = []
    for s in [1, 2, 3] as [Double] {
      norms.append(optimizer.update([[0.1 * s, -0.2, 0.3, -0.05 * s], [99], [0.4, -0.6 * s]]))
    }
    let found = optimizer.entries.filter { $0.group != nil }.flatMap(\.values)
    #expect(zip(found, golden.values).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(
      zip(norms, [0.4069705149024927, 0.6670832032063166, 0.9542667341996156]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(optimizer.entries[1].values == [7])
  }

  /// ema ← d·ema + (1 − d)·value, for trained and other entries.
  @Test func theAverage() {
    var optimizer = LossOracle.Optimizer(
      .sgd, groups: [.init(rate: 0.5, weightDecay: 0, momentum: 0)],
      entries: [.init([1], group: 0), .init([8], group: nil)])
    optimizer.averageDecay = 0.75
    optimizer.entries[1].values = [4]
    optimizer.update([[2], [0]])
    #expect(optimizer.entries[0].values == [0] && optimizer.entries[0].average == [0.75])
    #expect(optimizer.entries[1].average == [7])
    optimizer.update([[0], [0]])
    #expect(optimizer.entries[0].average == [0.5625] && optimizer.entries[1].average == [6.25])
  }
}
