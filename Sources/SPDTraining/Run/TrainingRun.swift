import Foundation
import SPDData
import SPDDriver
import SPDRuntime

/// One training, from its first step or from a checkpoint to its last epoch.
///
/// What a step computes depends on configuration, data and the position alone, so a run that was killed and goes on
/// makes the same numbers, bit for bit, as one that was not.
public final class TrainingRun<Task: TrainingTask> {
  package let task: Task
  package let configuration: TrainingConfiguration
  package let folder: RunFolder
  package let data: TrainingData
  package let modules: TrainingModules
  package let trainer: Trainer
  package var state: TrainingState
  package let results: ResultsFile
  package let events: EventWriter
  private let observer: (any TrainingObserver)?
  private var throughput = Throughput(startingAt: 0)
  private let start = ContinuousClock.now
  package let iterationsPerEpoch: Int
  package var broken: BrokenImages
  /// Of the latest epoch that was validated here.
  package var evaluation: Task.Evaluation?
  /// Where the run can be gone on with.
  package var lastCheckpoint: String?
  package var times = Times()

  /// Seconds of this process's share of the run.
  package struct Times: Sendable {
    package var training = 0.0
    package var validation = 0.0
    /// In which nothing was computed because images were not ready.
    package var waiting = 0.0
    package var images = 0
  }

