import Foundation
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct DataCOCOTests {
  private func contents() -> COCOAnnotations {
    COCOAnnotations(
      images: [
        .init(id: 9, fileName: "b.jpg", width: 40, height: 20), .init(id: 4, fileName: "a.jpg", width: 40, height: 20),
      ],
      categories: [.init(id: 17, name: "cat"), .init(id: 3, name: "dog")],
      annotations: [
        COCOAnnotation(
          id: 1, imageID: 9, categoryID: 17, box: COCOBox(x: 10, y: 5, width: 20, height: 10), area: 123,
          polygons: [[SIMD2(10, 5), SIMD2(30, 5), SIMD2(30, 15), SIMD2(10, 15)]]),
        COCOAnnotation(
          id: 2, imageID: 9, categoryID: 3, box: COCOBox(x: -5, y: 0, width: 15, height: 100), isCrowd: true),
      ])
  }

  private func dataset(_ contents: COCOAnnotations, images: String? = nil, strict: Bool = false) throws
    -> COCODataset
  {
    try COCODataset(name: "t", path: "t.json", imageFolder: images, contents: contents, isStrict: strict)
  }

  @Test func classesFollowTheCategoryIdsAndImagesTheirs() throws {
    let set = try dataset(contents())
    #expect(set.classNames == ["dog", "cat"] && set.categoryIDs == [3, 17])
    #expect(set.images.map(\.id) == [4, 9] && set.images.map(\.path) == ["a.jpg", "b.jpg"])
    let objects = set.labels(1).objects
    #expect(objects[0].classIndex == 1 && objects[0].box == SIMD4(0.5, 0.5, 0.5, 0.5) && objects[0].area == 123)
    #expect(objects[0].polygon == [SIMD2(0.25, 0.25), SIMD2(0.75, 0.25), SIMD2(0.75, 0.75), SIMD2(0.25, 0.75)])
    // Clipped to the image.
    #expect(objects[1].isCrowd && objects[1].box == SIMD4(0.125, 0.5, 0.25, 1))
    #expect(set.report.labelled == 1 && set.report.empty == 1)
    let statistics = DetectionStatistics(set)
    #expect(statistics.objects == 1 && statistics.crowds == 1 && statistics.classCounts == [0, 1])
  }

  @Test func annotationsThatFitNowhereAreLeftOutAndCounted() throws {
    var odd = contents()
    odd.annotations += [
      COCOAnnotation(id: 3, imageID: 77, categoryID: 3, box: COCOBox(x: 0, y: 0, width: 5, height: 5)),
      COCOAnnotation(id: 4, imageID: 4, categoryID: 77, box: COCOBox(x: 0, y: 0, width: 5, height: 5)),
      COCOAnnotation(id: 5, imageID: 4, categoryID: 3, box: COCOBox(x: 0, y: 0, width: 0, height: 5)),
      COCOAnnotation(id: 6, imageID: 4, categoryID: 3, box: COCOBox(x: .nan, y: 0, width: 5, height: 5)),
      COCOAnnotation(id: 7, imageID: 4, categoryID: 3, box: COCOBox(x: 50, y: 0, width: 5, height: 5)),
      COCOAnnotation(
        id: 8, imageID: 4, categoryID: 3, box: COCOBox(x: 0, y: 0, width: 1e300, height: 1e300), area: -.infinity,
        polygons: [[SIMD2(.nan, 0), SIMD2(0, 0), SIMD2(1, 1)], [SIMD2(1, 1)]]),
    ]
    let set = try dataset(odd)
    #expect(set.labels(0).objects == [LabelledObject(classIndex: 0, box: SIMD4(0.5, 0.5, 1, 1))])
    let reasons = set.report.issues.map(\.reason)
    #expect(reasons.count == 3 && reasons[2].hasPrefix("3 annotations have no box"))
    #expect(reasons[0].contains("the first with id 3"))
  }

  @Test func filesOfImagesAreLookedFor() throws {
    let folder = try DataFolder()
    try folder.image("images/val2017/b.jpg")
    try folder.write("annotations/instances_val2017.json", "")
    try contents().write(to: folder.path + "/annotations/instances_val2017.json")
    let data = try DetectionData(contentsOf: folder.path + "/annotations/instances_val2017.json")
    let opened = try data.open(.val)
    #expect(opened.dataset.count == 1 && opened.categoryIDs == [3, 17])
    #expect(opened.report.corrupt == 1 && opened.report.issues[0].description.contains("a.jpg: there is no such file"))
    #expect(try opened.dataset.image(0).width == 40)
    // From data.yaml, whose names must agree.
    try folder.write("data.yaml", "val: annotations/instances_val2017.json\nnames: [dog, cat]\n")
    #expect(try DetectionData(contentsOf: folder.path).open(.val).report.notes.isEmpty)
    try folder.write("data.yaml", "val: annotations/instances_val2017.json\nnames: [dog]\n")
    let message = dataMessage { _ = try DetectionData(contentsOf: folder.path).open(.val) }
    #expect(message?.contains("has 1 classes, but") == true)
    // A folder that is named, and one that is wrong.
    let wrong = try DetectionData(contentsOf: data.path, images: folder.path)
    #expect(dataMessage { _ = try wrong.open(.val) }?.contains("none of its 2 images") == true)
  }

  /// A data set is named by one of its files: the others are beside it.
  @Test func aFileOfAnnotationsStandsForItsSplit() throws {
    let folder = try DataFolder()
    try folder.image("images/train2017/a.jpg")
    try folder.image("images/train2017/b.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/images/val2017", withDestinationPath: folder.path + "/images/train2017")
    for name in ["instances_train2017", "instances_val2017"] {
      try folder.write("annotations/\(name).json", "")
      try contents().write(to: "\(folder.path)/annotations/\(name).json")
    }
    let train = try DetectionData(contentsOf: folder.path + "/annotations/instances_train2017.json")
    #expect(train.splits == [.train])
    #expect(try train.open(.train).sources == [train.path])
    #expect(try train.open(.val).sources == [folder.path + "/annotations/instances_val2017.json"])
    try FileManager.default.removeItem(atPath: folder.path + "/annotations/instances_val2017.json")
    let message = dataMessage { _ = try train.open(.val) }
    #expect(message?.contains("has no images for `val`, and no file beside it") == true)
    #expect(message?.contains("write a data.yaml with `train: …/instances_train.json`") == true)
    // What is trained on is not what tests.
    #expect(dataMessage { _ = try train.open(.test) }?.contains("has no images for `test`") == true)
    for name in ["instances_trainval2017", "mytrain"] {
      try contents().write(to: "\(folder.path)/annotations/\(name).json")
      let data = try DetectionData(contentsOf: "\(folder.path)/annotations/\(name).json")
      #expect(dataMessage { _ = try data.open(.train) }?.contains("has no images for `train`") == true, "\(name)")
    }
    // A file of any name is validated, or tested, but not trained.
    try contents().write(to: folder.path + "/mine.json")
    let mine = try DetectionData(contentsOf: folder.path + "/mine.json", images: folder.path + "/images/train2017")
    #expect(try mine.open(.val).dataset.count == 2 && mine.open(.test).dataset.count == 2)
    #expect(dataMessage { _ = try mine.open(.train) }?.contains("write a data.yaml") == true)
  }

  /// One wrong annotation does not cost the others.
  @Test func annotationsWithoutNumbersAreLeftOut() throws {
    let folder = try DataFolder()
    try folder.image("a.jpg")
    let rest = #""image_id":1,"category_id":1"#
    try folder.write(
      "instances_val.json",
      """
      {"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"x"}],"annotations":[
      {"id":1,\(rest)}, {"id":2,\(rest),"bbox":[]}, {"id":3,\(rest),"bbox":null}, {"id":4,\(rest),"bbox":["a",1,2,3]},
      {"id":5,\(rest),"bbox":["1","2","10","10"]}, {"id":6,\(rest),"bbox":[0,0,9,9],"segmentation":[[1,2,3,4,5,6,7]]},
      {"id":7,\(rest),"bbox":[0,0,9,9],"segmentation":[1,2,3,4]}, {"id":null,\(rest),"bbox":[0,0,9,9]},
      {"id":9,"image_id":1,"bbox":[0,0,9,9]}, {"id":10,\(rest),"bbox":[0,0,9,9],"segmentation":[[0,0,9,0,9,9]]}]}
      """)
    let opened = try DetectionData(contentsOf: folder.path + "/instances_val.json").open(.val)
    // The size is the file's, where the annotations have none.
    #expect(opened.dataset.labels(0).width == 40 && opened.dataset.labels(0).objects.count == 4)
    #expect(opened.dataset.labels(0).objects.map { $0.polygon.isEmpty } == [true, true, true, false])
    #expect(
      opened.report.issues.map(\.reason) == [
        "4 annotations have no bbox, or one that is not made of numbers, the first with id 1; they are left out",
        "2 annotations have a segmentation that is no list of [x, y, x, y, …], the first with id 6; their boxes are used",
        "1 annotations have no id, or one that is not made of numbers, the first with no id; they are left out",
        "1 annotations have no category_id, or one that is not made of numbers, the first with id 9; they are left out",
      ])
  }

  @Test func faultyAnnotationsAmongTextIDs() throws {
    let folder = try DataFolder()
    try folder.image("a.jpg")
    try folder.write(
      "instances_val.json",
      """
      {"images":[{"id":"a","file_name":"a.jpg"}],"categories":[{"id":1,"name":"x"}],"annotations":[
      {"id":1,"image_id":null,"category_id":1,"bbox":[0,0,9,9]}, {"id":2,"image_id":"a","category_id":1,"bbox":[0,0,9,9]}]}
      """)
    let data = try DetectionData(contentsOf: folder.path + "/instances_val.json")
    let opened = try data.open(.val)
    #expect(opened.dataset.labels(0).objects.count == 1 && opened.report.issues.count == 1)
    var strict = ScanOptions()
    strict.isStrict = true
    #expect(dataMessage { _ = try data.open(.val, options: strict) }?.contains("a number is expected") == true)
  }

  @Test func headersAreReadWhereThatIsAskedFor() throws {
    let folder = try DataFolder()
    try folder.image("a.jpg", width: 40, height: 30)
    try folder.write("b.jpg", "hello")
    try contents().write(to: folder.path + "/instances_val.json")
    let data = try DetectionData(contentsOf: folder.path + "/instances_val.json")
    #expect(try data.open(.val).report.corrupt == 0)
    var options = ScanOptions()
    options.readsAllHeaders = true
    let message = dataMessage { _ = try data.open(.val, options: options) }
    #expect(message?.contains("none of its 2 images can be used") == true)
    #expect(message?.contains("the image has 40×30 pixels, but the annotations are for 40×20") == true)
  }

  @Test func hostileContentsAreRefused() {
    var twice = contents()
    twice.images.append(twice.images[0])
    #expect(dataMessage { _ = try dataset(twice) }?.contains("image id 9 twice") == true)
    var categories = contents()
    categories.categories.append(.init(id: 3, name: "again"))
    #expect(dataMessage { _ = try dataset(categories) }?.contains("category id 3 twice") == true)
    var huge = contents()
    huge.images = [
      .init(id: 1, fileName: "x", width: .max, height: .max), .init(id: 2, fileName: "", width: 20, height: 20),
    ]
    #expect(dataMessage { _ = try dataset(huge) }?.contains("none of its 2 images") == true)
    #expect(dataMessage { _ = try dataset(.init()) }?.contains("has 0 categories") == true)
  }
}
