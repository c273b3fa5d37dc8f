import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

/// A network compiled for inference, once for each input size. All share their parameters.
public struct InferenceNetworks: @unchecked Sendable {
  package struct Sized {
    package var network: Network
    package var graph: Graph

    package init(network: Network, graph: Graph) {
      self.network = network
      self.graph = graph
    }
  }
  /// At least one.
  package var sizes: [Sized]

  package init(_ sizes: [Sized]) {
    precondition(!sizes.isEmpty, "a network has an input size")
    self.sizes = sizes
  }

  /// Compiles the networks, several of them with progress.
  ///
  /// - Parameter graph: the network at one of the sizes or another one; gives batch and number of classes.
  package init(
    _ builder: Builder, _ options: Pipeline.Options, _ model: LoadedModel, _ graph: Graph, sizes: [Size2D]
  ) async throws {
    var graphs: [Graph] = []
    for size in sizes { graphs.append(try await model.graph(graph, at: size)) }
    let compiled = try graphs.map { try builder.compile($0, options: options) }
    let networks = try await builder.loadAll(compiled, "inference") { try await builder.load($0, quiet: $1) }
    self.init(zip(networks, graphs).map { Sized(network: $0, graph: $1) })
  }

  /// The network of an input size.
  package subscript(size: Size2D) -> Sized? { sizes.first { $0.graph.input.shape.size == size } }
  package var first: Sized { sizes[0] }
}

extension LoadedModel {
  /// Returns a graph of this model at another input size, with its batch and number of classes.
  func graph(_ graph: Graph, at size: Size2D) async throws -> Graph {
    let shape = graph.input.shape
    return size == shape.size ? graph : try await self.graph(size: size, batch: shape.batch, classes: graph.classes)
  }
}
