import Foundation

/// An object of the ground truth, ready for matching.
struct COCOTruth {
  var image: Int
  var box: COCOBox
  var area: Double
  var isCrowd: Bool
  /// False for the annotation id 0, which COCO's reference implementation takes for "unmatched".
  var hasID: Bool
}

/// A detection, ready for matching.
struct COCOCandidate {
  var image: Int
  var box: COCOBox
  /// Ascending from the best score, see ``rankingKey(_:)``.
  var key: UInt64
  /// Position in the file, which orders equal scores.
  var position: Int
}

/// What became of a detection: for every area range a bit per IoU threshold.
struct COCOOutcome {
  var key: UInt64
  /// Rank by score within the image, from 0.
  var rank: Int
  var truePositive = SIMD4<UInt16>.zero
  /// A detection that is neither is ignored.
  var falsePositive = SIMD4<UInt16>.zero
}

/// Matches one category's detections with its ground truth, image by image.
///
/// For every area range and IoU threshold t, detections are taken by descending score. Each gets the unmatched object
/// (or crowd, which any number may share) with the highest IoU ≥ t; of equal ones, the later. Objects that are crowds
/// or outside the area range are ignored: they come last, are considered only if no other object matches, and a
/// detection matched to one is ignored. So is an unmatched detection outside the area range.
struct CategoryMatching {
  /// Detections of all images; within an image by descending score, equals in their given order.
  private(set) var outcomes: [COCOOutcome] = []
  /// Number of objects that are not ignored, by area range.
  private(set) var objects = SIMD4<Int>.zero

  // Scratch of one image: IoU of candidate · number of objects + object, and facts about the objects.
  private var overlaps: [Double] = []
  private var isIgnored: [Bool] = []
  private var isMatched: [Bool] = []
  private var order: [Int] = []

  /// - Parameters:
  ///   - truths: by ascending image.
  ///   - candidates: by ascending image.
  init(_ truths: ArraySlice<COCOTruth>, _ candidates: ArraySlice<COCOCandidate>) {
    var candidates = candidates
    outcomes.reserveCapacity(candidates.count)
    var truth = truths.startIndex
    var candidate = candidates.startIndex
    while truth < truths.endIndex || candidate < candidates.endIndex {
      let image = min(
        truth < truths.endIndex ? truths[truth].image : .max,
        candidate < candidates.endIndex ? candidates[candidate].image : .max)
      let (firstTruth, firstCandidate) = (truth, candidate)
      while truth < truths.endIndex, truths[truth].image == image { truth += 1 }
      while candidate < candidates.endIndex, candidates[candidate].image == image { candidate += 1 }
      if candidate - firstCandidate > 1 {
        candidates[firstCandidate..<candidate].sort { ($0.key, $0.position) < ($1.key, $1.position) }
      }
      let limit = min(candidate, firstCandidate + COCOProtocol.detectionLimits[2])
      match(truths[firstTruth..<truth], candidates[firstCandidate..<limit])
    }
  }

  private mutating func match(_ truths: ArraySlice<COCOTruth>, _ candidates: ArraySlice<COCOCandidate>) {
    let first = outcomes.count
    for (rank, candidate) in candidates.enumerated() {
      outcomes.append(COCOOutcome(key: candidate.key, rank: rank, unmatchedArea: candidate.box.area))
    }
    let mayMatch = computeOverlaps(truths, candidates)
    for area in COCOProtocol.areas.indices {
      isIgnored.removeAll(keepingCapacity: true)
      for truth in truths { isIgnored.append(truth.isCrowd || !COCOProtocol.contains(truth.area, area)) }
      let counted = isIgnored.count { !$0 }
      objects[area] += counted
      guard mayMatch else { continue }
      order = isIgnored.indices.filter { !isIgnored[$0] } + isIgnored.indices.filter { isIgnored[$0] }
      for threshold in 0..<COCOProtocol.thresholdCount {
        isMatched.removeAll(keepingCapacity: true)
        isMatched.append(contentsOf: repeatElement(false, count: truths.count))
        for index in 0..<candidates.count {
          guard let match = bestMatch(of: index, truths, counted: counted, threshold: threshold) else { continue }
          outcomes[first + index].match(
            area: area, threshold: threshold, isIgnored: isIgnored[match],
            hasID: truths[truths.startIndex + match].hasID)
        }
      }
    }
  }

  /// Computes the overlaps of an image and returns whether any reaches the lowest threshold.
  private mutating func computeOverlaps(
    _ truths: ArraySlice<COCOTruth>, _ candidates: ArraySlice<COCOCandidate>
  ) -> Bool {
    overlaps.removeAll(keepingCapacity: true)
    var isReached = false
    for candidate in candidates {
      for truth in truths {
        let overlap = overlap(candidate.box, truth.box, isCrowd: truth.isCrowd)
        overlaps.append(overlap)
        isReached = isReached || !(overlap < COCOProtocol.thresholds[0])
      }
    }
    return isReached
  }

  /// Returns the object that a detection is matched to, which becomes matched; nil if there is none.
  private mutating func bestMatch(
    of candidate: Int, _ truths: ArraySlice<COCOTruth>, counted: Int, threshold: Int
  ) -> Int? {
    var bestPosition: Int?
    var highest = COCOProtocol.minimumOverlaps[threshold]
    for position in order.indices {
      let truth = order[position]
      if isMatched[truth], !truths[truths.startIndex + truth].isCrowd { continue }
      if position >= counted, let bestPosition, bestPosition < counted { break }
      let overlap = overlaps[candidate * truths.count + truth]
      // False for NaN, which so matches everything, as in COCO's implementation.
      if overlap < highest { continue }
      highest = overlap
      bestPosition = position
    }
    guard let bestPosition else { return nil }
    isMatched[order[bestPosition]] = true
    return order[bestPosition]
  }
}

extension COCOOutcome {
  private static let allThresholds: UInt16 = 1 << COCOProtocol.thresholdCount - 1

  /// The outcome of a detection without a match: false, or ignored in the ranges that its area is outside of.
  init(key: UInt64, rank: Int, unmatchedArea: Double) {
    self.key = key
    self.rank = rank
    for area in COCOProtocol.areas.indices where COCOProtocol.contains(unmatchedArea, area) {
      falsePositive[area] = Self.allThresholds
    }
  }

  /// Records a match.
  mutating func match(area: Int, threshold: Int, isIgnored: Bool, hasID: Bool) {
    let bit: UInt16 = 1 << threshold
    if isIgnored {
      falsePositive[area] &= ~bit
    } else if hasID {
      truePositive[area] |= bit
      falsePositive[area] &= ~bit
    }
  }
}

/// Intersection over union; for crowds, intersection over the detection's area. Boxes that do not overlap give 0.
///
/// `fmin` and `fmax` ignore NaN, and the comparisons are false for it, as in COCO's implementation.
private func overlap(_ detection: COCOBox, _ truth: COCOBox, isCrowd: Bool) -> Double {
  let width = fmin(detection.width + detection.x, truth.width + truth.x) - fmax(detection.x, truth.x)
  if width <= 0 { return 0 }
  let height = fmin(detection.height + detection.y, truth.height + truth.y) - fmax(detection.y, truth.y)
  if height <= 0 { return 0 }
  let intersection = width * height
  return intersection / (isCrowd ? detection.area : detection.area + truth.area - intersection)
}
