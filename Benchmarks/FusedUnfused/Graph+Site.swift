import SPD

extension Graph {
  /// Extracts a space-to-depth and its surroundings as a network of its own, with the original shapes and parameters.
  ///
  /// Its other inputs are made from an image by 1×1 convolutions, strided where they are smaller than the largest: they
  /// are the same fused and unfused, and take a few thousandths of the site's arithmetic.
  func network(around site: SpaceToDepthSite) -> Graph {
    let inside = site.nodes.map { self[$0] }
    let outside = Set(inside.flatMap(\.inputs).flatMap(\.segments).map(\.node)).subtracting(site.nodes).sorted()
      .map { self[$0] }
    var image = input
    image.shape.height = outside.map(\.shape.height).max() ?? image.shape.height
    image.shape.width = outside.map(\.shape.width).max() ?? image.shape.width

    var weights: [Parameter] = []
    let stems = outside.filter { $0.op != .input }.map { node in
      let weight = Parameter(
        name: "outside.\(node.id).weight", shape: [node.shape.channels, image.shape.channels, 1, 1], role: .weight)
      weights.append(weight)
      var stem = node
      stem.op = .convolution(
        Op.Convolution(
          kernel: 1, stride: Size2D(image.shape.height / node.shape.height, image.shape.width / node.shape.width),
          padding: 0, dilation: 1, groups: 1,
          parts: [Op.Convolution.Part(outputs: node.shape.channels, weight: weight.name, bias: nil)]))
      stem.inputs = [Operand(image)]
      stem.layer = "outside.\(node.id)"
      return stem
    }
    let read = Set(inside.flatMap(\.op.parameterNames))
    let results = inside.filter { node in !readers(of: node.id).contains { site.nodes.contains($0.id) } }
    let layer = String(self[site.id].layer.map { $0 == "." ? "-" : $0 })
    return Graph(
      name: "\(name)-\(layer)", nodes: [image] + stems + inside,
      parameters: weights + parameters.filter { read.contains($0.name) }, outputs: results.map { Operand($0) },
      classes: classes)
  }
}
