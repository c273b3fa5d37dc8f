import Foundation
import SPD
import SPDCompiler
import SPDReference
import SPDRuntime

/// YOLOv5's loss of decoded rows, for validation; training computes it in C from raw levels.
///
/// The terms are those of the training loss, times their gains: see `LossOracle.YOLO`.
struct DetectionLoss {
  struct Terms: Sendable {
    var box = 0.0, objectness = 0.0, classes = 0.0
  }

  let classes: Int
  let strides: [Int]
  /// Widths and heights by level in cells.
  let anchors: [[(width: Float, height: Float)]]
  let rates: DetectionRates

  /// - Parameters:
  ///   - graph: ends in Detect.
  ///   - anchors: values of Detect's parameter of anchors: levels × anchors × 2, in cells.
  init?(_ graph: Graph, anchors values: [Float], rates: DetectionRates) {
    guard let boxes = graph.boxes, values.count == boxes.strides.count * boxes.anchorsPerLevel * 2 else { return nil }
    classes = boxes.classes
    strides = boxes.strides
    anchors = boxes.strides.indices.map { level in
      (0..<boxes.anchorsPerLevel).map { anchor in
        let first = 2 * (level * boxes.anchorsPerLevel + anchor)
        return (values[first], values[first + 1])
      }
    }
    self.rates = rates
  }

  /// Computes the terms of a mini-batch.
  ///
  /// - Parameters:
  ///   - rows: decoded rows of each image: centre x, centre y, width, height in pixels, objectness, class probabilities, by
  ///     level, anchor, row and column.
  ///   - targets: six values per object: image, class, and centre, width and height as fractions of the input.
  ///   - images: number of images of the mini-batch that count, the first ones.
  func callAsFunction(
    _ rows: UnsafeBufferPointer<Float>, _ targets: [Float], images: Int, batch: Int, height: Int, width: Int
  ) -> Terms {
    var terms = Terms()
    let objects = stride(from: 0, to: targets.count, by: 6).map { first in
      LossOracle.Target(
        image: Int(targets[first]), label: Int(targets[first + 1]), targets[first + 2], targets[first + 3],
        targets[first + 4], targets[first + 5])
    }
    let length = 5 + classes
    let perImage = rows.count / batch / length
    let balances = YOLOBalances.initial(levels: strides.count)
    var levelStart = 0
    for (level, stride) in strides.enumerated() {
      let (cellRows, cellColumns) = (height / stride, width / stride)
      let area = cellRows * cellColumns
      let matches = LossOracle.matches(
        objects, anchors: anchors[level], rows: cellRows, columns: cellColumns, limit: Float(rates.anchorLimit))
      func row(_ image: Int, _ anchor: Int, _ cell: Int) -> Int {
        (image * perImage + levelStart + anchor * area + cell) * length
      }
      var wanted = [Float](repeating: 0, count: images * anchors[level].count * area)
      for match in matches {
        let object = objects[match.target]
        let cell = match.row * cellColumns + match.column
        let first = row(object.image, match.anchor, cell)
        let scale = 1 / Double(stride)
        let predicted = LossOracle.Box(
          Double(rows[first]) * scale - Double(match.column), Double(rows[first + 1]) * scale - Double(match.row),
          Double(rows[first + 2]) * scale, Double(rows[first + 3]) * scale)
        let iou = LossOracle.CompleteIoU(predicted, match.box).value
        terms.box += rates.box * (1 - iou) / Double(matches.count)
        wanted[(object.image * anchors[level].count + match.anchor) * area + cell] = Float(max(0, iou))
        guard classes > 1 else { continue }
        let half = rates.labelSmoothing / 2
        var sum = 0.0
        for index in 0..<classes {
          sum += crossEntropy(
            rows[first + 5 + index], target: index == object.label ? 1 - half : half, weight: rates.classWeight)
        }
        terms.classes += rates.classes * sum / Double(matches.count * classes)
      }
      var sum = 0.0
      for image in 0..<images {
        for place in 0..<anchors[level].count * area {
          sum += crossEntropy(
            rows[row(image, 0, place) + 4], target: Double(wanted[image * anchors[level].count * area + place]),
            weight: rates.objectnessWeight)
        }
      }
      if images > 0 { terms.objectness += rates.objectness * balances[level] * sum / Double(wanted.count) }
      levelStart += anchors[level].count * area
    }
    return terms
  }

  /// Binary cross-entropy of a probability, with the factor of the focal loss. Logarithms are limited as a probability of 0
  /// or 1 in single precision stands for a finite logit.
  private func crossEntropy(_ probability: Float, target: Double, weight: Double) -> Double {
    let p = min(max(Double(probability), 1e-9), 1 - 1e-9)
    let loss = -(weight * target * log(p) + (1 - target) * log(1 - p))
    guard rates.focalGamma > 0 else { return loss }
    let correct = target * p + (1 - target) * (1 - p)
    return loss * (0.25 * target + 0.75 * (1 - target)) * pow(1 - correct, rates.focalGamma)
  }
}
