import SPDCompiler
import SPDRuntime

/// One compiled variant of a network, ready to be timed.
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

  /// Reallocates weights and arena at new addresses.
  ///
  /// Addresses change run times by some percent; with fixed addresses that effect would be attributed to the variant.
  package func reallocate(_ input: [Float]) throws {
    let network = session.network
    spacer = try AlignedBuffer(byteCount: 64 * .random(in: 1...4096))
    session = try network.session(try network.pack(parameters), threads: session.threads)
    // The first run in new memory takes the page faults.
    _ = try time(input)
  }

  /// Measures one run of all steps or of some, in milliseconds.
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
