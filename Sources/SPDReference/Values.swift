import SPD
import SPDCompiler

/// The result of a node: numbers in NCHW order.
///
/// They are held as `Double`; an interpreter of single precision has rounded each of them to `Float`.
public struct Values: Equatable, Sendable {
  /// Batch, channels, height and width.
  public let shape: Shape
  /// Row-major, in the order of the shape.
  public var elements: [Double]

  /// - Parameter elements: as many as the shape has.
  public init(_ shape: Shape, _ elements: [Double]) {
    precondition(elements.count == shape.count, "\(elements.count) values for \(shape.batch)×\(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// Makes a tensor of zeros.
  public init(zeros shape: Shape) { self.init(shape, [Double](repeating: 0, count: shape.count)) }

  /// Computes each element from its image, channel, row and column.
  public init(_ shape: Shape, _ element: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Double) {
    self.init(zeros: shape)
    for n in 0..<shape.batch {
      for c in 0..<shape.channels {
        for y in 0..<shape.height {
          for x in 0..<shape.width { self[n, c, y, x] = element(n, c, y, x) }
        }
      }
    }
  }

  /// The element of image n, channel c, row y, column x.
  public subscript(n: Int, c: Int, y: Int, x: Int) -> Double {
    get { elements[index(n, c, y, x)] }
    set { elements[index(n, c, y, x)] = newValue }
  }

  /// The elements rounded to single precision.
  public var floats: [Float] { elements.map { Float($0) } }

  /// Index of an element in `elements`.
  func index(_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Int {
    ((n * shape.channels + c) * shape.height + y) * shape.width + x
  }

  func map(_ function: (Double) -> Double) -> Values { Values(shape, elements.map(function)) }
}

extension Interpreter {
  /// Gathers the tensor that an operand shows its reader.
  ///
  /// - Parameter channels: of that tensor, if the operand covers only some of them; the others are zero.
  func read(_ operand: Operand, channels: Int? = nil, from values: [Node.ID: Values]) -> Values {
    if channels == nil, let whole = operand.wholeNode(in: graph) { return values[whole]! }
    var shape = graph.shape(of: operand)
    shape.channels = channels ?? shape.channels
    var result = Values(zeros: shape)
    for segment in operand.segments {
      let source = values[segment.node]!
      for n in 0..<result.shape.batch {
        for c in 0..<segment.channels {
          for y in 0..<result.shape.height {
            for x in 0..<result.shape.width {
              let row = segment.step * (y / segment.upsampling) + segment.rowPhase
              let column = segment.step * (x / segment.upsampling) + segment.columnPhase
              result[n, segment.target + c * segment.targetStride, y, x] = source[n, segment.first + c, row, column]
            }
          }
        }
      }
    }
    return result
  }
}

extension Op {
  /// The channel count of the tensor of which input `index` covers only a part; nil if it covers all.
  func inputChannels(_ index: Int) -> Int? {
    if index == 0, case .convolution(let op) = self { op.totalInputChannels } else { nil }
  }
}
