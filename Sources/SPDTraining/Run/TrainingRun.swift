import Foundation
import SPDData
import SPDDriver
import SPDRuntime

/// A training run, from its first step or a checkpoint to its last epoch.
///
/// A step depends only on configuration, data and position. A run that was killed and resumed therefore gives bitwise the
/// same results as an uninterrupted one.
public final class TrainingRun<Task: TrainingTask> {
  package let task: Task
  package let configuration: TrainingConfiguration
  package let folder: RunFolder
  package let data: Task.Data
  package let modules: TrainingModules
  package let trainer: Trainer
  private let frozen: FrozenParameters
  package var state: TrainingState
  package let results: ResultsFile
  package let events: EventWriter
  private let observer: (any TrainingObserver)?
  private var throughput = Throughput(startingAt: 0)
  private let start = ContinuousClock.now
  package let iterationsPerEpoch: Int
  package var broken: BrokenImages
  /// The latest validation in this process.
  package var evaluation: Task.Evaluation?
  /// Path of the checkpoint to resume from.
  package var lastCheckpoint: String?
  package var times = Times()

  /// Seconds that this process spent on the run.
  package struct Times: Sendable {
    package var training = 0.0
    package var validation = 0.0
    /// Seconds spent waiting for images.
    package var waiting = 0.0
    package var images = 0
  }

