import SPD

/// Softmax and cross-entropy of classes.
struct CrossEntropyKernel: KernelModule {
  let template = "cross_entropy"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    KernelNeeds(shared: LossHoles.crossEntropyScratch(images: context.graph.input.shape.batch))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let (x, gradient) = (node[.input].segments[0], node.destinations![0].segments[0])
    let holes = LossHoles.crossEntropy(logits: c.layout(x.node), gradient: c.layout(gradient.node))
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(x)), batch->labels, batch->label_smoothing, \(c.address(gradient)), losses, "
        + "\(c.workspace(node)), thread, threads);\n"
    }
  }
}

/// A loss that the model file declares as arithmetic on output and target.
struct ComposedLossKernel: KernelModule {
  let template = "composed_loss"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    KernelNeeds(shared: LossHoles.composedScratch(context.graph.shape(of: node[.input])))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.loss(.composed(let loss))) = node.op else { mismatch(node) }
    let (x, gradient) = (node[.input].segments[0], node.destinations![0].segments[0])
    let holes = LossHoles.composed(loss, output: c.layout(x.node), gradient: c.layout(gradient.node))
    return EmitC.Invocation(holes: holes, helpers: ComposedLossText.helpers(of: loss).union(["composed_math"])) {
      "\($0)(\(c.address(x)), batch->targets, batch->labels, batch->label_smoothing, \(c.address(gradient)), losses, "
        + "\(c.workspace(node)), thread, threads);\n"
    }
  }
}

/// YOLOv5's loss of boxes, objectness and classes.
struct YOLOLossKernel: KernelModule {
  let template = "yolo_loss"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.loss(.yolo(let boxes))) = node.op else { mismatch(node) }
    return KernelNeeds(
      shared: LossHoles.yoloScratch(
        node.inputs.map { context.graph.shape(of: $0) }, anchors: boxes.anchorsPerLevel, maxTargets: context.maxTargets)
    )
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.loss(.yolo(let boxes))) = node.op else { mismatch(node) }
    let heads = node.inputs.map { $0.segments[0] }
    let gradients = node.destinations!.map { $0.segments[0] }
    // Autobalance keeps that of stride 16 at 1.
    let reference = boxes.strides.firstIndex(of: 16) ?? boxes.strides.count / 2
    let holes = LossHoles.yolo(
      classes: boxes.classes, anchors: boxes.anchorsPerLevel,
      levels: zip(heads, gradients).map { (logits: c.layout($0.node), gradient: c.layout($1.node)) },
      reference: reference, maxTargets: c.plan.maxTargets)
    let to = gradients.map { c.address($0) }.joined(separator: ", ")
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers(heads.map { c.address($0) })), batch->targets, batch->target_count, "
        + "\(c.value(boxes.anchors)), trainer->balances, batch->rates, (float *const[]){\(to)}, losses, "
        + "\(c.workspace(node)), thread, threads);\n"
    }
  }
}
