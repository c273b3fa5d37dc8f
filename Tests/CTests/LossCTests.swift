import SPD
import SPDCompiler
import SPDReference
import Testing

/// The losses and optimisers in C against their oracles, for every vector width and both compilers. The driver compares
/// the bytes of 1, 2 and 3 threads.
@Suite struct LossCTests {
  @Test(arguments: LossProgram.Build.all)
  func crossEntropy(_ build: LossProgram.Build) async throws {
    struct Case {
      var layouts: (logits: TensorLayout, gradient: TensorLayout)
      var logits: Values
      var labels: [Int]
      var smoothing: Float
    }
    var requests = Words()
    var cases: [Case] = []
    for (index, layouts) in LossProgram.entropy.enumerated() {
      let shape = layouts.logits.shape
      for (smoothing, spread) in [(0, 4), (0.1, 300), (1, 4)] as [(Float, Float)] {
        let logits = Values(shape, random("logits \(index) \(spread)", shape.count).map { Double(($0 - 0.5) * spread) })
        var labels = random("labels \(index)", shape.batch).map { Int($0 * Float(shape.channels)) }
        if shape.batch > 4 { labels[2] = -1 }
        cases.append(Case(layouts: layouts, logits: logits, labels: labels, smoothing: smoothing))
        requests.append([0, index])
        requests.append(smoothing)
        requests.append(labels)
        requests.append(logits, layouts.logits)
      }
    }
    var answers = try await LossProgram.answer(build, requests)
    for each in cases {
      let wanted = LossOracle.crossEntropy(each.logits, labels: each.labels, smoothing: Double(each.smoothing))
      #expect(try answers.int() == 1)
      let losses = try answers.floats(3)
      #expect(abs(losses[0] - wanted.loss) <= 1e-7 * max(1, wanted.loss))
      #expect(losses[1...] == [Double(wanted.firsts), Double(wanted.fives)])
      let gradient = try answers.values(each.layouts.gradient)
      #expect(distance(gradient.elements, wanted.gradient.elements) <= 1e-7)
    }
    #expect(answers.isRead)
  }

  /// Labels out of range are refused; a batch without labels has no loss.
  @Test func labelsOutOfRange() async throws {
    var requests = Words()
    for labels in [[3, 9, 0, 10, 1, 2, 5], [-1, -1, -2, -1, -1, -1, -1]] {
      requests.append([0, 1])
      requests.append(Float(0))
      requests.append(labels)
      let logits = LossProgram.entropy[1].logits
      requests.append(Values(zeros: logits.shape), logits)
    }
    var answers = try await LossProgram.answer(LossProgram.Build.all[0], requests)
    #expect(try answers.int() == 0)
    #expect(try answers.int() == 1)
    #expect(try answers.floats(3) == [0, 0, 0])
    #expect(try answers.values(LossProgram.entropy[1].gradient).elements.allSatisfy { $0 == 0 })
    #expect(answers.isRead)
  }

  /// Compared with the oracle, with targets and, for vectors, with labels.
  @Test(arguments: LossProgram.Build.all)
  func composed(_ build: LossProgram.Build) async throws {
    struct Case {
      var number: Int
      var output: Values
      var targets: [Double]
      /// Nil where targets are given.
      var labels: [Int]?
    }
    var requests = Words()
    var cases: [Case] = []
    for (number, each) in LossProgram.composed.enumerated() {
      let shape = each.layouts.logits.shape
      let output = Values(shape, random("output \(number)", shape.count).map { Double($0 * 8 - 4) })
      for isLabelled in shape.size == Size2D(1) ? [false, true] : [false] {
        let labels = (0..<shape.batch).map { $0 * 3 % shape.channels }
        let numbers = random("targets \(number)", shape.count)
        let hot = Values(shape) { n, c, _, _ in 0.3 / Double(shape.channels) + (c == labels[n] ? 0.7 : 0) }
        let targets = isLabelled ? hot.elements : numbers.map { Double($0) }
        cases.append(Case(number: number, output: output, targets: targets, labels: isLabelled ? labels : nil))
        requests.append([3, number])
        requests.append(Float(0.3))
        requests.append(isLabelled ? 0 : shape.count)
        requests.append(labels)
        if !isLabelled { requests.append(numbers) }
        requests.append(output, each.layouts.logits)
      }
    }
    var answers = try await LossProgram.answer(build, requests)
    for each in cases {
      let (loss, layouts) = LossProgram.composed[each.number]
      let wanted = LossOracle.composed(loss, each.output, targets: each.targets)
      #expect(try answers.int() == 1)
      let losses = try answers.floats(3)
      #expect(abs(losses[0] - wanted.loss) <= 1e-6 * max(1, abs(wanted.loss)), "\(each.number)")
      if let labels = each.labels {
        let ranks = LossOracle.crossEntropy(each.output, labels: labels)
        #expect(losses[1...] == [Double(ranks.firsts), Double(ranks.fives)])
      } else {
        #expect(losses[1...] == [0, 0])
      }
      let gradient = try answers.values(layouts.gradient).elements
      let size = wanted.gradient.elements.reduce(0) { max($0, abs($1)) }
      #expect(distance(gradient, wanted.gradient.elements) <= 3e-6 * size, "\(each.number)")
    }
    #expect(answers.isRead)
  }

