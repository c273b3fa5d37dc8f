import Foundation

/// Batches between the threads that make them and the one that wants them, in order. Batches are numbered through all
/// epochs.
final class BatchQueue: @unchecked Sendable {
  private let condition = NSCondition()
  private let depth: Int
  /// The number of the next batch that no thread has begun, of the next one to hand out, and of the first one that is
  /// not wanted.
  private var nextToMake: Int
  private var nextToHandOut: Int
  private var end: Int
  private var made: [Int: Result<Batch, DataError>] = [:]
  private var workers: Int
  private var isCancelled = false

  /// - Parameter depth: batches that may be made, or in the making, before they are asked for.
  init(numbers: Range<Int>, depth: Int, workers: Int) {
    nextToMake = numbers.lowerBound
    nextToHandOut = numbers.lowerBound
    end = numbers.upperBound
    self.depth = depth
    self.workers = workers
  }

  /// The number of the batch that comes out next.
  var position: Int { condition.withLock { nextToHandOut } }

  // MARK: For the threads

  /// The number of a batch to make, once there is room for it; nil when there is nothing more to do.
  func takeNumber() -> Int? {
    condition.withLock {
      while !isCancelled && nextToMake < end && nextToMake >= nextToHandOut + depth { condition.wait() }
      guard !isCancelled, nextToMake < end else { return nil }
      nextToMake += 1
      return nextToMake - 1
    }
  }

  func put(_ result: Result<Batch, DataError>, number: Int) {
    condition.withLock {
      guard !isCancelled else { return }
      made[number] = result
      // Nothing after a failure will be asked for.
      if case .failure = result { end = min(end, number + 1) }
      condition.broadcast()
    }
  }

  func workerEnds() {
    condition.withLock {
      workers -= 1
      condition.broadcast()
    }
  }

  // MARK: For the consumer

  /// The next batch, as soon as it is made; nil at the end and after a cancellation. A failure stays: every later call
  /// gets it again.
  func next() throws(DataError) -> Batch? {
    let result: Result<Batch, DataError>? = condition.withLock {
      while !isCancelled && nextToHandOut < end && made[nextToHandOut] == nil { condition.wait() }
      guard !isCancelled, nextToHandOut < end, let result = made[nextToHandOut] else { return nil }
      if case .success = result {
        made[nextToHandOut] = nil
        nextToHandOut += 1
        condition.broadcast()
      }
      return result
    }
    return try result?.get()
  }

  func cancel() {
    condition.withLock {
      isCancelled = true
      made.removeAll()
      condition.broadcast()
    }
  }

  /// Waits until no thread works any more; only after `cancel`, or at the end.
  func waitForWorkers() {
    condition.withLock { while workers > 0 { condition.wait() } }
  }
}
