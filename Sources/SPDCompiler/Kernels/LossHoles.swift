import SPD

/// Fills the templates of losses and optimisers, and computes their scratch size in floats.
///
/// The templates assert at compile time that the scratch is enough.
public enum LossHoles {
  /// `cross_entropy`.
  ///
  /// - Parameters:
  ///   - logits: layout of N×C×1×1.
  ///   - gradient: the same shape in a layout of its own.
  public static func crossEntropy(logits: TensorLayout, gradient: TensorLayout) -> [String: String] {
    let shape = logits.shape
    return text([
      "IMAGES": shape.batch, "CLASSES": shape.channels, "X_IMAGE": logits.imageStride, "X_BLOCK": logits.blockStride,
      "DX_IMAGE": gradient.imageStride, "DX_BLOCK": gradient.blockStride,
      "SCRATCH": crossEntropyScratch(images: shape.batch),
    ])
  }

  /// A double and an integer for each image.
  public static func crossEntropyScratch(images: Int) -> Int { padded(12 * images) }

  /// `composed_loss`.
  ///
  /// - Parameters:
  ///   - output: layout of N×C×H×W.
  ///   - gradient: the same shape in a layout of its own.
  public static func composed(
    _ loss: LossExpression, output: TensorLayout, gradient: TensorLayout
  ) -> [String: String] {
    let shape = output.shape
    return text([
      "IMAGES": shape.batch, "CHANNELS": shape.channels, "ROWS": shape.height, "COLS": shape.width,
      "X_IMAGE": output.imageStride, "X_ROW": output.rowStride, "X_BLOCK": output.blockStride,
      "DX_IMAGE": gradient.imageStride, "DX_ROW": gradient.rowStride, "DX_BLOCK": gradient.blockStride,
      "SCRATCH": composedScratch(shape),
    ])
    .merging(["COUNTED": loss.average == .images ? "1.0" : "\(shape.count / shape.batch).0"]) { $1 }
    .merging(ComposedLossText(loss, channels: shape.channels, blockStride: output.blockStride).holes) { $1 }
  }

  /// A double for each row, an integer for each image.
  public static func composedScratch(_ output: Shape) -> Int {
    padded(8 * output.batch * output.height + 4 * output.batch + 8)
  }

  /// `yolo_loss`. Levels have the same batch and channels.
  ///
  /// - Parameter reference: the level whose balance autobalance keeps at 1, that of stride 16.
  public static func yolo(
    classes: Int, anchors: Int, levels: [(logits: TensorLayout, gradient: TensorLayout)], reference: Int,
    maxTargets: Int
  ) -> [String: String] {
    let table = levels.map { x, dx in
      let numbers = [
        x.shape.height, x.shape.width, x.imageStride, x.rowStride, x.blockStride, dx.imageStride, dx.rowStride,
        dx.blockStride,
      ]
      return "{" + numbers.map(String.init).joined(separator: ", ") + "}"
    }
    let shapes = levels.map(\.logits.shape)
    return text([
      "IMAGES": shapes[0].batch, "ANCHORS": anchors, "CLASSES": classes, "MAX_TARGETS": maxTargets,
      "LEVELS": levels.count, "ROWS": shapes.reduce(0) { $0 + $1.height },
      "CELLS": shapes.reduce(0) { $0 + $1.size.area },
      "REFERENCE": reference, "SCRATCH": yoloScratch(shapes, anchors: anchors, maxTargets: maxTargets),
    ]).merging(["LEVEL_TABLE": table.joined(separator: ", ")]) { $1 }
  }

  /// Three doubles for each row, a float for each anchor in each cell, a byte for each level, anchor and target.
  public static func yoloScratch(_ levels: [Shape], anchors: Int, maxTargets: Int) -> Int {
    let perImage = levels.reduce(0) { $0 + 24 * $1.height + 4 * anchors * $1.size.area }
    return padded(levels[0].batch * perImage + levels.count * anchors * maxTargets)
  }

  /// The range of a tensor in the arrays of values, gradients and so on.
  public struct Range: Equatable, Sendable {
    public var offset: Int
    public var count: Int
    /// Nil for what is averaged but not trained, such as running statistics.
    public var group: Int?

    public init(offset: Int, count: Int, group: Int?) {
      self.offset = offset
      self.count = count
      self.group = group
    }
  }

  /// `optimizer`. The ranges are in rising order and none is empty.
  ///
  /// - Parameter count: floats of each array.
  public static func optimizer(ranges: [Range], count: Int) -> [String: String] {
    let table = ranges.map { "{\($0.offset), \($0.count), \($0.group ?? -1)}" }
    return text(["COUNT": count, "RANGE_COUNT": ranges.count, "SCRATCH": optimizerScratch(count: count)])
      .merging(["RANGES": "\n    " + table.joined(separator: ", ")]) { $1 }
  }

  /// A double for each unit of 4096 floats.
  public static func optimizerScratch(count: Int) -> Int { padded((count + 4095) / 4096 * 8) }

  private static func text(_ numbers: [String: Int]) -> [String: String] { numbers.mapValues(String.init) }

  /// Bytes in floats, whole lines of 64 bytes.
  private static func padded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 16 }
}
