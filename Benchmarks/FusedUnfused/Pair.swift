import Foundation
import SPD
import SPDRuntime

/// A network compiled with all fusions, and with none.
struct Pair {
  enum Kind: String, CaseIterable { case fused, unfused }

  private let fused: Runner
  private let unfused: Runner

  /// - Parameter withStores: false excludes the time of storing the results in the caller's layout.
  init(_ graph: Graph, withStores: Bool = true) throws {
    let threads = try Settings.threads()
    fused = try Runner(try Module(graph, options: []), threads: threads, withStores: withStores)
    unfused = try Runner(try Module(graph, options: ["--unfused"]), threads: threads, withStores: withStores)
  }

  func runner(_ kind: Kind) -> Runner {
    switch kind {
    case .fused: fused
    case .unfused: unfused
    }
  }

  /// Compares the results: nothing is timed unless they agree.
  func check() throws {
    let (a, b) = (try fused.output(), try unfused.output())
    let worst = zip(a, b).enumerated().max { excess($0.element) < excess($1.element) }
    guard a.count == b.count, let worst, excess(worst.element) <= 0 else {
      throw Failure(
        "\(fused.name): fused and unfused differ: "
          + (worst.map { "value \($0.offset) of \(a.count) is \($0.element.0) fused, \($0.element.1) unfused" }
            ?? "\(a.count) and \(b.count) values"))
    }
  }

  /// How far the difference exceeds the effect of another summation order; infinite for NaN.
  private func excess(_ pair: (Float, Float)) -> Float {
    let excess = abs(pair.0 - pair.1) - (5e-4 + 1e-4 * abs(pair.1))
    return excess.isNaN ? .infinity : excess
  }
}

/// A compiled network with all buffers of a run, allocated beforehand.
final class Runner {
  private let session: Session
  private let input: [Float]
  private var result: [Float]
  private let steps: Range<Int>

  var name: String { session.network.name }

  init(_ module: Module, threads: Int, withStores: Bool) throws {
    let network = try Network(library: module.library, prefix: module.prefix)
    session = try network.session(try network.pack(ParameterFile(mapping: module.parameters)), threads: threads)
    input = (0..<network.inputCount).map { Float(($0 &* 2_654_435_761) & 0xffff) / 65536 }
    result = Array(repeating: 0, count: network.outputCount)
    // Stores are the last steps, one per result.
    steps = 0..<network.stepCount - (withStores ? 0 : network.outputShapes.count)
  }

  func output() throws -> [Float] { try session.infer(input) }

  func run() throws {
    try input.withUnsafeBufferPointer { input in
      try result.withUnsafeMutableBufferPointer { try session.infer(input, into: $0, steps: steps) }
    }
  }
}
