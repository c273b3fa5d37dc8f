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
