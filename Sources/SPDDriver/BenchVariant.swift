import SPDCompiler
import SPDRuntime

/// A network as compiled in one way, ready to be timed.
package final class BenchVariant {
  package let name: String
  package let plan: Plan
  package var times = Times()
  package private(set) var session: Session
  private let parameters: ParameterFile
  private var output: [Float]
  private var spacer: AlignedBuffer?

  package init(_ name: String, _ plan: Plan, _ network: Network, _ parameters: ParameterFile, threads: Int) throws {
    self.name = name
    self.plan = plan
    self.parameters = parameters
    session = try network.session(try network.pack(parameters), threads: threads)
    output = Array(repeating: 0, count: network.outputCount)
  }

  /// Moves to new places in memory: where weights and arena happen to lie makes some percent of difference, which would
  /// pass for the variant's own as long as they stay.
  package func settle(_ input: [Float]) throws {
    let network = session.network
    spacer = try AlignedBuffer(byteCount: 64 * .random(in: 1...4096))
    session = try network.session(try network.pack(parameters), threads: session.threads)
    // The first run in new memory pays for its pages.
    _ = try time(input)
  }

  /// Milliseconds of one run, of all steps or of some.
  package func time(_ input: [Float], steps: Range<Int>? = nil) throws -> Double {
    try input.withUnsafeBufferPointer { input in
      try output.withUnsafeMutableBufferPointer { output in
        let start = ContinuousClock.now
        try session.infer(input, into: output, steps: steps)
        return (ContinuousClock.now - start).milliseconds
      }
    }
  }
}
