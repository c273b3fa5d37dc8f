import Models
import SPD

@testable import SPDCompiler

extension Graph {
  /// Behind some passes, in the given order, verified after each.
  func after(_ passes: Pass...) throws -> Graph {
    var graph = self
    for pass in passes { _ = try graph.apply(pass) }
    return graph
  }

  /// Runs one pass and returns what it remarks: `layer: message`, with a `-` in front if it did not fire.
  mutating func apply(_ pass: Pass) throws -> [String] {
    var remarks: [Remark] = []
    try pass.run(&self, &remarks)
    try verify()
    precondition(remarks.allSatisfy { $0.pass == pass.name })
    return remarks.map { ($0.fired ? "" : "- ") + "\($0.layer): \($0.message)" }
  }

  /// What a pass remarks on this graph.
  func remarks(_ pass: Pass) throws -> [String] {
    var copy = self
    return try copy.apply(pass)
  }

  func count(_ matches: (Op) -> Bool) -> Int { nodes.count { matches($0.op) } }
}

extension Pipeline {
  /// The lowered graph of a network.
  static func lowered(
    _ graph: Graph, unfused: Bool = false, disabled: Set<String> = [], mode: Mode = .inference
  ) throws -> Graph {
    var options = Options()
    options.unfused = unfused
    options.disabled = disabled
    options.mode = mode
    return try run(graph, options: options).graph
  }

  /// Names of the passes that may be left out.
  static var optional: [String] { passes.filter { $0.kind == .fusion }.map(\.name) }
}

/// The same choices in every run.
struct Choices {
  private var random: SplitMix64
  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func next(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

  mutating func subset(_ all: [String]) -> Set<String> { Set(all.filter { _ in next(2) == 0 }) }
}
