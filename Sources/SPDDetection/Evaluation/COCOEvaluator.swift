import Dispatch
import SPDData
import Synchronization

/// COCO's evaluation of boxes. Equals pycocotools on its twelve numbers.
///
/// Deviations from a plain reading of the protocol that pycocotools has, and so this has: an object with the id 0 is
/// never found, of annotations with equal ids only the last one counts, once for each, and the `ignore` key has no
/// effect.
public struct COCOEvaluator: Sendable {
  private let imageIndex: [Int: Int]
  private let categories: [COCOCategory]
  private let categoryIndex: [Int: Int]
  private let truths: [COCOTruth]
  /// The range of `truths` of each category.
  private let truthRanges: [Range<Int>]
  private let objects: Int

  /// Prepares the ground truth.
  public init(_ annotations: COCOAnnotations) {
    let imageIDs = Set(annotations.images.map(\.id)).sorted()
    let byID = Dictionary(annotations.categories.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    let categories = byID.values.sorted { $0.id < $1.id }
    let imageIndex = Dictionary(uniqueKeysWithValues: imageIDs.enumerated().map { ($1, $0) })
    let categoryIndex = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1.id, $0) })
    let used = Self.resolvingRepeatedIDs(
      annotations.annotations.filter { imageIndex[$0.imageID] != nil && categoryIndex[$0.categoryID] != nil },
      all: annotations.annotations, imageIndex: imageIndex
    ).filter { imageIndex[$0.imageID] != nil && categoryIndex[$0.categoryID] != nil }
    let (rows, ranges) = Self.grouped(
      images: used.map { imageIndex[$0.imageID]! }, imageCount: imageIDs.count,
      categories: used.map { categoryIndex[$0.categoryID]! }, categoryCount: categories.count)
    self.imageIndex = imageIndex
    self.categories = categories
    self.categoryIndex = categoryIndex
    objects = used.count
    truthRanges = ranges
    truths = rows.map { row in
      let object = used[row]
      return COCOTruth(
        image: imageIndex[object.imageID]!, box: object.box, area: object.area, isCrowd: object.isCrowd,
        hasID: object.id != 0)
    }
  }

  /// Evaluates detections.
  ///
  /// - Parameters:
  ///   - skipsUnknownImages: leaves out detections in images that the annotations do not list; else they are an error.
  ///   - threads: maximum number of threads. The result does not depend on it.
  /// - Throws: where a detection's image is unknown.
  public func evaluate(
    _ results: COCOResults, skipsUnknownImages: Bool = false, threads: Int = 2
  ) throws(DataError) -> COCOEvaluation {
    let detections = results.detections
    let images = detections.map { imageIndex[$0.imageID] ?? -1 }
    let unknown = images.indices.filter { images[$0] < 0 }
    if !skipsUnknownImages, unknown.count + results.unknownTexts > 0 {
      let example = unknown.first.map { String(detections[$0].imageID) } ?? "\"\(results.firstUnknownText ?? "")\""
      throw DataError(
        path: results.path,
        what: "\(unknown.count + results.unknownTexts) detections are in images that the annotations do not list, "
          + "the first in image \(example)",
        remedy: "give the annotations of the same images, or --skip-unknown to leave such detections out")
    }
    let categoryOf = detections.map { categoryIndex[$0.categoryID] ?? -1 }
    let used = detections.indices.filter { images[$0] >= 0 && categoryOf[$0] >= 0 }
    let (rows, ranges) = Self.grouped(
      used, images: images, imageCount: imageIndex.count, categories: categoryOf, categoryCount: categories.count)
    let candidates = rows.map { row in
      COCOCandidate(
        image: images[row], box: detections[row].box, key: rankingKey(detections[row].score), position: row)
    }
    let metrics = concurrentMap(
      categories.count, threads: threads, heaviestFirst: { ranges[$0].count + truthRanges[$0].count }
    ) { CategoryMetrics(CategoryMatching(truths[truthRanges[$0]], candidates[ranges[$0]])) }
    return COCOEvaluation(
      metrics: COCOMetrics(metrics),
      categories: categories.indices.map { index in
        let truths = truths[truthRanges[index]]
        return COCOEvaluation.Category(
          category: categories[index], images: Set(truths.map(\.image)).count, objects: truths.count,
          metrics: COCOMetrics([metrics[index]]))
      },
      images: imageIndex.count, objects: objects, detections: used.count,
      unknownImages: unknown.count + results.unknownTexts,
      unknownCategories: images.indices.count { images[$0] >= 0 && categoryOf[$0] < 0 },
      scoresNotANumber: used.count { detections[$0].score.isNaN })
  }

  /// Rows by category, then image, then position, and the range of each category.
  private static func grouped(
    _ rows: [Int]? = nil, images: [Int], imageCount: Int, categories: [Int], categoryCount: Int
  ) -> (rows: [Int], ranges: [Range<Int>]) {
    let byImage = GroupedRows(rows ?? Array(images.indices), by: images, count: imageCount)
    let byCategory = GroupedRows(byImage.rows, by: categories, count: categoryCount)
    return (byCategory.rows, byCategory.ranges)
  }

  /// Replaces every annotation by the last one of its id, in the order in which pycocotools collects them.
  private static func resolvingRepeatedIDs(
    _ used: [COCOAnnotation], all: [COCOAnnotation], imageIndex: [Int: Int]
  ) -> [COCOAnnotation] {
    let last = Dictionary(all.indices.map { (all[$0].id, $0) }, uniquingKeysWith: { $1 })
    guard last.count < all.count else { return used }
    let byImage = GroupedRows(
      Array(used.indices), by: used.map { imageIndex[$0.imageID]! }, count: imageIndex.count)
    return byImage.rows.map { all[last[used[$0].id]!] }
  }
}

/// Computes a value for every index on several threads.
///
/// - Parameter heaviestFirst: the work of an index; indices with more work start first, so that none is left over.
private func concurrentMap<Value: Sendable>(
  _ count: Int, threads: Int, heaviestFirst work: (Int) -> Int, _ body: @Sendable (Int) -> Value
) -> [Value] {
  let amounts = (0..<count).map(work)
  let order = amounts.indices.sorted { (amounts[$1], $0) < (amounts[$0], $1) }
  let next = Atomic(0)
  let values = Mutex([Value?](repeating: nil, count: count))
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
    while true {
      let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard position < count else { return }
      let value = body(order[position])
      values.withLock { $0[order[position]] = value }
    }
  }
  return values.withLock { $0.map { $0! } }
}