  /// As many targets as numbers, or labels that are classes; an image without a label has no part.
  @Test func composedTargetsThatAreRefused() async throws {
    let (_, layouts) = LossProgram.composed[1]
    let shape = layouts.logits.shape
    let output = Values(shape, random("refused", shape.count).map { Double($0) })
    let good = (0..<shape.batch).map { $0 }
    var requests = Words()
    for (count, labels) in [
      (shape.count - 1, good), (0, good.map { $0 == 3 ? 10 : $0 }), (0, good.map { _ in -1 }), (0, good.map { $0 - 1 }),
    ] {
      requests.append([3, 1])
      requests.append(Float(0))
      requests.append(count)
      requests.append(labels)
      requests.append([Float](repeating: 0, count: count))
      requests.append(output, layouts.logits)
    }
    var answers = try await LossProgram.answer(LossProgram.Build.all[0], requests)
    #expect(try answers.int() == 0)
    #expect(try answers.int() == 0)
    #expect(try answers.int() == 1)
    #expect(try answers.floats(3) == [0, 0, 0])
    #expect(try answers.values(layouts.gradient).elements.allSatisfy { $0 == 0 })
    #expect(try answers.int() == 1)
    let losses = try answers.floats(3)
    let gradient = try answers.values(layouts.gradient)
    #expect(losses[0] > 0 && gradient.elements.prefix(10).allSatisfy { $0 == 0 })
    #expect(gradient.elements.dropFirst(10).allSatisfy { $0 != 0 })
    #expect(answers.isRead)
  }

