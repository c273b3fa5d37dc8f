import SPD

/// The gradient of a weight whose convolution reads the caller's image, through a space-to-depth of `scale`, in chunks of images.
struct WeightGradientImageKernel: WeightGradientModule {
  var scale: Int
  var chunks: Int
  let template = "weight_gradient_image"

  static func choice(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> Kernel? {
    let source = node[.input].segments[0]
    guard ViewRules.readsImage(node[.input], in: choose.graph) else { return nil }
    let chunks = min(choose.graph.shape(of: node[.gradient]).batch, max(1, WeightGradientTile.units / op.outputBlocks))
    return .weightGradientImage(scale: source.step, chunks: chunks)
  }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let taps = op.kernel.area * scale * scale * context.graph.input.shape.channels
    return KernelNeeds(shared: op.outputBlocks * chunks * (taps + 1) * channelBlock)
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let gradient = node[.gradient].segments[0]
    let shape = c.graph.shape(of: node[.gradient])
    let image = c.graph.input.shape
    // Through a space-to-depth of scale s, a kernel k with stride t and padding p is one of s·k, s·t and s·p.
    let kernel = Size2D(op.kernel.height * scale, op.kernel.width * scale)
    var places: [Int] = []
    for row in 0..<kernel.height {
      for column in 0..<kernel.width {
        let phase = node[.input].segments.first {
          $0.rowPhase == row % scale && $0.columnPhase == column % scale
        }!
        for channel in 0..<image.channels {
          let input = phase.target + channel * phase.targetStride
          places.append((input * op.kernel.height + row / scale) * op.kernel.width + column / scale)
        }
      }
    }
    let holes: [String: String] =
      [
        "IMAGES": "\(shape.batch)", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)",
        "OUT_BLOCKS": "\(op.outputBlocks)", "OUTPUTS": "\(op.outputs)",
        "CHANNELS": "\(image.channels)", "IN_ROWS": "\(image.height)", "IN_COLS": "\(image.width)",
        "KW": "\(kernel.width)", "STRIDE": "\(op.stride.width * scale)",
        "PAD_TOP": "\(op.padding.height * scale)", "PAD_LEFT": "\(op.padding.width * scale)",
        "TAPS": "\(places.count)", "PLACES": places.map(String.init).joined(separator: ", "),
        "CHUNKS": "\(chunks)", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ] + c.strides("G", c.layout(gradient.node))
    return EmitC.Invocation(holes: holes) {
      "\($0)(input, \(c.address(gradient)), \(c.gradient(op.parts[0].weight)), "
        + "\(op.parts[0].bias.map(c.gradient) ?? "NULL"), \(c.workspace(node)), thread, threads);\n"
    }
  }
}
