import Foundation
import SPDDetection
import SPDVision
import Testing

@Suite struct EvaluationWritingTests {
  @Test func annotationsSurviveWritingAndReading() throws {
    let folder = try EvaluationFolder()
    let written = COCOAnnotations(
      images: [COCOImage(id: -4, fileName: "a\"\\\u{1}é\n.jpg", width: 640, height: 480), COCOImage(id: .max)],
      categories: [COCOCategory(id: 1, name: "person"), COCOCategory(id: 2, name: "")],
      annotations: [
        COCOAnnotation(
          id: 1, imageID: -4, categoryID: 1, box: COCOBox(x: 0.1, y: 1e-7, width: 1 / 3, height: 1e22), area: 0.3,
          isCrowd: true, isIgnored: true),
        COCOAnnotation(
          id: 2, imageID: .max, categoryID: 2, box: COCOBox(x: -0.0, y: .infinity, width: 5, height: 6), area: 7,
          polygons: [[[0.1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11.5, 1e-9]]]),
      ])
    let path = folder.path + "/written.json"
    try written.write(to: path)
    #expect(try COCOAnnotations(path: path, polygons: true) == written)
  }

  @Test func idsOfTextSurvive() throws {
    let folder = try EvaluationFolder()
    let path = try folder.write(
      #"""
      {"images":[{"id":"b"},{"id":"a"}],"categories":[],
       "annotations":[{"id":1,"image_id":"b","category_id":1,"bbox":[0,0,1,1]}]}
      """#
    )
    let read = try COCOAnnotations(path: path)
    #expect(read.textIDs == ["a": 0, "b": 1] && read.images.map(\.id) == [1, 0])
    try read.write(to: path)
    #expect(try COCOAnnotations(path: path) == read)
  }

  @Test func detectionsAreWrittenInTheResultsFormat() throws {
    let folder = try EvaluationFolder()
    var writer = COCOResultsWriter(categoryIDs: COCOCategories.ids)
    func image(_ path: String, id: Int? = nil) -> LabelledImage {
      LabelledImage(path: path, width: 640, height: 480, objects: [], id: id)
    }
    let detection = Detection(classIndex: 79, score: 0.123456789, box: [1.00049, 2.0006, 11.25, 22.5])
    writer.add([detection], of: image("val2017/000000000139.jpg"))
    writer.add([detection], of: image("a/b-7.png"))
    writer.add([detection], of: image("a/12.jpg", id: 5))
    let path = folder.path + "/results.json"
    try writer.write(to: path)
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    let rows = try #require(object as? [[String: Any]])
    #expect(writer.count == 3 && rows.count == 3)
    #expect(
      rows[0]["image_id"] as? Int == 139 && rows[1]["image_id"] as? String == "b-7" && rows[2]["image_id"] as? Int == 5)
    for row in rows {
      #expect(row["category_id"] as? Int == 90 && row["score"] as? Double == 0.12346)
      #expect(row["bbox"] as? [Double] == [1, 2.001, 10.25, 20.499])
    }
  }

  @Test func noDetectionsAreAnEmptyList() throws {
    let folder = try EvaluationFolder()
    let path = folder.path + "/results.json"
    try COCOResultsWriter(categoryIDs: []).write(to: path)
    #expect(try COCOResults(path: path, for: COCOAnnotations()).detections.isEmpty)
  }

  @Test func cocosCategoriesSkipTenIds() {
    #expect(COCOCategories.ids.count == 80 && COCOCategories.names.count == 80)
    #expect(COCOCategories.all[11] == COCOCategory(id: 13, name: "stop sign"))
    #expect(COCOCategories.all[79] == COCOCategory(id: 90, name: "toothbrush"))
  }
}
