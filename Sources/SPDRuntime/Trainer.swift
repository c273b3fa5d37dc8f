import CSPDModule

/// The state of one training run, and its steps. Not to be used by two threads at the same time.
public final class Trainer {
  /// The network that steps run: see `use`.
  public private(set) var network: TrainableNetwork
  public let threads: Int
  private let state: AlignedBuffer
  private var arena: AlignedBuffer
  private var c: spdc_trainer
  /// Losses of the current step, which may take several calls.
  private var losses = [Float](repeating: 0, count: 4)
  /// Number of updates so far; a resumed run restores it. Adam's t is one more.
  public var updates = 0

  /// An array of the state: `network.stateCount` floats, each parameter at its range.
  public enum Array: Int, CaseIterable, Sendable {
    case values, gradients, momentum, secondMoments, average, sum
  }

  init(
    network: TrainableNetwork, threads: Int, rule: Update.Rule, averages: Bool, accumulates: Bool
  ) throws {
    try network.interface.check(threads: threads)
    self.network = network
    self.threads = threads
    let wanted: [Bool] = [
      true, !network.updatesInBackward, true, rule != .sgd, averages, accumulates && !network.updatesInBackward,
    ]
    let count = network.stateCount
    state = try AlignedBuffer(byteCount: wanted.count { $0 } * count * MemoryLayout<Float>.size)
    arena = try AlignedBuffer(byteCount: network.arenaBytes(threads: threads))
    let floats = state.base.bindMemory(to: Float.self, capacity: wanted.count { $0 } * count)
    floats.initialize(repeating: 0, count: wanted.count { $0 } * count)
    var next = 0
    let arrays = wanted.map { isWanted -> UnsafeMutablePointer<Float>? in
      guard isWanted else { return nil }
      defer { next += count }
      return floats + next
    }
    c = spdc_trainer(
      values: arrays[0], gradients: arrays[1], momentum: arrays[2], second_moments: arrays[3], average: arrays[4],
      sum: arrays[5], arena: arena.base, arena_bytes: arena.byteCount, balances: network.module.balances,
      threads: Int32(threads))
  }

  /// Continues with the same network compiled for another input or batch size, as in multi-scale training. Parameters, optimiser
  /// state, EMA and accumulated gradients stay where they are: nothing is copied. The arena grows if that network needs
  /// a larger one, and is never made smaller.
  ///
  /// - Throws: `RuntimeError.parameter` naming the first parameter that differs, `RuntimeError.otherSteps` if the network was
  ///   compiled for other updates, `RuntimeError.threads` if its code cannot get that many.
  public func use(_ network: TrainableNetwork) throws {
    guard network !== self.network else { return }
    try network.interface.check(threads: threads)
    if let (new, old) = zip(network.parameters, self.network.parameters).first(where: { $0 != $1 }) {
      throw RuntimeError.parameter(name: new.name, reason: "is not \(old.name) \(old.shape) of the network before")
    }
    guard network.stateCount == self.network.stateCount, network.parameters.count == self.network.parameters.count,
      network.updatesInBackward == self.network.updatesInBackward, network.levels == self.network.levels
    else { throw RuntimeError.otherSteps(network: network.name) }
    let bytes = network.arenaBytes(threads: threads)
    if bytes > arena.byteCount {
      arena = try AlignedBuffer(byteCount: bytes)
      (c.arena, c.arena_bytes) = (arena.base, arena.byteCount)
    }
    self.network = network
  }

  // MARK: - state

  /// An array of the state; nil if this run has none.
  public subscript(array: Array) -> UnsafeMutableBufferPointer<Float>? {
    let pointer =
      switch array {
      case .values: c.values
      case .gradients: c.gradients
      case .momentum: c.momentum
      case .secondMoments: c.second_moments
      case .average: c.average
      case .sum: c.sum
      }
    return pointer.map { UnsafeMutableBufferPointer(start: $0, count: network.stateCount) }
  }

  /// The numbers of one parameter in an array of the state, row-major; nil if there is no such parameter or array.
  public func values(of name: String, in array: Array = .values) -> [Float]? {
    guard let range = network.parameters.first(where: { $0.name == name })?.range, let floats = self[array] else {
      return nil
    }
    return Swift.Array(floats[range])
  }

  /// Balances of the levels of a YOLOv5 loss, which autobalance moves; empty for other losses.
  public var balances: [Float] {
    get { withUnsafeBytes(of: c.balances) { Swift.Array($0.bindMemory(to: Float.self).prefix(network.levels)) } }
    set {
      precondition(newValue.count == network.levels, "a balance for each level")
      withUnsafeMutableBytes(of: &c.balances) { balances in newValue.withUnsafeBytes { balances.copyMemory(from: $0) } }
    }
  }

