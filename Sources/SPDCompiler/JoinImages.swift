import SPD

extension Plan {
  /// Lets register tiles of small maps span several images, where the rows of one image follow those of the image before.
  ///
  /// A map of 2×2 pixels fills a sixth of the registers, and each image would read all weights anew. A 1×1 convolution does
  /// not care where an image ends, so that the rows of all of them are one tall image, if nothing (a halo) lies between.
  mutating func joinImages() {
    for index in steps.indices {
      guard let node = steps[index].node.map({ graph[$0] }), case .convolution(let op) = node.op,
        let kernel = steps[index].kernel.module as? any ImageJoiningKernel, canJoinImages(of: node, op),
        let joined = kernel.joined(node, op, target: target)
      else { continue }
      steps[index].kernel = joined
    }
  }

  private func canJoinImages(of node: Node, _ op: Op.Convolution) -> Bool {
    let rows = node.shape.height
    guard node.shape.batch > 1, op.kernel == 1, op.padding == 0, op.groups == 1, !op.epilogue.addsAccumulator,
      op.epilogue.stages.phaseNorm == nil || rows % 2 == 0
    else { return false }
    func follow(_ segment: Segment, _ stride: Int = 1) -> Bool {
      let layout = buffer(of: segment.node).layout
      return segment.upsampling == 1 && layout.imageStride == rows * stride * segment.step * layout.rowStride
    }
    let written = node.destinations.map { $0.flatMap(\.segments) } ?? Operand(node).segments
    let summands = node.operand(.summand)?.segments ?? []
    return node[.input].segments.allSatisfy { follow($0, op.stride.height) }
      && (written + summands).allSatisfy { follow($0) }
  }
}
