import SPD

/// The graph of a network of one result, as a model file declares it.
package func traced(
  _ channels: Int, _ height: Int, _ width: Int, batch: Int = 1, _ body: @escaping @Sendable (Tensor) -> Tensor
) throws -> Graph {
  try Model("small", input: .image(channels, height, width)) { image, _ in body(image) }.graph(batch: batch)
}

/// The graph of a network with several results.
package func traced(
  _ channels: Int, _ height: Int, _ width: Int, batch: Int = 1, _ body: @escaping @Sendable (Tensor) -> [Tensor]
) throws -> Graph {
  try Model("small", input: .image(channels, height, width)) { image, _ in body(image) }.graph(batch: batch)
}

extension Graph {
  /// `text` with single spaces before the shapes, for literals in tests.
  package var brief: String {
    text.split(separator: "\n")
      .map { $0.split(separator: "  ").map { $0.drop { $0 == " " } }.joined(separator: "  ") + "\n" }.joined()
  }
}
