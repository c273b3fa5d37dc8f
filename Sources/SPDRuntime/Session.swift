import CSPDModule

/// One user of a network: an arena and a number of threads. Not to be used by two threads at the same time.
public final class Session {
  public let network: Network
  public let threads: Int
  private let weights: PackedWeights
  private let arena: AlignedBuffer

  init(network: Network, weights: PackedWeights, threads: Int) throws {
    try network.interface.check(threads: threads)
    self.network = network
    self.weights = weights
    self.threads = threads
    arena = try AlignedBuffer(byteCount: network.arenaBytes(threads: threads))
  }

  /// Runs the network once.
  ///
  /// - Parameter input: `network.inputShape`, row-major.
  /// - Returns: the results of `network.outputShapes`, concatenated; see `network.outputRanges`.
  public func infer(_ input: [Float]) throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: network.outputCount) { output, count in
      try input.withUnsafeBufferPointer { try infer($0, into: output) }
      count = network.outputCount
    }
  }

  /// Runs a network with several results.
  ///
  /// - Parameter input: `network.inputShape`, row-major.
  /// - Returns: each result, in the order of `network.outputShapes`.
  public func inferEach(_ input: [Float]) throws -> [[Float]] {
    let output = try infer(input)
    return network.outputRanges.map { Array(output[$0]) }
  }

  /// Runs without copies; `steps` limits the run to some steps.
  public func infer(
    _ input: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>, steps: Range<Int>? = nil
  ) throws {
    guard input.count == network.inputCount else {
      throw RuntimeError.inputCount(
        network: network.name, expected: network.inputCount, shape: network.inputShape, got: input.count)
    }
    guard output.count >= network.outputCount else {
      throw RuntimeError.outputCount(network: network.name, expected: network.outputCount, got: output.count)
    }
    let steps = steps ?? 0..<network.stepCount
    try network.interface.check(
      network.module.infer(
        weights.buffer.base, arena.base, arena.byteCount, Int32(threads), input.baseAddress, output.baseAddress,
        Int32(steps.lowerBound), Int32(steps.upperBound)))
  }

  /// The arena as floats, to inspect intermediate results of a run that was planned without reuse.
  public var arenaFloats: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(
      start: arena.base.assumingMemoryBound(to: Float.self), count: arena.byteCount / MemoryLayout<Float>.size)
  }
}
