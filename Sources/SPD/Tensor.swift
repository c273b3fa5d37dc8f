/// A result inside of a network that is being declared: a handle to a node, not data.
public struct Tensor {
  let builder: GraphBuilder
  let id: Node.ID
  /// Batch, channels, height and width.
  public let shape: Shape

  /// Feeds this tensor through layers, one after the other.
  public func through(_ layers: any Layer...) -> Tensor {
    layers.reduce(self) { $1($0) }
  }

  /// Enlarges by nearest neighbour: C×H×W → C×factor·H×factor·W. Counts as a layer.
  public func upsampled(_ factor: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    builder.enter(Site(file, line)) { builder.append(.upsample(factor: factor), [self]) }
  }

  /// Channels `range` of this tensor.
  public func channels(_ range: Range<Int>, file: String = #fileID, line: Int = #line) -> Tensor {
    builder.enter(Site(file, line, name: "slice")) {
      let count = range.upperBound.subtractingReportingOverflow(range.lowerBound)
      return builder.append(.slice(first: range.lowerBound, count: count.overflow ? .max : count.partialValue), [self])
    }
  }

  /// Elementwise sum, as in a residual block.
  public static func + (left: Tensor, right: Tensor) -> Tensor {
    left.builder.append(.add, [left, right])
  }
}

/// Joins tensors of one height and width along channels. Counts as a layer.
public func concat(_ tensors: Tensor..., file: String = #fileID, line: Int = #line) -> Tensor {
  concat(tensors, file: file, line: line)
}

/// Joins tensors of one height and width along channels. Counts as a layer.
public func concat(_ tensors: [Tensor], file: String = #fileID, line: Int = #line) -> Tensor {
  // The message of a precondition is left out of optimised builds.
  if tensors.isEmpty { fatalError("concat of an empty list: give it at least one tensor") }
  let builder = tensors[0].builder
  return builder.enter(Site(file, line)) { builder.append(.concat, tensors) }
}
