import Foundation

/// Maps items on several threads. Results come in the order of the items, and no more than `depth` of them are ready or in
/// the making: a slow consumer holds the threads up.
///
/// While one thread waits for a disk or decodes an image, another computes.
package final class OrderedMap<Item, Output>: @unchecked Sendable {
  package typealias Transform = (Item) throws -> Output

  private let condition = NSCondition()
  private let depth: Int
  /// Held while an item is fetched, so that items are numbered in their order.
  private let source = NSLock()
  private let fetch: () throws -> Item?
  /// Numbers of the next item to fetch and of the next result to hand out.
  private var fetched = 0
  private var handedOut = 0
  /// Whether there are no more items.
  private var isAtEnd = false
  private var isCancelled = false
  private var results: [Int: Result<Output, any Error>] = [:]
  private var workers: Int

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - depth: maximum number of results that are ready or in the making.
  ///   - next: returns the next item, nil at the end; called by one thread at a time. An error takes the place of an item
  ///     and ends the items.
  ///   - transforms: one per thread, called by that thread alone. An error takes the place of a result.
  package init(depth: Int, next: @escaping () throws -> Item?, transforms: [Transform]) {
    self.depth = depth
    fetch = next
    workers = transforms.count
    for (number, transform) in transforms.enumerated() {
      // Transforms need not be safe for several threads, and are given to one only.
      nonisolated(unsafe) let transform = transform
      let thread = Thread { [self] in
        while let (number, item) = take() { put(Result { try transform(item.get()) }, number: number) }
        condition.withLock {
          workers -= 1
          condition.broadcast()
        }
      }
      thread.name = "image \(number)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Fetches an item once there is room for its result; nil when there is nothing left to do.
  private func take() -> (number: Int, item: Result<Item, any Error>)? {
    source.withLock {
      let hasRoom = condition.withLock {
        while !isCancelled && !isAtEnd && fetched >= handedOut + depth { condition.wait() }
        return !isCancelled && !isAtEnd
      }
      guard hasRoom else { return nil }
      let item: Result<Item, any Error>? =
        switch Result(catching: fetch) {
        case .success(let item): item.map(Result.success)
        case .failure(let error): .failure(error)
        }
      return condition.withLock {
        if case .success? = item {} else { isAtEnd = true }
        guard let item else {
          condition.broadcast()
          return nil
        }
        fetched += 1
        return (fetched - 1, item)
      }
    }
  }

  private func put(_ result: Result<Output, any Error>, number: Int) {
    condition.withLock {
      results[number] = result
      condition.broadcast()
    }
  }

  /// Returns the next result as soon as it is ready; nil at the end.
  package func next() throws -> Output? {
    let result: Result<Output, any Error>? = condition.withLock {
      while !isCancelled, results[handedOut] == nil, !(isAtEnd && handedOut == fetched) { condition.wait() }
      guard let result = results.removeValue(forKey: handedOut) else { return nil }
      handedOut += 1
      condition.broadcast()
      return result
    }
    return try result?.get()
  }

  /// Stops the threads and waits for them; each finishes its item.
  package func cancel() {
    condition.withLock {
      isCancelled = true
      condition.broadcast()
      while workers > 0 { condition.wait() }
    }
  }
}
