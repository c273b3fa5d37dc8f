import Foundation
import SPDRuntime

/// Threads that copy memory without pause on the processors that a measurement leaves free, as the neighbours on a cloud machine do.
package final class MemoryNeighbour {
  package typealias Copy =
    @convention(c) (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int64, UnsafePointer<Int32>
    ) -> Int64

  package let count: Int
  /// Bytes read and written in all, and for how long.
  private var moved = 0.0
  private var seconds = 0.0
  private let copy: Copy
  private let buffers: [AlignedBuffer]
  private let flag: AlignedBuffer
  private let results: AlignedBuffer
  private let group = DispatchGroup()
  private var begin = ContinuousClock.now

  /// Bytes of each of a thread's two buffers.
  private let bytes: Int

  /// Bytes of all buffers: more than a cache holds, and no more where there are many threads.
  private static let total = 512 << 20

  /// - Throws: `Failure` with the number of threads at which one is free, if no processor is.
  package init(_ limits: MachineLimits, beside threads: Int) throws {
    let processors = try Machine.threadBudget().affinity
    count = processors - threads
    guard count > 0 else {
      throw Failure(
        .usage,
        processors == 1
          ? "--beside needs a second processor, which this machine or its affinity mask does not have"
          : "--beside needs a processor that the network leaves free: add --threads \(processors - 1) or less")
    }
    copy = limits.copy
    let bytes = max(1 << 20, Self.total / (2 * count) / 64 * 64)
    self.bytes = bytes
    buffers = try (0..<2 * count).map { _ in
      let buffer = try AlignedBuffer(byteCount: bytes)
      // Touches each page, so that none is the page of zeros.
      memset(buffer.base, 0x3f, bytes)
      return buffer
    }
    flag = try AlignedBuffer(byteCount: 64)
    results = try AlignedBuffer(byteCount: 64 * count)
  }

  /// Begins, and returns once the threads have had time to get going.
  package func start() {
    let stop = flag.base.assumingMemoryBound(to: Int32.self)
    stop.pointee = 0
    begin = ContinuousClock.now
    for index in 0..<count {
      let (to, from) = (buffers[2 * index].base, buffers[2 * index + 1].base)
      // Each writes its own result; `stop` waits for all of them.
      nonisolated(unsafe) let memory = (
        to: to.assumingMemoryBound(to: Float.self), from: from.assumingMemoryBound(to: Float.self), stop: stop,
        result: results.base.advanced(by: 64 * index).assumingMemoryBound(to: Int64.self), copy: copy, group: group,
        count: Int64(bytes / 4)
      )
      group.enter()
      Thread.detachNewThread {
        memory.result.pointee = memory.copy(memory.to, memory.from, memory.count, memory.stop)
        memory.group.leave()
      }
    }
    Thread.sleep(forTimeInterval: 0.05)
  }

  /// Ends, and waits for the threads.
  package func stop() {
    flag.base.assumingMemoryBound(to: Int32.self).pointee = 1
    group.wait()
    seconds += (ContinuousClock.now - begin).seconds
    for index in 0..<count {
      moved += Double(results.base.advanced(by: 64 * index).assumingMemoryBound(to: Int64.self).pointee)
    }
  }

  /// What they read and wrote beside the network, in GB/s.
  package var gigabytes: Double { seconds > 0 ? moved / seconds / 1e9 : 0 }
}
