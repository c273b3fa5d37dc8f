import Benchmark
import Foundation
import Models
import SPD

/// Registers the six SPD networks, and each of their space-to-depths as a network of its own, fused and unfused.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock], timeUnits: .microseconds, warmupIterations: 3, maxDuration: .seconds(2))
  for model in shippedModels {
    guard let graph = try? model.graph() else { fatalError("\(model.name) does not trace") }
    let sites = graph.spaceToDepthSites
    guard !sites.isEmpty else { continue }
    register(model.name) { try Pair(graph) }
    for site in sites {
      register("\(model.name)/\(graph[site.id].layer)") { try Pair(graph.network(around: site), withStores: false) }
    }
  }
}

/// Registers a benchmark. Each runs in its own process, so `pair` is only called for those that were asked for.
private func register(_ name: String, _ pair: @escaping () throws -> Pair) {
  for kind in Pair.Kind.allCases {
    Benchmark("\(name) \(kind)") { (_, runner: Runner) in
      try runner.run()
    } setup: {
      do {
        let pair = try pair()
        try pair.check()
        return pair.runner(kind)
      } catch {
        // If it were thrown, the command would report it and exit successfully.
        FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        exit(1)
      }
    }
  }
}
