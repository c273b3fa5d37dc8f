/// What a node reads: a tensor given as a list of affine views of other nodes' results.
///
/// A model file only makes operands of a single whole result. The passes that elide space-to-depth, concat, upsample and
/// slice replace them by longer lists; the tensor that the reader sees stays the same.
public struct Operand: Codable, Hashable, Sendable {
  public var segments: [Segment]

  public init(segments: [Segment]) { self.segments = segments }

  /// The whole result of a node with `channels` channels.
  public init(_ node: Node) {
    segments = [Segment(node: node.id, channels: node.shape.channels)]
  }

  /// The node whose whole result this is, or nil if it is any other view.
  public func wholeNode(in graph: Graph) -> Node.ID? {
    guard segments.count == 1, let only = segments.first else { return nil }
    return only == Segment(node: only.node, channels: graph[only.node].shape.channels) ? only.node : nil
  }
}

/// An affine view of one node's result.
///
/// Channel c, row y, column x of the segment is channel `first + c`, row `step·⌊y/upsampling⌋ + rowPhase`, column
/// `step·⌊x/upsampling⌋ + columnPhase` of the node's result. In the tensor that the reader sees it is channel
/// `target + c·targetStride`.
public struct Segment: Codable, Hashable, Sendable {
  public var node: Node.ID
  public var first = 0
  public var channels: Int
  public var step = 1
  public var rowPhase = 0
  public var columnPhase = 0
  public var upsampling = 1
  public var target = 0
  public var targetStride = 1

  public init(node: Node.ID, channels: Int) {
    self.node = node
    self.channels = channels
  }

  /// Height and width of the view of a result of the given size.
  func size(of source: Size2D) -> Size2D {
    Size2D(source.height / step * upsampling, source.width / step * upsampling)
  }

  /// True if neither rows nor columns are reindexed and channels keep their order.
  public var isPlain: Bool { step == 1 && upsampling == 1 && targetStride == 1 }
}

extension Operand {
  /// Seen through a space-to-depth; nil if no segment can express it.
  public func throughSpaceToDepth(_ op: Op.SpaceToDepth) -> Operand? {
    let channels = segments.reduce(0) { $0 + $1.channels }
    var result: [Segment] = []
    for phase in op.phases {
      let target = op.outputChannels(rowPhase: phase.row, columnPhase: phase.column, of: channels)
      for segment in segments {
        var view = segment
        view.target = target.first + segment.target * target.stride
        view.targetStride = segment.targetStride * target.stride
        // y ↦ step·⌊(scale·y + r)/f⌋ + phase: exact if one of scale and f divides the other.
        if op.scale % segment.upsampling == 0 {
          view.step = segment.step * (op.scale / segment.upsampling)
          view.rowPhase = segment.rowPhase + segment.step * (phase.row / segment.upsampling)
          view.columnPhase = segment.columnPhase + segment.step * (phase.column / segment.upsampling)
          view.upsampling = 1
        } else if segment.upsampling % op.scale == 0 {
          view.upsampling = segment.upsampling / op.scale
        } else {
          return nil
        }
        result.append(view)
      }
    }
    return Operand(segments: result)
  }

  /// Seen through a nearest-neighbour upsampling.
  public func upsampled(by factor: Int) -> Operand {
    Operand(
      segments: segments.map {
        var view = $0
        view.upsampling *= factor
        return view
      })
  }

  /// Channels `first ..< first + count`; nil if the channels of a segment are interleaved with others.
  public func slice(first: Int, count: Int) -> Operand? {
    var result: [Segment] = []
    for segment in segments {
      guard segment.targetStride == 1 else { return nil }
      let low = max(first, segment.target)
      let high = min(first + count, segment.target + segment.channels)
      guard low < high else { continue }
      var view = segment
      view.first += low - segment.target
      view.channels = high - low
      view.target = low - first
      result.append(view)
    }
    return Operand(segments: result)
  }

  /// Several tensors joined along channels.
  public static func concat(_ operands: [Operand]) -> Operand {
    var result: [Segment] = []
    var offset = 0
    for operand in operands {
      for segment in operand.segments {
        var view = segment
        view.target += offset
        result.append(view)
      }
      offset += operand.segments.reduce(0) { $0 + $1.channels }
    }
    return Operand(segments: result)
  }
}
