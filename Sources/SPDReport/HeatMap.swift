import Foundation
import SPDVision

/// A confusion matrix as a heat map with a row per true class and a column per predicted class, normalised by row.
///
/// Up to `cellLimit` classes are drawn as cells with counts and tooltips; more are drawn as one image.
public struct HeatMap: Sendable {
  public var title: String
  public var matrix: ConfusionMatrix
  /// Names by class index.
  public var names: [String]

  /// Maximum number of classes drawn as cells; more would make the page slow.
  package static let cellLimit = 40

  public init(title: String, matrix: ConfusionMatrix, names: [String]) {
    self.title = title
    self.matrix = matrix
    self.names = names
  }

  /// The chart as an SVG file.
  public func svg() throws -> String { try drawing().document }
  /// The chart as an SVG element for a page with `chartStyleSheet`.
  public func html() throws -> String { try drawing().inline(label: title) }

  private func drawing() throws -> SVG {
    let classes = matrix.classes
    let isImage = classes > Self.cellLimit
    let cell = isImage ? max(1, 640 / classes) : min(44, max(14, 560 / max(1, classes)))
    let side = Double(cell * classes)
    let labelWidth =
      isImage ? 20 : min(130, names.map { ChartStyle.width(of: $0) }.max() ?? 0) + 12
    let (left, top) = (labelWidth + 24, labelWidth + 44)
    var svg = SVG(width: max(left + side + 20, ChartStyle.width(of: title, size: 14) + 40), height: top + side + 16)
    svg.text(title, at: (20, 20), class: "title")
    svg.text("predicted", at: (left + side / 2, 40), anchor: .middle)
    svg.text("true", at: (14, top + side / 2), anchor: .middle, angle: -90)
    let shares = shares
    if isImage {
      svg.image(
        png: Data(try image(shares).png()).base64EncodedString(), x: left, y: top, width: side, height: side)
      return svg
    }
    for truth in 0..<classes {
      let middle = (Double(truth) + 0.5) * Double(cell)
      let name = ChartStyle.fitting(name(truth), width: labelWidth - 8)
      svg.text(name, at: (left - 6, top + middle + 4), anchor: .end)
      svg.text(name, at: (left + middle + 4, top - 6), angle: -90)
      for prediction in 0..<classes { draw(truth, prediction, shares, Double(cell), (left, top), &svg) }
    }
    return svg
  }

  private func draw(
    _ truth: Int, _ prediction: Int, _ shares: [Double], _ cell: Double, _ corner: (Double, Double), _ svg: inout SVG
  ) {
    let count = matrix[truth, prediction]
    let share = shares[truth * matrix.classes + prediction]
    let (x, y) = (corner.0 + Double(prediction) * cell, corner.1 + Double(truth) * cell)
    // Errors have the second colour, and even a single one is visible.
    svg.rectangle(
      x: x, y: y, width: cell - 1, height: cell - 1, class: truth == prediction ? "f0" : "f1",
      opacity: count == 0 ? 0.04 : 0.12 + 0.88 * share,
      title: "\(name(truth)) predicted as \(name(prediction)): \(count) (\(String(format: "%.1f", share * 100)) %)")
    guard count > 0, cell >= 22 else { return }
    let shade = share > 0.5 ? "inverse" : "value"
    svg.text("\(count)", at: (x + cell / 2 - 0.5, y + cell / 2 + 4), class: "\(shade) small", anchor: .middle)
  }

  /// Draws one pixel per cell.
  private func image(_ shares: [Double]) -> Image {
    var image = Image(width: matrix.classes, height: matrix.classes, filledWith: RGB(0, 0, 0))
    for (cell, share) in shares.enumerated() {
      // The square root makes rare errors visible beside a strong diagonal.
      let value = share.squareRoot()
      image.pixels[cell * 3] = UInt8(20 + 225 * value)
      image.pixels[cell * 3 + 1] = UInt8(24 + 190 * value * value)
      image.pixels[cell * 3 + 2] = UInt8(60 + 40 * value)
    }
    return image
  }

  /// Returns each cell's fraction of its row.
  private var shares: [Double] {
    (0..<matrix.classes).flatMap { truth in
      let support = max(1, matrix.support(truth))
      return (0..<matrix.classes).map { Double(matrix[truth, $0]) / Double(support) }
    }
  }

  private func name(_ index: Int) -> String { index < names.count ? names[index] : "class \(index)" }
}