  /// Opens a run's files, and writes a first checkpoint where there is none: from here on it can be gone on with.
  ///
  /// - Parameter checkpoint: what to go on from, and its path.
  package init(
    _ task: Task, _ configuration: TrainingConfiguration, folder: RunFolder, data: TrainingData,
    modules: TrainingModules,
    from checkpoint: (TrainingCheckpoint, path: String)?, observer: (any TrainingObserver)? = nil
  ) throws {
    self.task = task
    self.configuration = configuration
    self.observer = observer
    self.folder = folder
    self.data = data
    self.modules = modules
    trainer = try modules.trainer(configuration)
    if let (checkpoint, path) = checkpoint {
      state = checkpoint.state
      state.configuration = configuration
      try trainer.restore(checkpoint, path: path)
      lastCheckpoint = path
      guard state.history.columns == Task.columns else {
        throw Failure(
          .data, "\(path) is of a run that measured something else: \(state.history.columns.joined(separator: ", "))")
      }
    } else {
      state = TrainingState(
        configuration: configuration, history: TrainingHistory(columns: Task.columns))
    }
    iterationsPerEpoch = (data.training.count + configuration.batch - 1) / configuration.batch
    if let (_, path) = checkpoint, state.iteration > iterationsPerEpoch {
      throw Failure(
        .data,
        "\(path): its state contradicts itself: iteration \(state.iteration) of an epoch of \(iterationsPerEpoch)")
    }
    broken = BrokenImages(listedIn: folder.broken)
    do {
      results = try ResultsFile(folder.results, history: state.history)
      folder.removeTemporaries()
      events = try EventWriter(folder: folder.path, resumedAfter: checkpoint == nil ? nil : state.epoch)
      try configuration.write(to: folder.configuration)
    } catch let failure as Failure {
      throw failure
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
  package func run() throws -> TrainingEnding {
    try StopRequest.watched {
      let loader = try BatchLoader(
        data.training, transform: data.transform,
        options: LoaderOptions(
          batchSize: configuration.batch, seed: configuration.seed, isStrict: configuration.strict,
          threads: configuration.loaderThreads),
        from: position, epochs: configuration.epochs)
      defer {
        loader.cancel()
        observer?.finish()
      }
      while state.epoch < configuration.epochs {
        guard try runEpoch(loader), try endEpoch() else {
          observer?.finish()
          try save(to: [.last])
          return .stopped
        }
      }
      return .finished
    }
  }

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
    while state.iteration < iterationsPerEpoch {
      if StopRequest.hasCome { return false }
      let start = ContinuousClock.now
      guard let batch = try keepingSteps({ try loader.next() }) else {
        throw Failure(.software, "the loader has no more images")
      }
      let loaded = ContinuousClock.now
      broken.report(batch.broken)
      try step(batch, rate: schedule.rate(epoch: state.epoch + 1, iteration: state.iteration))
      let end = ContinuousClock.now
      times.waiting += (loaded - start).seconds
      times.training += (end - start).seconds
      times.images += batch.count
      state.running["seconds", default: RunningAverage()].add((end - start).seconds)
      show(images: batch.count)
      let often = configuration.saveIterations
      if often > 0, state.iteration % often == 0, state.iteration < iterationsPerEpoch {
        try save(to: [.last])
      }
    }
    return true
  }

  /// Forward and backward on a batch, and an update where as many batches as wanted have been added up.
  private func step(_ batch: Batch, rate: Double) throws {
    // There is nothing to learn from a batch whose images are all broken.
    if batch.count > 0 { try learn(batch, rate: rate) }
    state.iteration += 1
    // The last group of an epoch may be smaller.
    let isWhole = state.iteration % configuration.accumulate == 0 || state.iteration == iterationsPerEpoch
    guard isWhole, state.summed > 0 else { return }
    if !trainer.network.updatesInBackward { try trainer.update(update(rate: rate, batches: state.summed)) }
    state.updates += 1
    state.summed = 0
  }

  private func learn(_ batch: Batch, rate: Double) throws {
    let targets = task.targets(of: batch, configuration)
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
    for (name, value) in task.measured(losses, images: batch.count) {
      state.running[Self.key(name), default: RunningAverage()].add(value, weight: Double(batch.count))
    }
  }

  /// What a training metric is called among the running averages of a checkpoint.
  private static func key(_ metric: String) -> String { String(metric.trimmingPrefix("train/")) }

  /// Tells the observer how far the epoch is.
  private func show(images: Int) {
    let now = (ContinuousClock.now - start).seconds
    throughput.add(images: images, at: now)
    guard let observer else { return }
    let rate = throughput.imagesPerSecond
    let batchesLeft = Double((configuration.epochs - state.epoch) * iterationsPerEpoch - state.iteration)
    observer.step(
      TrainingProgress(
        epoch: state.epoch + 1, epochs: configuration.epochs, iteration: state.iteration,
        iterations: iterationsPerEpoch,
        measures: Task.metrics.filter { !$0.isValidation }.compactMap { metric in
          state.running[Self.key(metric.name)]?.value.map(metric.text)
        }, imagesPerSecond: rate,
        secondsLeft: rate.map {
          batchesLeft * Double(configuration.batch) / $0
            + Double(configuration.epochs - state.epoch) * lastValidationSeconds
        }))
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
    for metric in Task.metrics where !metric.isValidation {
      row[metric.name] = state.running[Self.key(metric.name)]?.value
    }
    if seconds > 0, let images = state.running["loss"]?.weight { row["images_per_second"] = images / seconds }
    var isBest = false
    let isValidated = isLast || epoch % configuration.validateEvery == 0
    if isValidated {
      guard let found = try keepingSteps({ try evaluate() }) else { return false }
      evaluation = found
      row.merge(task.values(found)) { $1 }
      isBest = row[Task.bestMetric].map { state.noteValidation($0, epoch: epoch) } ?? false
    }
    row["seconds"] = seconds + (isValidated ? lastValidationSeconds : 0)
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
    // Time for validation does not count as time for training.
    throughput = Throughput(startingAt: (ContinuousClock.now - start).seconds)
    observer?.endEpoch(
      EpochSummary(
        epoch: epoch, epochs: configuration.epochs,
        values: Task.metrics.compactMap { metric in row[metric.name].map { (metric, $0) } },
        imagesPerSecond: row["images_per_second"], seconds: row["seconds"] ?? 0, isBest: isBest))
    return true
  }

  /// The validation set through the inference module, with the average of the weights where one is kept.
  package func evaluate() throws -> Task.Evaluation? {
    let start = ContinuousClock.now
    let array = configuration.average.isOn ? Trainer.Array.average : .values
    let ranges = Dictionary(uniqueKeysWithValues: trainer.network.parameters.map { ($0.name, $0.range) })
    let floats = trainer[array]!
    let file = try modules.graph.file { parameter in
      guard let range = ranges[parameter.name] else { throw Failure(.software, "no parameter \(parameter.name)") }
      return Array(floats[range])
    }
    let validation = Validation(
      network: modules.inference, graph: modules.graph, data: data, configuration: configuration)
    let found = try task.evaluate(validation, try modules.inference.pack(file), broken: &broken) { done in
      observer?.validating(epoch: state.epoch + 1, of: configuration.epochs, done: done, of: data.validation.count)
      return !StopRequest.hasCome
    }
    if let found, task.count(found) == 0 { throw unreadable(data.validation) }
    lastValidationSeconds = (ContinuousClock.now - start).seconds
    times.validation += lastValidationSeconds
    times.waiting += found.map(task.waited) ?? 0
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
    Messages.note("\(path) is of epoch \(old.state.epoch), which is gone through again: kept as \(kept)")
    if !FileManager.default.fileExists(atPath: kept) { try Files.writing { try old.write(to: kept) } }
    return true
  }

  // MARK: - saving

  /// Runs what may fail for reasons outside of the training: the steps before it are not lost then.
  private func keepingSteps<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      var failure = Failure(error)
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
  package func writing(_ body: () throws -> Void) throws {
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

  /// The folder may have gone with the disk.
  private var remains: String {
    guard let lastCheckpoint, FileManager.default.fileExists(atPath: lastCheckpoint) else { return "" }
    return "\n  The last checkpoint is intact: \(lastCheckpoint)"
  }
}
