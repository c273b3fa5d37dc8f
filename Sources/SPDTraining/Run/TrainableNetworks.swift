import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

/// A network compiled for training, once for each input size. All share parameters, optimiser state, EMA and arena: the state
/// has the same layout for every size.
package struct TrainableNetworks: @unchecked Sendable {
  private let sizes: [(size: Size2D, network: TrainableNetwork)]
  /// The network with the largest arena.
  package let largest: TrainableNetwork
  /// Hash of the generated code and its compiler, which affect rounding.
  package let codeHash: UInt64
  /// Size of the largest input and name of the arena for messages.
  package let arenaTitle: String

  package var maximumInputCount: Int { sizes.reduce(0) { max($0, $1.network.inputCount) } }

  /// The network of an input size.
  package subscript(size: Size2D) -> TrainableNetwork? { sizes.first { $0.size == size }?.network }

  /// Compiles the networks, several of them with progress.
  ///
  /// - Parameters:
  ///   - graph: the network at the size of the data.
  ///   - inspect: receives the compiled step of that size, or else of the first one.
  init(
    _ builder: Builder, _ options: Pipeline.Options, _ model: LoadedModel, _ graph: Graph, sizes: [Size2D],
    _ configuration: TrainingConfiguration, inspect: (Builder.Compiled) -> Void
  ) async throws {
    let own = graph.input.shape.size
    let inspected = sizes.contains(own) ? own : sizes[0]
    var steps: [Builder.Compiled] = []
    var keys: [UInt64] = []
    for size in sizes {
      let sized = try await model.graph(graph, at: size)
      var options = options
      if let megabytes = configuration.maxArena {
        options = try builder.fitting(
          options, sized, arena: Int(megabytes * 1e6), threads: configuration.computeThreads)
      }
      let step = try builder.compile(sized, options: options)
      if size == inspected { inspect(step) }
      keys.append(try await builder.key(step))
      steps.append(step)
    }
    let networks = try await builder.loadAll(steps, "training steps") {
      try await builder.loadTrainable($0, quiet: $1)
    }
    self.sizes = zip(sizes, networks).map { (size: $0, network: $1) }
    codeHash =
      keys.count == 1 ? keys[0] : fnv1a(keys.flatMap { key in withUnsafeBytes(of: key.littleEndian) { Array($0) } })
    let threads = configuration.computeThreads
    let most = self.sizes.max { $0.network.arenaBytes(threads: threads) < $1.network.arenaBytes(threads: threads) }!
    largest = most.network
    arenaTitle = sizes.count == 1 ? "arena" : "arena of \(most.size.height)×\(most.size.width)"
  }
}
