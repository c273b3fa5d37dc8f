import SPD

/// Puts the loss after what the network returns, in place of what only inference needs: boxes are not decoded, and
/// cross-entropy has the softmax in it.
///
///     %1 = conv2d(%0) k=1 128→10
///     return %1
/// becomes
///     %1 = conv2d(%0) k=1 128→10
///     %2 = cross_entropy(%1)
///     return %1
///
/// The loss that the model file composes is put after what it returns, as that is.
extension Pass {
  static let attachLoss = Pass("attach-loss", .lowering, modes: [.training]) { graph, remarks in
    guard graph.outputs.count == 1, let last = graph.outputs[0].wholeNode(in: graph).map({ graph[$0] }) else {
      throw GraphError("training needs a network with one result; \(graph.name) has \(graph.outputs.count)")
    }
    var heads = graph.outputs
    var loss = Op.Loss.crossEntropy
    if let composed = graph.loss {
      loss = .composed(composed)
      remarks.append(Remark("attach-loss", last, fired: true, "the model's own, over \(last.shape)"))
    } else if case .decodeBoxes(let op) = last.op {
      heads = last.inputs.map { operand in
        guard let head = operand.wholeNode(in: graph).map({ graph[$0] }), case .activation(.sigmoid) = head.op else {
          return operand
        }
        return head[.input]
      }
      guard op.strides.count <= YOLOBalances.maxLevels else {
        throw GraphError(
          "\(last.source): the YOLOv5 loss has balances for \(YOLOBalances.maxLevels) levels at most, but \(last.layer) "
            + "has \(op.strides.count): leave levels out of Detect, or declare the Model with a `loss`")
      }
      loss = .yolo(op)
      remarks.append(Remark("attach-loss", last, fired: true, "YOLOv5's loss on the \(heads.count) raw levels"))
    } else {
      if case .softmax = last.op { heads = last.inputs }
      let shape = graph.shape(of: heads[0])
      guard shape.height == 1, shape.width == 1 else {
        throw GraphError(
          "\(last.source): training needs a vector of classes or boxes, but \(last.layer) gives \(shape): end the network "
            + "with GlobalAveragePool(), Flatten(), Linear(classes), or with Detect, or declare the Model with a `loss`"
        )
      }
      remarks.append(Remark("attach-loss", last, fired: true, "cross-entropy over \(shape.channels) classes"))
    }
    try refuseWhatDoesNotTrain(graph)
    graph.outputs = heads
    graph.nodes.append(
      Node(
        id: graph.nextID, op: .training(.loss(loss)), inputs: heads,
        shape: Shape(batch: 1, channels: 4, height: 1, width: 1), layer: "loss", source: last.source))
    graph.nodes[graph.nodes.count - 1].destinations = []
  }
}

/// What only shows in training, as long as the layers are still those of the model file.
private func refuseWhatDoesNotTrain(_ graph: Graph) throws {
  var readers: [String: Node] = [:]
  for node in graph.nodes {
    for name in node.op.parameterNames where graph.parameter(name)?.role.isTrainable == true {
      if let other = readers.updateValue(node, forKey: name) {
        throw GraphError(
          "\(node.source): spdc does not train shared parameters: \(name) is read by the layers \(other.layer) and "
            + "\(node.layer); give each its own")
      }
    }
    guard case .batchNorm = node.op else { continue }
    let shape = graph.shape(of: node[.input])
    guard shape.batch * shape.size.area > 1 else {
      throw GraphError(
        "\(node.source): the layer \(node.layer) normalises \(shape) of one image: one value for each channel has no "
          + "variance to train with: take a larger --batch or --size")
    }
  }
}