  /// Loads parameters and running statistics, of which `values` gives each by its name; the EMA begins with them.
  ///
  /// - Throws: `RuntimeError.parameter` for a wrong number of values.
  public func load(_ values: (TrainedParameter) throws -> [Float]) throws {
    for parameter in network.parameters {
      let numbers = try values(parameter)
      guard numbers.count == parameter.range.count else {
        throw RuntimeError.parameter(
          name: parameter.name,
          reason: "\(numbers.count) values where \(parameter.shape) needs \(parameter.range.count)")
      }
      for array in [Array.values, .average] {
        guard let floats = self[array] else { continue }
        for (index, number) in numbers.enumerated() { floats[parameter.range.lowerBound + index] = number }
      }
    }
  }

  /// Loads a file of parameters, as `spdc compile` and `spdc convert` write them.
  ///
  /// - Throws: `RuntimeError.file` for a damaged one; `RuntimeError.parameter` for one of another network.
  public func load(_ file: ParameterFile) throws {
    let values = Dictionary(uniqueKeysWithValues: try file.tensors().map { ($0.name, $0.values) })
    try load { parameter in
      guard let numbers = values[parameter.name] else {
        throw RuntimeError.parameter(name: parameter.name, reason: "the file has none of that name")
      }
      return numbers
    }
  }

  // MARK: - steps

  /// Runs forward pass, backward pass and update. A loss that is not finite updates nothing, but running statistics have moved.
  ///
  /// - Parameters:
  ///   - images: `network.inputShape`, row-major; an array or buffer is not copied.
  ///   - steps: some of the parallel loops, those before which must have run; by default all, and the update.
  /// - Returns: four numbers: with labels the loss, then the top-1 and top-5 hits; with boxes the loss, then its box, objectness
  ///   and class terms; with numbers the loss.
  @discardableResult public func step(
    _ images: some Collection<Float>, _ targets: Targets, _ update: Update, steps: Range<Int>? = nil
  ) throws -> [Float] {
    try withBatch(images, targets) { try step($0, update, steps) }
  }

  /// Runs forward and backward pass only, for networks that do not update in the backward pass: running statistics move, parameters do not.
  ///
  /// - Returns: as `step`.
  public func gradients(_ images: some Collection<Float>, _ targets: Targets) throws -> [Float] {
    try withBatch(images, targets) { try run($0, nil, 0..<network.stepCount) }
  }

  /// Accumulates the gradients of the last batch for `update`, or starts the sum with them.
  public func accumulate(begins: Bool) throws {
    try network.interface.check(network.module.accumulate(&c, begins ? 1 : 0))
  }

  /// Makes one step of the optimiser, with the gradients of the last batch or the accumulated sum.
  ///
  /// - Returns: the norm of all gradients before clipping, where there is a limit to clip to.
  @discardableResult public func update(_ update: Update) throws -> Double {
    var norm = 0.0
    try update.withC(after: updates) { try network.interface.check(network.module.update(&c, $0, &norm)) }
    updates += 1
    return norm
  }

  // MARK: - calls of generated code

  private func step(_ batch: spdc_batch, _ update: Update, _ steps: Range<Int>?) throws -> [Float] {
    let losses = try update.withC(after: updates) { try run(batch, $0, steps ?? 0..<network.stepCount) }
    guard losses[0].isFinite else { return losses }
    if network.updatesInBackward {
      if steps == nil || steps!.upperBound == network.stepCount { updates += 1 }
    } else if steps == nil {
      // The gradients of this batch alone, whatever has been accumulated.
      let sum = c.sum
      c.sum = nil
      defer { c.sum = sum }
      try self.update(update)
    }
    return losses
  }

  private func run(_ batch: spdc_batch, _ update: UnsafePointer<spd_update>?, _ steps: Range<Int>) throws -> [Float] {
    var batch = batch
    if steps.lowerBound == 0 { losses = [0, 0, 0, 0] }
    try network.interface.check(
      network.module.run_steps(&c, &batch, update, &losses, Int32(steps.lowerBound), Int32(steps.upperBound)))
    return losses
  }

  private func withBatch<Result>(
    _ images: some Collection<Float>, _ targets: Targets, _ body: (spdc_batch) throws -> Result
  ) throws -> Result {
    func call(_ images: UnsafeBufferPointer<Float>) throws -> Result {
      guard images.count == network.inputCount else {
        throw RuntimeError.inputCount(
          network: network.name, expected: network.inputCount, shape: network.inputShape, got: images.count)
      }
      return try targets.withBatch(images, of: network, body)
    }
    return try images.withContiguousStorageIfAvailable(call)
      ?? Swift.Array(images).withUnsafeBufferPointer(call)
  }
}