  /// Opens a run's files. A new run writes an initial checkpoint, so that it can be resumed from here on.
  ///
  /// - Parameter checkpoint: the checkpoint to resume from, with its path.
  package init(
    _ task: Task, _ configuration: TrainingConfiguration, folder: RunFolder, data: Task.Data,
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
      let history = checkpoint.state.history
      guard Task.metrics.allSatisfy({ history.columns.contains($0.name) }) else {
        throw Failure(.data, "\(path) is from a run with other metrics: \(history.columns.joined(separator: ", "))")
      }
      // Earlier versions named learning rates otherwise.
      state.history = history.arranged(Task.columns)
    } else {
      state = TrainingState(
        configuration: configuration, history: TrainingHistory(columns: Task.columns))
    }
    frozen = FrozenParameters(configuration.freeze, trainer)
    iterationsPerEpoch = (data.trainingCount + configuration.batch - 1) / configuration.batch
    if let (_, path) = checkpoint, state.iteration > iterationsPerEpoch {
      throw Failure(
        .data,
        "\(path): its state is inconsistent: iteration \(state.iteration) of an epoch of \(iterationsPerEpoch)")
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

  /// Trains to the end of the last epoch or until a signal arrives, and saves the checkpoint `last`.
  ///
  /// - Throws: `Failure`: `.diverged` if the loss or a weight is not finite, `.cannotWrite` on a write error. The message names
  ///   the last checkpoint, which is intact.
  package func run() throws -> TrainingEnding {
    try StopRequest.watched {
      var source: Task.Source?
      defer {
        source?.cancel()
        observer?.finish()
      }
      while state.epoch < configuration.epochs, !hasLostPatience {
        if source == nil || task.followsValidation(configuration) {
          source?.cancel()
          source = try task.source(data, configuration, from: position, feedback: state.feedback ?? [])
        }
        guard try runEpoch(source!), try endEpoch() else {
          observer?.finish()
          try save(to: [.last])
          return .stopped
        }
      }
      return .finished
    }
  }

  /// Whether the last validations were all worse than the best one.
  private var hasLostPatience: Bool {
    guard let patience = configuration.patience, let best = state.best, state.iteration == 0,
      state.epoch - best.epoch >= patience
    else { return false }
    Messages.note("stopping: no better validation in \(patience) epochs, the best was epoch \(best.epoch)")
    return true
  }

  private var schedule: LearningRateSchedule {
    LearningRateSchedule(configuration, iterationsPerEpoch: iterationsPerEpoch)
  }

  /// Position of the next mini-batch.
  private var position: BatchPosition {
    state.iteration == iterationsPerEpoch
      ? BatchPosition(epoch: state.epoch + 1, batch: 0) : BatchPosition(epoch: state.epoch, batch: state.iteration)
  }

  // MARK: - steps

  /// Runs the remaining iterations of an epoch.
  ///
  /// - Returns: false if a signal arrived.
  private func runEpoch(_ loader: Task.Source) throws -> Bool {
    while state.iteration < iterationsPerEpoch {
      if StopRequest.hasCome { return false }
      let start = ContinuousClock.now
      guard let batch = try keepingSteps({ try loader.next() }) else {
        throw Failure(.software, "internal error: the loader has no more images")
      }
      let loaded = ContinuousClock.now
      broken.report(batch.broken)
      try step(batch, schedule.rates(epoch: state.epoch + 1, iteration: state.iteration))
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

  /// Runs the forward and backward pass on a mini-batch, and an update once enough gradients are accumulated.
  private func step(_ batch: Task.Source.Batch, _ rates: StepRates) throws {
    // Skip a mini-batch whose images are all broken.
    if batch.count > 0 { try learn(batch, rates) }
    state.iteration += 1
    // The last accumulation of an epoch may have fewer mini-batches.
    let isFull =
      configuration.nominalBatch == nil
      ? state.iteration % configuration.accumulate == 0 : state.summed >= rates.accumulation
    guard isFull || state.iteration == iterationsPerEpoch, state.summed > 0 else { return }
    if !trainer.network.updatesInBackward { try trainer.update(update(rates, batches: state.summed)) }
    frozen.restore(trainer)
    state.updates += 1
    state.summed = 0
  }

  private func learn(_ batch: Task.Source.Batch, _ rates: StepRates) throws {
    if let size = batch.size {
      guard let network = modules.trainable[size] else {
        throw Failure(.software, "internal error: no training step for \(size.height)×\(size.width)")
      }
      try trainer.use(network)
    }
    let targets = task.targets(of: batch, in: modules.graph, configuration)
    let losses =
      trainer.network.updatesInBackward
      ? try trainer.step(batch.images, targets, update(rates, batches: 1))
      : try trainer.gradients(batch.images, targets)
    // Generated code skips the update for such a loss.
    guard losses[0].isFinite else {
      throw diverged("the loss became \(losses[0].isNaN ? "NaN" : "infinite")", rate: rates.weights)
    }
    if configuration.accumulation > 1 { try trainer.accumulate(begins: state.summed == 0) }
    state.summed += 1
    for (name, value) in task.measured(losses, images: batch.count) {
      state.running[Self.key(name), default: RunningAverage()].add(value, weight: Double(batch.count))
    }
  }

  /// Returns the key of a training metric in a checkpoint's running averages.
  private static func key(_ metric: String) -> String { String(metric.trimmingPrefix("train/")) }

  /// The key of the first metric, which every mini-batch with images adds to.
  private var lossKey: String { Self.key(Task.metrics[0].name) }

  /// Reports progress to the observer.
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

  /// Returns the next update, from the gradients of a number of mini-batches.
  private func update(_ rates: StepRates, batches: Int) -> Update {
    var update = configuration.update(rates)
    update.step = state.updates + 1
    update.gradientScale = configuration.nominalBatch == nil ? 1 / Double(batches) : 1
    update.maxNorm = configuration.clip > 0 ? configuration.clip : nil
    update.averageDecay = configuration.average.decay(updates: state.updates + 1)
    return update
  }

  // MARK: - the end of an epoch

  private var lastValidationSeconds = 0.0

  /// Validates, records the metrics, and saves.
  ///
  /// - Returns: false if a signal arrived before that.
  private func endEpoch() throws -> Bool {
    let epoch = state.epoch + 1
    let isLast = epoch == configuration.epochs
    guard let seen = state.running[lossKey] else {
      // Do not save: an epoch without images does not count.
      throw Failure(.data, unreadable(data.trainingName, data.trainingCount).message + remains)
    }
    var row: [String: Double] = [:]
    let seconds = state.running["seconds"]?.sum ?? 0
    let rates = schedule.rates(epoch: epoch, iteration: iterationsPerEpoch - 1)
    for column in Task.learningRates { row[column.name] = rates[column.group] }
    for metric in Task.metrics where !metric.isValidation {
      row[metric.name] = state.running[Self.key(metric.name)]?.value
    }
    if seconds > 0 { row["images_per_second"] = seen.weight / seconds }
    var isBest = false
    let isValidated = isLast || epoch % configuration.validateEvery == 0
    if isValidated {
      guard let found = try keepingSteps({ try evaluate() }) else { return false }
      evaluation = found
      let feedback = task.feedback(found, configuration)
      state.feedback = feedback.isEmpty ? nil : feedback
      row.merge(task.values(found)) { $1 }
      isBest = row[Task.bestMetric].map { state.noteValidation($0, epoch: epoch) } ?? false
    }
    row["seconds"] = seconds + (isValidated ? lastValidationSeconds : 0)
    state.history.append(epoch: epoch, row)
    state.epoch = epoch
    state.iteration = 0
    state.running = [:]
    // Write `last` after everything that a resumed run would not write again. A run killed in between repeats the epoch and
    // writes the same values, and TensorBoard uses the later ones.
    try writing { try events.write(row, step: epoch) }
    var kinds: [RunFolder.Kind] = isBest ? [.best] : []
    if configuration.saveEvery > 0, epoch % configuration.saveEvery == 0 { kinds.append(.epoch(epoch)) }
    try save(to: kinds + [.last])
    try writing { try results.append(state.history) }
    // Exclude validation from the training throughput.
    throughput = Throughput(startingAt: (ContinuousClock.now - start).seconds)
    observer?.endEpoch(
      EpochSummary(
        epoch: epoch, epochs: configuration.epochs,
        values: Task.metrics.compactMap { metric in row[metric.name].map { (metric, $0) } },
        imagesPerSecond: row["images_per_second"], seconds: row["seconds"] ?? 0, isBest: isBest))
    return true
  }

  /// Evaluates the validation set with the inference module, using the EMA of the weights if there is one.
  package func evaluate() throws -> Task.Evaluation? {
    let start = ContinuousClock.now
    let array = configuration.average.isOn ? Trainer.Array.average : .values
    let ranges = Dictionary(uniqueKeysWithValues: trainer.network.parameters.map { ($0.name, $0.range) })
    let floats = trainer[array]!
    let file = try modules.graph.file { parameter in
      guard let range = ranges[parameter.name] else { throw Failure(.software, "no parameter \(parameter.name)") }
      return Array(floats[range])
    }
    let validation = Validation(modules.inference, data: data, configuration: configuration)
    let found = try task.evaluate(validation, file, broken: &broken) { done in
      observer?.validating(epoch: state.epoch + 1, of: configuration.epochs, done: done, of: data.validationCount)
      return !StopRequest.hasCome
    }
    if let found, task.count(found) == 0 { throw unreadable(data.validationName, data.validationCount) }
    lastValidationSeconds = (ContinuousClock.now - start).seconds
    times.validation += lastValidationSeconds
    times.waiting += found.map(task.waited) ?? 0
    return found
  }

  private func unreadable(_ name: String, _ count: Int) -> Failure {
    Failure(.data, "\(name): none of its \(count) images can be read")
  }

  /// Prepares a run that resumes from an earlier checkpoint than its last: later `last` and `best` checkpoints are kept
  /// under their epochs' names, and `best` is reset to the part before the checkpoint.
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

  /// Keeps a checkpoint of a later epoch under that epoch's name.
  ///
  /// - Returns: whether the checkpoint is of a later epoch.
  @discardableResult
  private func keepLater(_ path: String) throws -> Bool {
    guard let old = try? TrainingCheckpoint(contentsOf: path), old.state.epoch > state.epoch else { return false }
    var kept = folder.checkpoint(.epoch(old.state.epoch))
    // A checkpoint within the next epoch.
    if old.state.iteration > 0 { kept = kept.replacing(".safetensors", with: "-\(old.state.iteration).safetensors") }
    Messages.note("\(path) is of epoch \(old.state.epoch), which will be repeated: kept as \(kept)")
    if !FileManager.default.fileExists(atPath: kept) { try Files.writing { try old.write(to: kept) } }
    return true
  }

  // MARK: - saving

  /// Runs code that may fail for external reasons, and saves a checkpoint if it does.
  private func keepingSteps<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      var failure = Failure(error)
      do {
        try save(to: [.last])
        failure.message += remains
      } catch let unsaved {
        // The first error is the cause and determines the exit code.
        failure.message += "\n  The steps since the last checkpoint could not be saved: \(unsaved)"
      }
      throw failure
    }
  }

  private func save(to kinds: [RunFolder.Kind]) throws {
    guard trainer.isFinite(state) else { throw diverged("a weight is not finite", rate: nil) }
    var checkpoint = trainer.checkpoint(state)
    checkpoint.classNames = data.classNames
    checkpoint.classes = modules.graph.classes
    checkpoint.facts = RunFacts(modules: modules, data: data).facts
    for kind in kinds { try writing { try checkpoint.write(to: folder.checkpoint(kind)) } }
    lastCheckpoint = folder.checkpoint(.last)
    if broken.count > 0 { try writing { try broken.write(to: folder.broken) } }
  }

  /// Runs code that writes files; its errors name the last checkpoint.
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

  /// Names the last checkpoint if it still exists.
  private var remains: String {
    guard let lastCheckpoint, FileManager.default.fileExists(atPath: lastCheckpoint) else { return "" }
    return "\n  The last checkpoint is intact: \(lastCheckpoint)"
  }
}
