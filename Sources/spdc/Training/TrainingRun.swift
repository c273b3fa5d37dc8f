import Foundation
import SPDData
import SPDRuntime
import SPDTraining

/// One training of a classifier, from its first step or from a checkpoint to its last epoch.
///
/// What a step computes depends on configuration, data and the position alone, so a run that was killed and goes on
/// makes the same numbers, bit for bit, as one that was not.
final class TrainingRun {
  let configuration: TrainingConfiguration
  let folder: RunFolder
  let data: TrainingData
  let modules: ClassifierModules
  let trainer: Trainer
  var state: TrainingState
  let results: ResultsFile
  let events: EventWriter
  var display: TrainingDisplay
  var broken: BrokenImages
  /// Of the latest epoch that was validated here.
  var evaluation: Evaluation?
  /// Where the run can be gone on with.
  var lastCheckpoint: String?
  var times = Times()

  /// Seconds of this process's share of the run.
  struct Times {
    var training = 0.0
    var validation = 0.0
    /// In which nothing was computed because images were not ready.
    var waiting = 0.0
    var images = 0
  }

  enum Ending { case finished, stopped }

  /// Opens a run's files, and writes a first checkpoint where there is none: from here on it can be gone on with.
  ///
  /// - Parameter checkpoint: what to go on from, and its path.
  init(
    _ configuration: TrainingConfiguration, folder: RunFolder, data: TrainingData, modules: ClassifierModules,
    from checkpoint: (TrainingCheckpoint, path: String)?, volume: TrainingDisplay.Volume
  ) throws {
    self.configuration = configuration
    self.folder = folder
    self.data = data
    self.modules = modules
    trainer = try modules.trainer(configuration)
    if let (checkpoint, path) = checkpoint {
      state = checkpoint.state
      state.configuration = configuration
      try trainer.restore(checkpoint, path: path)
      lastCheckpoint = path
    } else {
      state = TrainingState(
        configuration: configuration, history: TrainingHistory(columns: TrainingHistory.classification))
    }
    let batches = (data.training.count + configuration.batch - 1) / configuration.batch
    broken = BrokenImages(listedIn: folder.broken)
    display = TrainingDisplay(epochs: configuration.epochs, iterations: batches, volume: volume)
    do {
      results = try ResultsFile(folder.results, history: state.history)
      events = try EventWriter(folder: folder.path, resumedAfter: checkpoint == nil ? nil : state.epoch)
      try configuration.write(to: folder.configuration)
    } catch { throw Failure(.cannotWrite, "\(error)") }
    if let (checkpoint, path) = checkpoint {
      if path != folder.checkpoint(.last) { try leaveBranch(checkpoint) }
    } else {
      try save(to: [.last])
    }
  }

  /// Trains until the last epoch is over or a signal comes; either way the checkpoint `last` is of that moment.
  ///
  /// - Throws: `Failure` with `diverged` where a number is no longer finite, with `cannotWrite` where the disk takes no
  ///   more; the last checkpoint is whole then and is named.
  func run() throws -> Ending {
    try StopRequest.watched {
      let loader = try BatchLoader(
        data.training, transform: data.transform,
        options: LoaderOptions(
          batchSize: configuration.batch, seed: configuration.seed, isStrict: configuration.strict,
          threads: configuration.loaderThreads),
        from: position, epochs: configuration.epochs)
      defer {
        loader.cancel()
        display.finish()
      }
      while state.epoch < configuration.epochs {
        guard try runEpoch(loader), try endEpoch() else {
          display.finish()
          try save(to: [.last])
          return .stopped
        }
      }
      return .finished
    }
  }

  var iterationsPerEpoch: Int { display.iterations }
  private var schedule: LearningRateSchedule {
    LearningRateSchedule(configuration, iterationsPerEpoch: iterationsPerEpoch)
  }

  /// Of the next batch.
  private var position: BatchPosition {
    state.iteration == iterationsPerEpoch
      ? BatchPosition(epoch: state.epoch + 1, batch: 0) : BatchPosition(epoch: state.epoch, batch: state.iteration)
  }

  // MARK: - steps

