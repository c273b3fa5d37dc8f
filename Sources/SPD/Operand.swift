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

extension Segment {
  /// Rows ≡ r and columns ≡ q modulo `scale` of this view; nil if that is no affine view.
  func phase(row r: Int, column q: Int, scale: Int) -> Segment? {
    var view = self
    // y ↦ step·⌊(scale·y + r)/f⌋ + phase is affine again if one of scale and f divides the other.
    if scale % upsampling == 0 {
      view.step = step * (scale / upsampling)
      view.rowPhase = rowPhase + step * (r / upsampling)
      view.columnPhase = columnPhase + step * (q / upsampling)
      view.upsampling = 1
    } else if upsampling % scale == 0 {
      view.upsampling = upsampling / scale
    } else {
      return nil
    }
    return view
  }
}

extension Operand {
  public var channels: Int { segments.reduce(0) { $0 + $1.channels } }

  /// Seen through a space-to-depth; nil if no list of segments can express it.
  public func throughSpaceToDepth(_ op: Op.SpaceToDepth) -> Operand? {
    guard segments.count * op.phases.count <= GraphLimits.segments else { return nil }
    var result: [Segment] = []
    for phase in op.phases {
      let target = op.outputChannels(rowPhase: phase.row, columnPhase: phase.column, of: channels)
      for segment in segments {
        guard var view = segment.phase(row: phase.row, column: phase.column, scale: op.scale) else { return nil }
        view.target = target.first + segment.target * target.stride
        view.targetStride = segment.targetStride * target.stride
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
    if first == 0, count == channels { return self }
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
      offset += operand.channels
    }
    return Operand(segments: result)
  }

  /// The same tensor with every view of `node` replaced by a view of what `node` itself is a view of; nil if some view
  /// of a view cannot be expressed.
  public func replacing(_ node: Node.ID, by source: Operand) -> Operand? {
    var result: [Segment] = []
    for segment in segments {
      guard segment.node == node else {
        result.append(segment)
        continue
      }
      guard let inner = source.slice(first: segment.first, count: segment.channels),
        segments.count == 1 || result.count + inner.segments.count <= GraphLimits.segments
      else { return nil }
      for part in inner.segments {
        guard
          var view = part.phase(row: segment.rowPhase, column: segment.columnPhase, scale: segment.step)
        else { return nil }
        view.upsampling *= segment.upsampling
        view.target = segment.target + part.target * segment.targetStride
        view.targetStride = part.targetStride * segment.targetStride
        result.append(view)
      }
    }
    return Operand(segments: result)
  }
}
