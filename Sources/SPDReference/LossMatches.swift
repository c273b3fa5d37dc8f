import SPD
import SPDCompiler

extension LossOracle {
  /// A ground-truth object; centre and size are fractions of the image's.
  public struct Target: Equatable, Sendable {
    public var image: Int
    public var label: Int
    public var x: Float
    public var y: Float
    public var width: Float
    public var height: Float

    public init(image: Int, label: Int, _ x: Float, _ y: Float, _ width: Float, _ height: Float) {
      self.image = image
      self.label = label
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }

  /// A target assigned to an anchor in a cell.
  public struct Match: Equatable, Sendable {
    public var target: Int
    public var anchor: Int
    public var row: Int
    public var column: Int
    /// In cells; the centre relative to the cell's corner.
    public var box: Box
  }

  /// Assigns targets to anchors in cells of a level, in the reference's order, duplicates included.
  ///
  /// A target matches an anchor if max(r, 1/r) < limit for both sides' ratios r. It is assigned to its own cell, and to
  /// the cell left of it if the centre is in the left half of its cell and x > 1; likewise above; and right of it if,
  /// counted from the right edge, the same holds; likewise below. Cells are found by moving the centre by half a cell,
  /// truncating and clamping, so that a centre on a border may give its own cell again. Order: own cells, left, above,
  /// right, below; within these by anchor, then by target.
  ///
  /// - Parameter anchors: width and height in cells.
  public static func matches(
    _ targets: [Target], anchors: [(width: Float, height: Float)], rows: Int, columns: Int, limit: Float = 4
  ) -> [Match] {
    func isNear(_ position: Float) -> Bool {
      position > 1 && position.truncatingRemainder(dividingBy: 1) < 0.5
    }
    func cell(_ position: Float, _ move: Float, _ count: Int) -> Int {
      Int(min(max(position + move, 0), Float(count - 1)))
    }
    func fits(_ side: Float, _ anchor: Float) -> Bool { max(side / anchor, 1 / (side / anchor)) < limit }

    var result: [Match] = []
    for (moveX, moveY) in [(0, 0), (-0.5, 0), (0, -0.5), (0.5, 0), (0, 0.5)] as [(Float, Float)] {
      for (number, anchor) in anchors.enumerated() {
        for (index, target) in targets.enumerated() {
          let (x, y) = (target.x * Float(columns), target.y * Float(rows))
          let (width, height) = (target.width * Float(columns), target.height * Float(rows))
          guard fits(width, anchor.width), fits(height, anchor.height) else { continue }
          if moveX != 0 && !isNear(moveX < 0 ? x : Float(columns) - x) { continue }
          if moveY != 0 && !isNear(moveY < 0 ? y : Float(rows) - y) { continue }
          let (row, column) = (cell(y, moveY, rows), cell(x, moveX, columns))
          let box = Box(Double(x) - Double(column), Double(y) - Double(row), Double(width), Double(height))
          result.append(Match(target: index, anchor: number, row: row, column: column, box: box))
        }
      }
    }
    return result
  }
}
