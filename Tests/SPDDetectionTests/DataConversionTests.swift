import Foundation
import SPDData
import Testing

@testable import SPDDetection

@Suite struct DataConversionTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder() }

  private func convert(
    _ data: DetectionData, _ format: DatasetConversion.Format, _ output: String, outlines: Bool = true,
    replaces: Bool = false
  ) throws -> DatasetConversion.Report {
    var splits: [(DetectionData.Split, OpenedDataset)] = []
    for split in data.splits { splits.append((split, try data.open(split))) }
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
    let train = try coco.open(.train)
    #expect(train.dataset.labels(0).id == 7 && train.dataset.labels(1).id == 12)
    #expect(train.dataset.classNames == ["a \"b\"", "c: é"] && train.report.notes.isEmpty)

    #expect(try convert(coco, .yolo, "back").parts.map(\.crowds) == [0, 0])
    let back = try DetectionData(contentsOf: folder.path + "/back")
    for split in data.splits {
      let (before, after) = (
        try data.open(split).dataset, try back.open(split).dataset
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
      classIndex: 1, box: SIMD4(0.5, 0.5, 1, 1),
      polygon: [SIMD2(0, 0), SIMD2(1, 0), SIMD2(0.5, 1.25)])
    #expect(YOLOText.rows([box], outlines: true) == "2 0.5 0.5 0.5 0.25\n")
    #expect(
      YOLOText.rows([box, triangle], outlines: true)
        == "2 0.25 0.375 0.75 0.375 0.75 0.625 0.25 0.625\n1 0.0 0.0 1.0 0.0 0.5 1.0 0.5 1.0\n")
    #expect(YOLOText.rows([box, triangle], outlines: false) == "2 0.5 0.5 0.5 0.25\n1 0.5 0.5 1.0 1.0\n")
  }

  @Test func crowdsAreLeftOutOfYOLOAndCounted() throws {
    try folder.image("images/val/a.jpg")
    let contents = COCOAnnotations(
      images: [.init(id: 1, fileName: "a.jpg", width: 40, height: 20)], categories: [.init(id: 5, name: "x")],
      annotations: [
        .init(id: 1, imageID: 1, categoryID: 5, box: COCOBox(x: 0, y: 0, width: 20, height: 20), isCrowd: true),
        .init(id: 2, imageID: 1, categoryID: 5, box: COCOBox(x: 0, y: 0, width: 20, height: 20)),
      ])
    try contents.write(to: folder.path + "/instances_val.json")
    let opened = try DetectionData(contentsOf: folder.path + "/instances_val.json").open(.val)
    let report = try DatasetConversion.write([(.val, opened)], as: .yolo, to: folder.path + "/yolo")
    #expect(
      report.parts == [
        .init(split: "val", images: report.parts[0].images, imageCount: 1, objects: 1, outlines: 0, crowds: 1)
      ])
    #expect(report.classes == [.init(index: 0, categoryID: 5, name: "x")])
    #expect(
      try String(contentsOfFile: folder.path + "/yolo/labels/val/a.txt", encoding: .utf8) == "0 0.25 0.5 0.5 1.0\n")
  }

  /// Links make a converted set of another one's images: replacing either of them by the other would delete these.
  @Test func aDataSetIsNeverReplacedByWhatIsMadeOfIt() throws {
    let data = try makeSet()
    func refusal(_ data: DetectionData, _ output: String) -> String? {
      dataMessage { _ = try convert(data, .coco, output, replaces: true) }
    }
    #expect(
      refusal(data, "set")?.contains("which the new data set is made of or links to; give another folder") == true)
    _ = try convert(data, .coco, "coco")
    let coco = try DetectionData(contentsOf: folder.path + "/coco")
    #expect(refusal(coco, "coco")?.contains("is made of") == true)
    #expect(refusal(coco, "set")?.contains("set/images/train") == true)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/other", withDestinationPath: folder.path + "/set")
    #expect(refusal(data, "other")?.contains("is made of") == true)
    #expect(try folder.names("set/images/train") == ["7.jpg", "deep"] && folder.names("set/labels/train") == ["7.txt"])
    // A list may name images of several data sets.
    try folder.image("more/images/x.jpg")
    try folder.write("all.txt", "./set/images/train/7.jpg\n./more/images/x.jpg\n")
    try folder.write("all.yaml", "train: all.txt\nnames: [a, b]\n")
    let all = try DetectionData(contentsOf: folder.path + "/all.yaml")
    #expect(refusal(all, "more")?.contains("more/images, which the new data set") == true)
  }

  @Test func foldersThatCannotBeWrittenAreNamed() throws {
    let data = try makeSet()
    try folder.write("file", "")
    let error = #expect(throws: DataError.self) { _ = try convert(data, .coco, "file/new") }
    #expect(error?.isOutput == true && error?.path == folder.path + "/file/new")
  }

  @Test func onlyDataSetsAreReplaced() throws {
    let data = try makeSet()
    _ = try convert(data, .yolo, "out")
    #expect(dataMessage { _ = try convert(data, .yolo, "out") }?.contains("is not empty") == true)
    _ = try DetectionData(contentsOf: folder.path + "/out").open(.train)  // leaves a cache
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
    let contents = COCOAnnotations(
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
