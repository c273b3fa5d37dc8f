import SPDData
import SPDDetection
import SPDFormats

extension Reader {
  /// Data sets for detection, and their annotations and hyperparameters.
  static let detection = [
    Reader(
      name: "data-yaml", file: "data.yaml", seeds: { Seeds.dataYAML },
      read: { _, file in
        // Not opened: a mutated path may name any folder.
        let data = try DetectionData(contentsOf: file)
        for split in data.splits { _ = try? data.paths(of: split) }
      }),
    Reader(
      name: "yolo-labels", file: "labels/train/0.txt", seeds: { Seeds.labels },
      prepare: { try Seeds.writeImages(to: $0) }, read: { folder, _ in _ = try scanned(folder, isStrict: true) }),
    Reader(
      name: "coco", file: "instances.json", seeds: { Seeds.annotations },
      read: { _, file in
        let contents = try COCOAnnotations(path: file, polygons: true)
        let set = try COCODataset(name: "fuzz", path: file, imageFolder: nil, contents: contents)
        for index in 0..<set.count { _ = set.labels(index) }
      }),
    Reader(
      name: "coco-results", file: "results.json", seeds: { Seeds.results },
      prepare: { folder in
        try writeAtomically(to: "\(folder)/annotations.json") { try $0.write(Seeds.annotations[0]) }
      },
      read: { folder, file in
        let truth = try COCOAnnotations(path: "\(folder)/annotations.json")
        let found = try COCOResults(path: file, for: truth)
        _ = try COCOEvaluator(truth).evaluate(found)
      }),
    Reader(
      name: "hyperparameters", file: "hyp.yaml", seeds: { Seeds.hyperparameters },
      read: { _ = try DetectionHyperparameters(contentsOf: $1) }),
    Reader(
      name: "scan-cache", file: "images/train.spdc-cache", seeds: { Seeds.scanCaches },
      finish: { original, seeds, random in
        let bytes = Mutation.mutated(original, others: seeds, &random)
        return random.below(16) == 0 ? bytes : Containers.checkedScanCache(bytes)
      }, prepare: { try Seeds.writeImages(to: $0) },
      // A damaged cache counts as absent, so every one is read.
      read: { folder, _ in _ = try scanned(folder, usesCache: true) }),
    Reader(
      name: "bmp", file: "images/train/input.bmp",
      seeds: { Seeds.files("Tests/SPDDetectionTests/Fixtures/data", [".bmp"]) },
      prepare: { try Seeds.makeFolder("\($0)/images/train") },
      read: { folder, _ in
        let set = try scanned(folder)
        for index in 0..<set.count { _ = try set.image(index) }
      }),
  ]

  /// Scans `images/train` of a folder.
  static func scanned(_ folder: String, usesCache: Bool = false, isStrict: Bool = false) throws -> YOLODataset {
    var options = ScanOptions()
    options.isStrict = isStrict
    options.threads = 1
    options.usesCache = usesCache
    let set = try YOLODataset(
      name: "fuzz", classNames: (0..<8).map { "class \($0)" }, sources: ["\(folder)/images/train"], options: options)
    for index in 0..<set.count { _ = set.labels(index) }
    return set
  }
}
