import Foundation

/// An ordered queue between the threads that make batches and their consumer. Batches are numbered through all
/// epochs.
package final class BatchQueue<Batch: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let depth: Int
  /// Numbers of the next batch to make, of the next one to hand out, and of the end.
  private var nextToMake: Int
  private var nextToHandOut: Int
  private var end: Int
  private var made: [Int: Result<Batch, DataError>] = [:]
  private var workers: Int
  private var isCancelled = false

  /// - Parameter depth: maximum number of batches that are ready or in the making.
  package init(numbers: Range<Int>, depth: Int, workers: Int) {
    nextToMake = numbers.lowerBound
    nextToHandOut = numbers.lowerBound
    end = numbers.upperBound
    self.depth = depth
    self.workers = workers
  }

  /// The number of the batch that is handed out next.
  package var position: Int { condition.withLock { nextToHandOut } }

  // MARK: For the threads

  /// Starts the threads, which make batches by their numbers. They retain the queue and not its owner, so that an
  /// owner that is released can stop them.
  package func start(making batch: @escaping @Sendable (Int) throws(DataError) -> Batch) {
    for number in 0..<workers {
      let thread = Thread {
        while let number = self.takeNumber() {
          self.put(Result { () throws(DataError) in try batch(number) }, number: number)
        }
        self.workerEnds()
      }
      thread.name = "loader \(number)"
      thread.start()
    }
  }

  /// Returns the number of a batch to make, once there is room for it; nil when there is nothing left to do.
  private func takeNumber() -> Int? {
    condition.withLock {
      while !isCancelled && nextToMake < end && nextToMake >= nextToHandOut + depth { condition.wait() }
      guard !isCancelled, nextToMake < end else { return nil }
      nextToMake += 1
      return nextToMake - 1
    }
  }

  private func put(_ result: Result<Batch, DataError>, number: Int) {
    condition.withLock {
      guard !isCancelled else { return }
      made[number] = result
      // No batch after a failure will be requested.
      if case .failure = result { end = min(end, number + 1) }
      condition.broadcast()
    }
  }

  private func workerEnds() {
    condition.withLock {
      workers -= 1
      condition.broadcast()
    }
  }

  // MARK: For the consumer

  /// Returns the next batch as soon as it is ready; nil at the end and after a cancellation. A failure is permanent:
  /// every later call throws it again.
  package func next() throws(DataError) -> Batch? {
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

  package func cancel() {
    condition.withLock {
      isCancelled = true
      made.removeAll()
      condition.broadcast()
    }
  }

  /// Waits until all threads have finished; only after `cancel`, or at the end.
  package func waitForWorkers() {
    condition.withLock { while workers > 0 { condition.wait() } }
  }
}
