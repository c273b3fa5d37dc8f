import SPD

/// Checks a network's anchors against a data set, and finds better ones if they fit badly.
public struct Autoanchor: Sendable, Equatable, Codable {
  /// Number of objects that were looked at.
  public let objects: Int
  /// Number of objects below 3 pixels in a direction, at the size of training.
  public let tinyObjects: Int
  /// How the network's anchors fit.
  public let given: AnchorFitness
  /// How newly found anchors fit; nil where none were sought or found.
  public let found: AnchorFitness?
  /// Whether ``anchors`` are the new ones, because their best possible recall is higher.
  public let isReplaced: Bool
  /// Widths and heights in pixels to train with, level by level in the order of the strides.
  public let anchors: [[SIMD2<Float>]]

  /// The best possible recall from which anchors are kept.
  public static let sufficientRecall = 0.98

  /// Checks anchors; finds new ones by k-means and evolution where the best possible recall is below 0.98.
  ///
  /// - Parameters:
  ///   - anchors: widths and heights in pixels of the network's levels.
  ///   - strides: stride of each level, which decides whether small or large anchors come first.
  ///   - dataset: crowds, and objects without extent, are left out.
  ///   - imageSize: the longer side of an image in training.
  ///   - threshold: maximum ratio of sides, `anchor_t`.
  ///   - generations: number of steps of the evolution.
  /// - Precondition: there are anchors, the same number for each level, and one stride per level.
  public init(
    anchors: [[SIMD2<Float>]], strides: [Int], dataset: some DetectionDataset, imageSize: Int, threshold: Double = 4,
    seed: UInt64 = 0, generations: Int = 1000
  ) {
    precondition(
      !anchors.isEmpty && anchors.count == strides.count && Set(anchors.map(\.count)).count == 1
        && !anchors[0].isEmpty, "each level has a stride and the same number of anchors")
    var random = SplitMix64(.anchors, seed)
    let sizes = Self.sizes(of: dataset, imageSize: imageSize)
    let ordered = Self.ordered(anchors, strides: strides)
    // Every image is scaled a little differently in training.
    let jittered = sizes.flatMap { image in
      let scale = Float(random.uniform(0.9, 1.1))
      return image.map { $0 * scale }
    }
    func fitness(_ anchors: [[SIMD2<Float>]]) -> AnchorFitness {
      AnchorFitness(anchors: anchors.flatMap { $0 }, sizes: jittered, threshold: threshold)
    }
    let given = fitness(ordered)
    self.given = given
    objects = jittered.count
    let all = sizes.flatMap { $0 }
    tinyObjects = all.count { $0.x < 3 || $0.y < 3 }
    var candidate: [[SIMD2<Float>]]?
    if given.bestPossibleRecall < Self.sufficientRecall, !all.isEmpty {
      let count = anchors[0].count
      candidate = Self.search(
        all, count: count * strides.count, threshold: threshold, generations: generations, random: &random
      ).map { found in
        let levels = strides.indices.map { Array(found[$0 * count..<($0 + 1) * count]) }
        return Self.ordered(levels, strides: strides)
      }
    }
    let found = candidate.map(fitness)
    self.found = found
    isReplaced = found.map { $0.bestPossibleRecall > given.bestPossibleRecall } ?? false
    self.anchors = isReplaced ? candidate! : ordered
  }

  /// Finds anchors, sorted by area: k-means with 30 restarts over the objects of 2 pixels in one direction at least, or, where
  /// they have fewer different sizes than there are anchors, sizes evenly spaced in their order; then evolution. Nil where no object
  /// is that large.
  static func search(
    _ sizes: [SIMD2<Float>], count: Int, threshold: Double, generations: Int, random: inout SplitMix64
  ) -> [SIMD2<Float>]? {
    let usable = sizes.filter { $0.x >= 2 || $0.y >= 2 }
    guard !usable.isEmpty else { return nil }
    let centres =
      AnchorKMeans.centres(of: usable, count: count, restarts: 30, random: &random) ?? spaced(usable, count: count)
    let evolved = AnchorEvolution.evolve(
      centres, sizes: usable, threshold: threshold, generations: generations, random: &random)
    return evolved.sorted { $0.x * $0.y < $1.x * $1.y }
  }

  /// Sizes from the smallest to the largest area, the same one several times where there are fewer.
  private static func spaced(_ sizes: [SIMD2<Float>], count: Int) -> [SIMD2<Float>] {
    let sorted = sizes.sorted { $0.x * $0.y < $1.x * $1.y }
    return (0..<count).map { pointwiseMax(sorted[$0 * (sorted.count - 1) / max(count - 1, 1)], SIMD2(2, 2)) }
  }

  /// Widths and heights of each image's objects, where its longer side has `imageSize` pixels.
  static func sizes(of dataset: some DetectionDataset, imageSize: Int) -> [[SIMD2<Float>]] {
    (0..<dataset.count).map { index in
      let labels = dataset.labels(index)
      let scale = Double(imageSize) / Double(max(labels.width, labels.height, 1))
      let side = SIMD2(Float(Double(labels.width) * scale), Float(Double(labels.height) * scale))
      return labels.objects.compactMap { object in
        let size = object.box.highHalf * side
        return !object.isCrowd && size.x > 0 && size.y > 0 && size.x.isFinite && size.y.isFinite ? size : nil
      }
    }
  }

  /// Reverses the levels if anchors grow where strides shrink.
  static func ordered(_ anchors: [[SIMD2<Float>]], strides: [Int]) -> [[SIMD2<Float>]] {
    func area(_ level: [SIMD2<Float>]) -> Float { level.last.map { $0.x * $0.y } ?? 0 }
    let growth = area(anchors.last!) - anchors[0][0].x * anchors[0][0].y
    let strideGrowth = strides.last! - strides[0]
    let isReversed = growth > 0 && strideGrowth < 0 || growth < 0 && strideGrowth > 0
    return isReversed ? anchors.reversed() : anchors
  }
}
