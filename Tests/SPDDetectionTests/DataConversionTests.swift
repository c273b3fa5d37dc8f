import Foundation
import SPDData
import Testing

@testable import SPDDetection

@Suite struct DataConversionTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder() }

  /// Reads what this project writes; the reader of COCO's files is tested elsewhere.
  static func read(_ path: String) throws(DataError) -> COCODataset.Contents {
    do {
      let root = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as! [String: Any]
      func list(_ key: String) -> [[String: Any]] { root[key] as! [[String: Any]] }
      func double(_ value: Any) -> Double { (value as! NSNumber).doubleValue }
      return COCODataset.Contents(
        images: list("images").map {
          .init(
            id: $0["id"] as! Int, fileName: $0["file_name"] as! String, width: $0["width"] as! Int,
            height: $0["height"] as! Int)
        },
        categories: list("categories").map { .init(id: $0["id"] as! Int, name: $0["name"] as! String) },
        annotations: list("annotations").map {
          let box = ($0["bbox"] as! [Any]).map(double)
          let parts = ($0["segmentation"] as! [[Any]]).map { part in
            stride(from: 0, to: part.count, by: 2).map { SIMD2(Float(double(part[$0])), Float(double(part[$0 + 1]))) }
          }
          return .init(
            id: $0["id"] as! Int, imageID: $0["image_id"] as! Int, categoryID: $0["category_id"] as! Int,
            box: SIMD4(box[0], box[1], box[2], box[3]), area: double($0["area"]!),
            isCrowd: $0["iscrowd"] as! Int == 1, polygons: parts)
        })
    } catch {
      throw DataError(path: path, what: "\(error)", remedy: "")
    }
  }

  private func convert(
    _ data: DetectionData, _ format: DatasetConversion.Format, _ output: String, outlines: Bool = true,
    replaces: Bool = false
  ) throws -> DatasetConversion.Report {
    var splits: [(DetectionData.Split, OpenedDataset)] = []
    for split in data.splits { splits.append((split, try data.open(split, coco: Self.read))) }
    return try DatasetConversion.write(
      splits.map { (split: $0.0, data: $0.1) }, as: format, to: folder.path + "/" + output, outlines: outlines,
      replaces: replaces)
  }

  private func makeSet() throws -> DetectionData {
    try folder.image("set/images/train/7.jpg", width: 640, height: 480)
    try folder.image("set/images/train/deep/12.jpg", width: 320, height: 200)
    try folder.image("set/images/val/x \"1\".jpg", width: 333, height: 211)
    try folder.write("set/labels/train/7.txt", "0 0.51234567 0.5 0.2 0.1\n1 0.1 0.1 0.5 0.1 0.5 0.5\n")
    try folder.write("set/labels/val/x \"1\".txt", "1 0.3 0.3 0.123 0.456\n")
    try folder.write("set/data.yaml", "train: images/train\nval: images/val\nnames: ['a \"b\"', \"c: \\u00e9\"]\n")
    return try DetectionData(contentsOf: folder.path + "/set")
  }

  @Test func labelsSurviveTheWayToCOCOAndBack() throws {
    let data = try makeSet()
    let report = try convert(data, .coco, "coco")
    #expect(report.classes.map(\.categoryID) == [0, 1] && report.parts.map(\.objects) == [2, 1])
    #expect(report.parts.map(\.outlines) == [1, 0] && report.parts[0].images.hasSuffix("set/images/train"))
    let coco = try DetectionData(contentsOf: folder.path + "/coco")
    #expect(coco.sources[.train] == ["annotations/instances_train.json"])
    let train = try coco.open(.train, coco: Self.read)
    #expect(train.dataset.labels(0).id == 7 && train.dataset.labels(1).id == 12)
    #expect(train.dataset.classNames == ["a \"b\"", "c: é"] && train.report.notes.isEmpty)

    #expect(try convert(coco, .yolo, "back").parts.map(\.crowds) == [0, 0])
    let back = try DetectionData(contentsOf: folder.path + "/back")
    for split in data.splits {
      let (before, after) = (
        try data.open(split, coco: Self.read).dataset, try back.open(split, coco: Self.read).dataset
      )
      #expect(before.count == after.count && before.classNames == after.classNames)
      for index in 0..<before.count {
        let (one, other) = (before.labels(index), after.labels(index))
        #expect(one.width == other.width && one.objects.map(\.classIndex) == other.objects.map(\.classIndex))
        for (a, b) in zip(one.objects, other.objects) {
          let error = (a.box - b.box) * SIMD4(Float(one.width), Float(one.height), Float(one.width), Float(one.height))
          #expect(max(abs(error.max()), abs(error.min())) < 0.002)
        }
        #expect(try after.image(index) == before.image(index))
      }
    }
  }

  @Test func aFileWithAnOutlineHasOutlinesThroughout() throws {
    let box = LabelledObject(classIndex: 2, box: SIMD4(0.5, 0.5, 0.5, 0.25))
    let triangle = LabelledObject(
      classIndex: 1, box: SIMD4(0.5, 0.5, 1, 1), polygon: [SIMD2(0, 0), SIMD2(1, 0), SIMD2(0.5, 1.25)])
    #expect(YOLOText.rows([box], outlines: true) == "2 0.5 0.5 0.5 0.25\n")
    #expect(
      YOLOText.rows([box, triangle], outlines: true)
        == "2 0.25 0.375 0.75 0.375 0.75 0.625 0.25 0.625\n1 0.0 0.0 1.0 0.0 0.5 1.0 0.5 1.0\n")
    #expect(YOLOText.rows([box, triangle], outlines: false) == "2 0.5 0.5 0.5 0.25\n1 0.5 0.5 1.0 1.0\n")
  }

  @Test func crowdsAreLeftOutOfYOLOAndCounted() throws {
    try folder.image("images/val/a.jpg")
    try folder.write("instances_val.json", "{}")
    let contents = COCODataset.Contents(
      images: [.init(id: 1, fileName: "a.jpg", width: 40, height: 20)], categories: [.init(id: 5, name: "x")],
      annotations: [
        .init(id: 1, imageID: 1, categoryID: 5, box: SIMD4(0, 0, 20, 20), isCrowd: true),
        .init(id: 2, imageID: 1, categoryID: 5, box: SIMD4(0, 0, 20, 20)),
      ])
    let opened = try DetectionData(contentsOf: folder.path + "/instances_val.json").open(.val) { _ in contents }
    let report = try DatasetConversion.write([(.val, opened)], as: .yolo, to: folder.path + "/yolo")
    #expect(
      report.parts == [
        .init(split: "val", images: report.parts[0].images, imageCount: 1, objects: 1, outlines: 0, crowds: 1)
      ])
    #expect(report.classes == [.init(index: 0, categoryID: 5, name: "x")])
    #expect(
      try String(contentsOfFile: folder.path + "/yolo/labels/val/a.txt", encoding: .utf8) == "0 0.25 0.5 0.5 1.0\n")
  }

  @Test func onlyDataSetsAreReplaced() throws {
    let data = try makeSet()
    _ = try convert(data, .yolo, "out")
    #expect(dataMessage { _ = try convert(data, .yolo, "out") }?.contains("is not empty") == true)
    _ = try DetectionData(contentsOf: folder.path + "/out").open(.train, coco: Self.read)  // leaves a cache
    _ = try convert(data, .coco, "out", replaces: true)
    #expect(try folder.names("out") == ["annotations", "data.yaml", "images"])
    try folder.write("out/thesis.txt", "mine")
    #expect(
      dataMessage { _ = try convert(data, .yolo, "out", replaces: true) }?.contains("it holds thesis.txt") == true)
    #expect(try folder.names("out").contains("thesis.txt"))
    // What the links lead to is untouched, and nothing is left beside the folder.
    #expect(try folder.names("set/images/train") == ["7.jpg", "deep"])
    #expect(try folder.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test func namesCannotLeaveTheFolder() throws {
    try folder.image("a.jpg")
    try folder.image("in/images/b.jpg")
    let contents = COCODataset.Contents(
      images: [
        .init(id: 1, fileName: "../../a.jpg", width: 40, height: 20),
        .init(id: 2, fileName: "b.jpg", width: 40, height: 20),
      ],
      categories: [.init(id: 1, name: "x")])
    let set = try COCODataset(name: "t", path: "t.json", imageFolder: folder.path + "/in/images", contents: contents)
    let opened = OpenedDataset(dataset: set, report: set.report, categoryIDs: [1], sources: ["t.json"])
    let message = dataMessage { _ = try DatasetConversion.write([(.val, opened)], as: .yolo, to: folder.path + "/out") }
    #expect(message?.contains("lies outside the folder of the images") == true)
    #expect(try folder.names() == ["a.jpg", "in"])
  }

  @Test func numbersHaveThreeDecimals() {
    #expect(
      [0, 1.5, -0.25, 12.3456, -3, 0.0004, 639.9996, .nan].map(COCOText.decimal) == [
        "0", "1.5", "-0.25", "12.346", "-3", "0", "640", "0",
      ])
    #expect(COCOCategories.ids(for: ["a", "b"]) == [0, 1])
  }
}