  @Test(arguments: LossProgram.Build.all)
  func yolo(_ build: LossProgram.Build) async throws {
    struct Case {
      var network: LossProgram.YOLO
      var loss: LossOracle.YOLO
      var levels: [Values]
      var targets: [LossOracle.Target]
    }
    var requests = Words()
    var cases: [Case] = []
    for (index, network) in LossProgram.yolo.enumerated() {
      for (round, count) in [0, 1, 9, LossProgram.maxTargets].enumerated() {
        let key = "\(index) \(count)"
        let sides = random("anchors \(key)", network.levels.count * network.anchors * 2).map { 0.5 + 3 * $0 }
        let anchors = network.levels.indices.map { level in
          (0..<network.anchors).map { a in
            let at = (level * network.anchors + a) * 2
            return (width: sides[at], height: sides[at + 1])
          }
        }
        var loss = LossOracle.YOLO(classes: network.classes, anchors: anchors, referenceLevel: network.reference)
        loss.balances = loss.balances.map { Double(Float($0)) }
        loss.rates = rates(round)
        let levels = network.levels.map { layouts in
          Values(layouts.logits.shape, random("x \(key)", layouts.logits.shape.count).map { Double($0 * 12 - 6) })
        }
        let targets = targets(key, count, network)
        cases.append(Case(network: network, loss: loss, levels: levels, targets: targets))
        append(index, loss, targets, levels, to: &requests)
      }
    }
    var answers = try await LossProgram.answer(build, requests)
    for each in cases {
      let wanted = each.loss(each.levels, each.targets)
      #expect(each.targets.count < 9 || wanted.matches.contains { !$0.isEmpty })
      #expect(try answers.int() == 0)
      let losses = [wanted.total, wanted.box, wanted.objectness, wanted.classes]
      let found = try answers.floats(4)
      #expect(distance(found, losses) <= 3e-7 * wanted.total)
      let balances = try answers.floats(wanted.balances.count)
      #expect(distance(balances, wanted.balances) <= 1e-6)
      for (layouts, expected) in zip(each.network.levels, wanted.gradient) {
        let gradient = try answers.values(layouts.gradient)
        #expect(
          distance(gradient.elements, expected.elements) <= 1e-6 * expected.elements.reduce(0) { max($0, abs($1)) })
      }
    }
    #expect(answers.isRead)
  }

  /// Too many targets, and invalid rows, are refused before anything is written.
  @Test func targetsThatAreRefused() async throws {
    let good = LossOracle.Target(image: 0, label: 0, 0.5, 0.5, 0.3, 0.3)
    let bad: [(inout LossOracle.Target) -> Void] = [
      { $0.image = 2 }, { $0.image = -1 }, { $0.label = 80 }, { $0.label = -1 }, { $0.x = .nan }, { $0.y = .infinity },
      { $0.width = -0.1 }, { $0.height = -.infinity },
    ]
    var lists = [([LossOracle.Target](repeating: good, count: LossProgram.maxTargets + 1), 1)]
    for change in bad {
      var other = good
      change(&other)
      lists.append(([good, other], 2))
    }
    let network = LossProgram.yolo[0]
    let anchors = [[(width: Float, height: Float)]](
      repeating: [(width: Float, height: Float)](repeating: (1, 1), count: 3), count: 3)
    let loss = LossOracle.YOLO(classes: 80, anchors: anchors)
    var requests = Words()
    for (targets, _) in lists {
      append(0, loss, targets, network.levels.map { Values(zeros: $0.logits.shape) }, to: &requests)
    }
    var answers = try await LossProgram.answer(LossProgram.Build.all[0], requests)
    for (_, status) in lists { #expect(try answers.int() == status) }
    #expect(answers.isRead)
  }

  @Test(arguments: LossProgram.Build.all)
  func optimizers(_ build: LossProgram.Build) async throws {
    let steps = 4
    let count = LossProgram.count
    let rates: [[Float]] = [[0.01, 5e-4, 0.9], [0.02, 0, 0.8], [0.005, 0.01, 0.9]]
    let start = random("values", count).map { $0 * 4 - 2 }
    // Between the entries there is nothing that counts.
    var gradients = (0..<steps).map { step in random("gradients \(step)", count).map { $0 * 2 - 1 } }
    for (range, after) in zip(LossProgram.ranges, LossProgram.ranges.dropFirst().map(\.offset) + [count]) {
      for at in (range.offset + range.count)..<after { for step in 0..<steps { gradients[step][at] = .nan } }
    }
    var requests = Words()
    var oracles: [LossOracle.Optimizer] = []
    for (rule, nesterov, maxNorm) in [(0, 0, 0), (0, 1, 5), (1, 0, 5), (2, 0, 0)] {
      requests.append([2, 0, rule, nesterov])
      requests.append([0.999, 1e-8, 0.25, Float(maxNorm), 0.75])
      requests.append([rates.count, steps])
      requests.append(rates.flatMap { $0 })
      requests.append(start)
      requests.append(gradients.flatMap { $0 })
      var oracle = LossOracle.Optimizer(
        try #require(.init(rawValue: rule)),
        groups: rates.map { .init(rate: Double($0[0]), weightDecay: Double($0[1]), momentum: Double($0[2])) },
        entries: LossProgram.ranges.map { .init(cut(start, $0).map { Double($0) }, group: $0.group) })
      (oracle.nesterov, oracle.maxNorm) = (nesterov == 1, Double(maxNorm))
      (oracle.secondMomentum, oracle.epsilon) = (Double(Float(0.999)), Double(Float(1e-8)))
      (oracle.gradientScale, oracle.averageDecay) = (0.25, 0.75)
      oracles.append(oracle)
    }
    var answers = try await LossProgram.answer(build, requests)
    for oracle in oracles {
      var oracle = oracle
      let norms = gradients.map { gradient in
        oracle.update(LossProgram.ranges.map { cut(gradient, $0).map { 2 * Double($0) } })
      }
      let wanted = oracle.entries
      let arrays = try (0..<(oracle.rule == .sgd ? 3 : 4)).map { _ in try answers.floats(count) }
      let expected = [wanted.map(\.values), wanted.map(\.average), wanted.map(\.momentum), wanted.map(\.second)]
      for (found, tensors) in zip(arrays, expected) {
        for (range, tensor) in zip(LossProgram.ranges, tensors) {
          #expect(distance(cut(found, range), tensor) <= 1e-6 * max(1, tensor.reduce(0) { max($0, abs($1)) }))
        }
      }
      let found = try answers.floats(steps)
      #expect(distance(found, norms.map { oracle.maxNorm > 0 ? $0 : 0 }) <= 1e-5)
      // Gaps are unchanged.
      let last = try #require(LossProgram.ranges.last)
      #expect(
        Array(arrays[0][(last.offset + last.count)...]) == start[(last.offset + last.count)...].map { Double($0) })
      #expect(arrays[2][13..<16] == [0, 0, 0])
    }
    #expect(answers.isRead)
  }

  // MARK: - numbers

  private func random(_ key: String, _ count: Int) -> [Float] { uniform("loss \(key)", count) }

  private func cut<Number>(_ array: [Number], _ range: LossHoles.Range) -> [Number] {
    Array(array[range.offset..<range.offset + range.count])
  }

  /// The maximum difference; infinite for NaN.
  private func distance(_ found: [Double], _ wanted: [Double]) -> Double {
    precondition(found.count == wanted.count)
    return zip(found, wanted).reduce(0) { ($1.0 - $1.1).isNaN ? .infinity : max($0, abs($1.0 - $1.1)) }
  }

  /// Gains and options that differ from round to round; each is a `Float`.
  private func rates(_ round: Int) -> LossOracle.YOLO.Rates {
    var rates = LossOracle.YOLO.Rates()
    rates.box = [0.05, 1, 0.5, 0.25].map { Double(Float($0)) }[round]
    rates.anchorLimit = round == 2 ? 2.5 : 4
    rates.focalGamma = [0, 0.5, 0, 1.5][round]
    rates.labelSmoothing = round % 2 == 0 ? 0 : 0.125
    rates.objectnessWeight = round == 3 ? 1.75 : 1
    rates.classWeight = round == 2 ? 0.625 : 1
    rates.autobalance = round != 1
    return rates
  }

  /// Anywhere, on borders and middles of cells, at the image's edges; some of them twice.
  private func targets(_ key: String, _ count: Int, _ network: LossProgram.YOLO) -> [LossOracle.Target] {
    let shape = network.levels[0].logits.shape
    var result: [LossOracle.Target] = []
    for i in 0..<count {
      let u = random("target \(key) \(i)", 6)
      let onBorder = [Float(shape.width), Float(shape.height)].enumerated().map { axis, side in
        (u[axis] * 2 * side).rounded() / (2 * side)
      }
      let centres: [[Float]] = [[u[0], u[1]], onBorder, [u[0] < 0.5 ? 0 : 1, u[1]], [u[0], 0.9999999]]
      let (x, y) = (centres[i % 4][0], centres[i % 4][1])
      result.append(
        LossOracle.Target(
          image: Int(u[2] * Float(shape.batch)), label: Int(u[3] * Float(network.classes)), x, y,
          0.02 + u[4] * u[4], 0.02 + u[5] * u[5]))
      if i % 10 == 9 { result[i] = result[i / 2] }
    }
    return result
  }

  private func append(
    _ number: Int, _ loss: LossOracle.YOLO, _ targets: [LossOracle.Target], _ levels: [Values], to requests: inout Words
  ) {
    let rates = loss.rates
    requests.append([1, number])
    requests.append(
      [
        rates.box, rates.objectness, rates.classes, rates.anchorLimit, rates.focalGamma, rates.labelSmoothing,
        rates.objectnessWeight, rates.classWeight,
      ].map { Float($0) })
    requests.append([rates.autobalance ? 1 : 0, targets.count])
    for t in targets { requests.append([Float(t.image), Float(t.label), t.x, t.y, t.width, t.height]) }
    requests.append(loss.anchors.flatMap { $0.flatMap { [$0.width, $0.height] } })
    requests.append(loss.balances.map { Float($0) })
    for (values, layouts) in zip(levels, LossProgram.yolo[number].levels) { requests.append(values, layouts.logits) }
  }
}
