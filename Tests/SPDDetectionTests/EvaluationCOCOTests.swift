import Foundation
import SPDData
import SPDDetection
import SPDVision
import Testing

@Suite struct EvaluationCOCOTests {
  struct Case: Decodable {
    var name: String, annotations: String, detections: String, expected: [Double]
  }

  private func read(_ folder: EvaluationFolder, _ annotations: String, _ detections: String) throws -> (
    COCOAnnotations, COCOResults
  ) {
    let truth = try COCOAnnotations(path: folder.write(annotations, to: "annotations.json"))
    return (truth, try COCOResults(path: folder.write(detections, to: "detections.json"), for: truth))
  }

  /// Recorded by Tests/Peers/coco_eval.py.
  @Test func allTwelveNumbersEqualPycocotools() throws {
    let folder = try EvaluationFolder()
    let cases: [Case] = try evaluationFixture("pycocotools.json")
    #expect(cases.count >= 50)
    for recorded in cases {
      let (truth, found) = try read(folder, recorded.annotations, recorded.detections)
      let evaluator = COCOEvaluator(truth)
      let evaluation = try evaluator.evaluate(found, threads: 1)
      for (name, (value, expected)) in zip(COCOMetrics.names, zip(evaluation.metrics.values, recorded.expected)) {
        #expect(abs(value - expected) <= 1e-9, "\(recorded.name), \(name): \(value), not \(expected)")
      }
      #expect(try evaluator.evaluate(found, threads: 5) == evaluation, "\(recorded.name) depends on the threads")
    }
  }

  @Test func aCategoryEqualsItsEvaluationAlone() throws {
    let folder = try EvaluationFolder()
    let cases: [Case] = try evaluationFixture("pycocotools.json")
    for recorded in cases where recorded.name.hasPrefix("random") && !recorded.name.contains("repeated_id") {
      let (truth, found) = try read(folder, recorded.annotations, recorded.detections)
      let together = try COCOEvaluator(truth).evaluate(found)
      for category in together.categories {
        var alone = truth
        alone.categories = [category.category]
        let expected = try COCOEvaluator(alone).evaluate(found)
        #expect(category == expected.categories[0] && category.metrics == expected.metrics)
      }
    }
  }

  @Test func theFactsGoldenIsMet() throws {
    let boxes = (0..<7).map { COCOBox(x: Double($0) * 100, y: 0, width: 50, height: 50) }
    let isTrue = [true, true, false, true, false, false, true]
    let objects = [0, 1, 3, 6].map { boxes[$0] } + [COCOBox(x: 0, y: 900, width: 50, height: 50)]
    let truth = COCOAnnotations(
      images: [COCOImage(id: 1)], categories: [COCOCategory(id: 1, name: "a")],
      annotations: objects.enumerated().map { COCOAnnotation(id: $0 + 1, imageID: 1, categoryID: 1, box: $1) })
    let found = COCOResults(
      detections: isTrue.indices.map {
        COCODetection(imageID: 1, categoryID: 1, box: boxes[$0], score: 1 - Double($0) / 10)
      })
    let metrics = try COCOEvaluator(truth).evaluate(found).metrics
    #expect(abs(metrics.ap - 0.6676096) < 5e-8 && abs(metrics.ar100 - 0.8) < 1e-12)
  }

  @Test func unknownImagesAreAnErrorOrLeftOut() throws {
    let folder = try EvaluationFolder()
    let (truth, found) = try read(
      folder,
      #"""
      {"images":[{"id":1,"file_name":"a/x.y.jpg"}],"categories":[{"id":1,"name":"c"}],
       "annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,9,9]}]}
      """#,
      #"""
      [{"image_id":"x.y","category_id":1,"bbox":[0,0,9,9],"score":0.9},
       {"image_id":7,"category_id":1,"bbox":[0,0,9,9],"score":1},
       {"image_id":"z","category_id":1,"bbox":[0,0,9,9],"score":1},
       {"image_id":1,"category_id":8,"bbox":[0,0,9,9],"score":NaN}]
      """#)
    let error = #expect(throws: DataError.self) { try COCOEvaluator(truth).evaluate(found) }
    #expect(
      error?.what == "2 detections are in images that the annotations do not list, the first in image 7"
        && error?.path.hasSuffix("detections.json") == true && error?.remedy.contains("--skip-unknown") == true)
    let evaluation = try COCOEvaluator(truth).evaluate(found, skipsUnknownImages: true)
    #expect(evaluation.metrics.ap > 0.999 && evaluation.unknownImages == 2 && evaluation.unknownCategories == 1)
    #expect(evaluation.images == 1 && evaluation.objects == 1 && evaluation.detections == 1)
  }

  @Test func scoresThatAreNotANumberAreCounted() throws {
    let truth = COCOAnnotations(images: [COCOImage(id: 1)], categories: [COCOCategory(id: 1, name: "a")])
    let box = COCOBox(x: 0, y: 0, width: 1, height: 1)
    let found = COCOResults(detections: [COCODetection(imageID: 1, categoryID: 1, box: box, score: .nan)])
    #expect(try COCOEvaluator(truth).evaluate(found).scoresNotANumber == 1)
  }

  @Test func labelledImagesAreEvaluatedWithoutAFile() throws {
    let object = LabelledObject(
      classIndex: 1, box: [0.5, 0.5, 0.25, 0.5], polygon: [[0, 0], [1, 0], [1, 1]], area: 900)
    let images = ["a", "b"].map { LabelledImage(path: $0, width: 128, height: 64, objects: [object]) }
    let truth = COCOAnnotations(
      images, categories: [COCOCategory(id: 7, name: "a"), COCOCategory(id: 9, name: "b")])
    #expect(truth.images.map(\.id) == [1, 2] && truth.annotations.map(\.id) == [1, 2])
    #expect(truth.annotations[1].polygons == [[[0, 0], [128, 0], [128, 64]]] && truth.annotations[1].area == 900)
    let found = COCOResults(detections: [
      COCODetection(Detection(classIndex: 1, score: 0.5, box: [48, 16, 80, 48]), imageID: 2, categoryID: 9)
    ])
    #expect(truth.annotations[1].box == found.detections[0].box)
    let metrics = try COCOEvaluator(truth).evaluate(found).metrics
    #expect(metrics.ar100 == 0.5 && metrics.arSmall == 0.5 && metrics.apMedium == -1)
    let withIDs = COCOAnnotations([LabelledImage(path: "", width: 1, height: 1, objects: [], id: 42)], categories: [])
    #expect(withIDs.images.map(\.id) == [42])
  }

  @Test func repeatedImagesAreListedAndCountOnce() throws {
    let truth = COCOAnnotations(images: [3, 1, 3, 2, 2].map { COCOImage(id: $0) })
    #expect(truth.repeatedImageIDs == [2, 3])
    #expect(try COCOEvaluator(truth).evaluate(COCOResults(detections: [])).images == 3)
  }

  @Test func metricsAreEncodedUnderTheirNames() throws {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(COCOMetrics()))
    #expect((object as? [String: Double])?.keys.sorted() == COCOMetrics.names.sorted())
    #expect(COCOMetrics.names.count == 12 && COCOMetrics().values == [Double](repeating: -1, count: 12))
  }
}