  /// The rest of an epoch's iterations.
  ///
  /// - Returns: false where a signal came.
  private func runEpoch(_ loader: BatchLoader) throws -> Bool {
    var labels = [Int32](repeating: 0, count: configuration.batch)
    while state.iteration < iterationsPerEpoch {
      if StopRequest.hasCome { return false }
      let start = ContinuousClock.now
      guard let batch = try keepingSteps({ try loader.next() }) else {
        throw Failure(.software, "the loader has no more images")
      }
      let loaded = ContinuousClock.now
      broken.report(batch.broken)
      labels.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: batch.labels) }
      try step(batch, labels, rate: schedule.rate(epoch: state.epoch + 1, iteration: state.iteration))
      let end = ContinuousClock.now
      times.waiting += (loaded - start).seconds
      times.training += (end - start).seconds
      times.images += batch.count
      state.running["seconds", default: RunningAverage()].add((end - start).seconds)
      display.step(state, images: batch.count, validationSeconds: lastValidationSeconds)
      let often = configuration.saveIterations
      if often > 0, state.iteration % often == 0, state.iteration < iterationsPerEpoch {
        try save(to: [.last])
      }
    }
    return true
  }

  /// Forward and backward on a batch, and an update where as many batches as wanted have been added up.
  private func step(_ batch: Batch, _ labels: [Int32], rate: Double) throws {
    // There is nothing to learn from a batch whose images are all broken.
    if batch.count > 0 { try learn(batch, labels, rate: rate) }
    state.iteration += 1
    // The last group of an epoch may be smaller.
    let isWhole = state.iteration % configuration.accumulate == 0 || state.iteration == iterationsPerEpoch
    guard isWhole, state.summed > 0 else { return }
    if !trainer.network.updatesInBackward { try trainer.update(update(rate: rate, batches: state.summed)) }
    state.updates += 1
    state.summed = 0
  }

  private func learn(_ batch: Batch, _ labels: [Int32], rate: Double) throws {
    let targets = Targets.labels(labels, smoothing: configuration.labelSmoothing)
    let losses =
      trainer.network.updatesInBackward
      ? try trainer.step(batch.images, targets, update(rate: rate, batches: 1))
      : try trainer.gradients(batch.images, targets)
    // Generated code updates nothing from such a loss either.
    guard losses[0].isFinite else {
      throw diverged("the loss became \(losses[0].isNaN ? "NaN" : "infinite")", rate: rate)
    }
    if configuration.accumulate > 1 { try trainer.accumulate(begins: state.summed == 0) }
    state.summed += 1
    let count = Double(batch.count)
    state.running["loss", default: RunningAverage()].add(Double(losses[0]), weight: count)
    state.running["top1", default: RunningAverage()].add(Double(losses[1]) / count, weight: count)
  }

  /// The next update, from the gradients of so many batches.
  private func update(rate: Double, batches: Int) -> Update {
    var update = configuration.optimizer.update(rate: rate)
    update.step = state.updates + 1
    update.gradientScale = 1 / Double(batches)
    update.maxNorm = configuration.clip > 0 ? configuration.clip : nil
    update.averageDecay = configuration.average.decay(updates: state.updates + 1)
    return update
  }

  // MARK: - the end of an epoch

  private var lastValidationSeconds = 0.0

  /// Validates, notes what was measured, and saves.
  ///
  /// - Returns: false where a signal came before that was done.
  private func endEpoch() throws -> Bool {
    let epoch = state.epoch + 1
    let isLast = epoch == configuration.epochs
    guard state.running["loss"] != nil else {
      // Not saved: an epoch without an image is none.
      throw Failure(.data, unreadable(data.training).message + remains)
    }
    var row: [String: Double] = [:]
    let seconds = state.running["seconds"]?.sum ?? 0
    row["lr"] = schedule.rate(epoch: epoch, iteration: iterationsPerEpoch - 1)
    row["train/loss"] = state.running["loss"]?.value
    row["train/top1"] = state.running["top1"]?.value
    if seconds > 0, let images = state.running["loss"]?.weight { row["images_per_second"] = images / seconds }
    var isBest = false
    if isLast || epoch % configuration.validateEvery == 0 {
      guard let found = try keepingSteps({ try evaluate() }) else { return false }
      evaluation = found
      row["val/loss"] = found.metrics.loss.value
      row["val/top1"] = found.metrics.top1.value
      row["val/top5"] = found.metrics.top5.value
    }
    row["seconds"] = seconds + (row["val/loss"] == nil ? 0 : lastValidationSeconds)
    if let top1 = row["val/top1"] { isBest = state.noteValidation(top1, epoch: epoch) }
    state.history.append(epoch: epoch, row)
    state.epoch = epoch
    state.iteration = 0
    state.running = [:]
    // `last` comes behind what is not written again when the run goes on: one that is killed in between goes through the epoch
    // again and writes the same, and TensorBoard takes what comes later.
    try writing { try events.write(row, step: epoch) }
    var kinds: [RunFolder.Kind] = isBest ? [.best] : []
    if configuration.saveEvery > 0, epoch % configuration.saveEvery == 0 { kinds.append(.epoch(epoch)) }
    try save(to: kinds + [.last])
    try writing { try results.append(state.history) }
    display.endEpoch(epoch, row, isBest: isBest)
    return true
  }

  /// The validation set through the inference module, with the average of the weights where one is kept.
  func evaluate() throws -> Evaluation? {
    let start = ContinuousClock.now
    let array = configuration.average.isOn ? Trainer.Array.average : .values
    let ranges = Dictionary(uniqueKeysWithValues: trainer.network.parameters.map { ($0.name, $0.range) })
    let floats = trainer[array]!
    let file = try modules.graph.file { parameter in
      guard let range = ranges[parameter.name] else { throw Failure(.software, "no parameter \(parameter.name)") }
      return Array(floats[range])
    }
    let evaluator = Evaluator(
      network: modules.inference, graph: modules.graph, dataset: data.validation, transform: data.transform,
      threads: configuration.computeThreads, loaderThreads: configuration.loaderThreads, isStrict: configuration.strict)
    let found = try evaluator.run(try modules.inference.pack(file), broken: &broken) { done in
      display.validating(state, done, of: data.validation.count)
      return !StopRequest.hasCome
    }
    if let found, found.confusion.total == 0 { throw unreadable(data.validation) }
    lastValidationSeconds = (ContinuousClock.now - start).seconds
    times.validation += lastValidationSeconds
    times.waiting += found?.waited ?? 0
    return found
  }

  private func unreadable(_ dataset: any ImageDataset) -> Failure {
    Failure(.data, "\(dataset.name): none of its \(dataset.count) images can be read")
  }

  /// Of a run that goes on from an earlier checkpoint than its last: the last and the best one of what came later are kept
  /// as those of their epochs, and the best one is again of the part that the run goes on from.
  private func leaveBranch(_ checkpoint: TrainingCheckpoint) throws {
    let best = folder.checkpoint(.best)
    try keepLater(folder.checkpoint(.last))
    guard try keepLater(best) else { return }
    try Files.writing {
      if state.best?.epoch == state.epoch {
        try checkpoint.write(to: best)
      } else {
        try FileManager.default.removeItem(atPath: best)
        state.best = nil
      }
    }
  }

  /// Keeps a checkpoint of a later epoch than this one under that epoch's name.
  ///
  /// - Returns: whether it is one.
  @discardableResult
  private func keepLater(_ path: String) throws -> Bool {
    guard let old = try? TrainingCheckpoint(contentsOf: path), old.state.epoch > state.epoch else { return false }
    var kept = folder.checkpoint(.epoch(old.state.epoch))
    // From the middle of the next epoch.
    if old.state.iteration > 0 { kept = kept.replacing(".safetensors", with: "-\(old.state.iteration).safetensors") }
    Console.note("\(path) is of epoch \(old.state.epoch), which is gone through again: kept as \(kept)")
    if !FileManager.default.fileExists(atPath: kept) { try Files.writing { try old.write(to: kept) } }
    return true
  }

  // MARK: - saving

  /// Runs what may fail for reasons outside of the training: the steps before it are not lost then.
  private func keepingSteps<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      var failure = classify(error)
      do {
        try save(to: [.last])
        failure.message += remains
      } catch let unsaved {
        // What failed first is why the run ends, and gives the exit code.
        failure.message += "\n  And the steps since the last checkpoint were not saved: \(unsaved)"
      }
      throw failure
    }
  }

  private func save(to kinds: [RunFolder.Kind]) throws {
    guard trainer.isFinite(state) else { throw diverged("a weight is no longer a number", rate: nil) }
    var checkpoint = trainer.checkpoint(state)
    checkpoint.classNames = data.classNames
    checkpoint.classes = modules.graph.classes
    checkpoint.facts = RunFacts(modules: modules, data: data).facts
    for kind in kinds { try writing { try checkpoint.write(to: folder.checkpoint(kind)) } }
    lastCheckpoint = folder.checkpoint(.last)
    if broken.count > 0 { try writing { try broken.write(to: folder.broken) } }
  }

  /// Runs what writes files, and says what is left where it fails.
  func writing(_ body: () throws -> Void) throws {
    do { try Files.writing(body) } catch let failure as Failure {
      throw Failure(failure.code, failure.message + remains)
    }
  }

  private func diverged(_ what: String, rate: Double?) -> Failure {
    let lr = rate.map { ", learning rate \($0)" } ?? ""
    return Failure(
      .diverged,
      "\(what) in epoch \(state.epoch + 1), iteration \(state.iteration + 1) of \(iterationsPerEpoch)\(lr)"
        + "; a lower lr, a longer warmup-epochs or clip may help" + remains)
  }

  private var remains: String { lastCheckpoint.map { "\n  The last checkpoint is whole: \($0)" } ?? "" }
}
