import SPD

// The constants that describe a convolution: what it reads, what it writes, how it is cut.
extension EmitC {
  /// A name for what belongs to a node: `T007`.
  func name(_ letter: String, _ node: Node.ID) -> String {
    let number = String(node)
    return letter + String(repeating: "0", count: max(0, 3 - number.count)) + number
  }

  /// A name for each place in memory, with the number of the node it belongs to.
  func memoryMap() -> String {
    var places: [Node.ID: [(name: String, offset: Int)]] = [:]
    var notes: [Node.ID: String] = [:]
    for buffer in plan.buffers {
      let steps = buffer.first == buffer.last ? "step \(buffer.first)" : "steps \(buffer.first) to \(buffer.last)"
      places[buffer.node, default: []].append((name("T", buffer.node), buffer.offset + buffer.layout.origin))
      notes[buffer.node] = " /* \(buffer.layout.shape), \(steps) */"
    }
    for block in plan.packed {
      places[block.node, default: []].append((name("W", block.node), block.offset))
      let node = graph[block.node]
      let kernel = plan.steps.first { $0.node == block.node }?.kernel.module
      if let kernel = kernel as? any ConvolutionKernel, case .convolution(let op) = node.op {
        let biases = block.offset + kernel.weightCount(of: node, op, in: context)
        places[block.node, default: []].append((name("B", block.node), biases))
      }
    }
    for workspace in plan.workspaces {
      guard let node = plan.steps[workspace.step].node else {
        preconditionFailure("shared memory of a step without a node")
      }
      places[node, default: []].append((name("S", node), workspace.offset))
    }
    // Constants of an enumeration are ints.
    let isSmall = max(plan.arenaCount, plan.packedCount) <= Int(Int32.max)
    let lines = places.sorted { $0.key < $1.key }.map { node, places in
      let note = notes[node] ?? ""
      return isSmall
        ? "    \(places.map { "\($0.name) = \($0.offset)" }.joined(separator: ", ")),\(note)\n"
        : places.map { "#define \($0.name) \($0.offset)" }.joined(separator: "\n") + note + "\n"
    }
    let packed = plan.mode == .training ? "in the arena" : "in the packed weights"
    return """
      /* ---- memory ------------------------------------------------------------------------------------------------------- */

      /* Where things lie, in floats, by number of the node: T, the first pixel of its result in the arena, and when it is needed; W and B,
       * its weights and biases \(packed); S, memory of the arena that threads share in its step. */

      """ + (isSmall && !places.isEmpty ? "enum {\n\(lines.joined())};\n" : lines.joined())
  }

  /// Where the first pixel of what a segment shows lies in the arena, `rows` rows and `columns` columns of the reader before it: the
  /// tensor's name, and how far into it.
  func place(of segment: Segment, rowsBefore rows: Int = 0, columnsBefore columns: Int = 0) -> String {
    let layout = layout(segment.node)
    func term(_ count: Int, _ stride: Int) -> String {
      let distance = abs(count) * stride
      let product = abs(count) == 1 || distance > Int(Int32.max) ? "\(distance)" : "\(abs(count)) * \(stride)"
      return count == 0 ? "" : "\(count < 0 ? " - " : " + ")\(product)"
    }
    return name("T", segment.node) + term(segment.first / channelBlock, layout.blockStride)
      + term(segment.rowPhase - rows * segment.step, layout.rowStride)
      + term(segment.columnPhase - columns * segment.step, layout.columnStride)
  }

  /// `{at, image, row, col, block}` of a tensor that is added or that sums start from, or zeros.
  func placeText(_ segment: Segment?) -> String {
    guard let segment else { return "{0}" }
    let layout = layout(segment.node)
    return
      "{\(place(of: segment)), \(layout.imageStride), \(layout.rowStride), \(layout.columnStride), \(layout.blockStride)}"
  }

  /// Segments of a convolution that differ in nothing but their origin.
  struct Source {
    var origins: [String]
    /// All that they share: blocks and steps.
    var steps: [Int]
    /// From pixel to pixel of the output.
    var pixel: Int
    /// The factor of a nearest upsampling, or 1.
    var repeated: Int

    var text: String {
      "{(const ptrdiff_t[]){\(origins.joined(separator: ", "))}, \(origins.count), "
        + steps.map { "\($0)" }.joined(separator: ", ") + ", \(repeated)}"
    }
  }

  /// What a convolution reads, in order.
  func sources(_ node: Node, _ op: Op.Convolution) -> [Source] {
    var sources: [Source] = []
    for segment in node[.input].segments {
      let layout = layout(segment.node)
      let (row, column) = (segment.step * layout.rowStride, segment.step * layout.columnStride)
      let source = Source(
        origins: [place(of: segment, rowsBefore: op.padding.height, columnsBefore: op.padding.width)],
        steps: [
          ChooseTile.ceilDivide(segment.channels, channelBlock) / op.groups, layout.imageStride, row * op.stride.height,
          column * op.stride.width, row * op.dilation.height, column * op.dilation.width, layout.blockStride,
        ], pixel: column * op.stride.width, repeated: segment.upsampling)
      if let last = sources.last, last.steps == source.steps, last.repeated == source.repeated {
        sources[sources.count - 1].origins += source.origins
      } else {
        sources.append(source)
      }
    }
    return sources
  }

  func text(_ sources: [Source]) -> String {
    "(const source[]){" + sources.map(\.text).joined(separator: ",\n                          ") + "}"
  }

  /// A constant with a line for each group of fields.
  func layer(_ type: String, _ node: Node, _ fields: [[(String, String)]]) -> String {
    let lines = fields.filter { !$0.isEmpty }.map { line in
      "    " + line.map { ".\($0) = \($1)" }.joined(separator: ", ")
    }
    return "static const \(type) \(name("C", node.id)) = {\n" + lines.joined(separator: ",\n") + ",\n};\n"
  }
}
