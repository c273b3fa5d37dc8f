import Foundation
import Testing

@testable import SPDVision

@Suite struct NonMaxSuppressionTests {
  private struct RecordedCase: Decodable {
    var count, classes, limit: Int
    var confidence, iou: Float
    var multiLabel, agnostic: Bool
    var keep: Set<Int>?
    var seed: UInt32
    var found: [Detection]
  }

  @Test func randomRowsEqualThePlainImplementation() throws {
    for recorded in try fixture("nms", of: RecordedCase.self) {
      let rowLength = 5 + recorded.classes
      var rows = uniform(recorded.count * rowLength, seed: recorded.seed).map { Float($0) / 16_777_216 }
      for start in stride(from: 0, to: rows.count, by: rowLength) {
        rows[start] *= 64
        rows[start + 1] *= 64
        rows[start + 2] = rows[start + 2] * 40 + 4
        rows[start + 3] = rows[start + 3] * 40 + 4
      }
      let twin = recorded.count / 2 * rowLength
      for column in 4..<rowLength { rows[twin + column] = rows[column] }
      let found = nonMaxSuppression(
        rows: rows, count: recorded.count, classes: recorded.classes, confidence: recorded.confidence,
        iou: recorded.iou, maxDetections: recorded.limit, multiLabel: recorded.multiLabel,
        agnostic: recorded.agnostic, keepClasses: recorded.keep)
      #expect(found == recorded.found, "seed \(recorded.seed)")
    }
  }

  /// Two boxes of 10×10, the second shifted by 2: IoU 80 / 120 = 0.667.
  private let overlapping: [Float] = [5, 5, 10, 10, 1, 0.9, 0.1, 7, 5, 10, 10, 1, 0.8, 0.7]

  @Test func theBetterOfTwoStays() {
    let found = nonMaxSuppression(rows: overlapping, count: 2, classes: 2)
    #expect(found == [Detection(classIndex: 0, score: 0.9, box: [0, 0, 10, 10])])
    #expect(nonMaxSuppression(rows: overlapping, count: 2, classes: 2, iou: 0.7).count == 2)
  }

  @Test func classesDoNotSuppressEachOther() {
    var rows = overlapping
    rows[12] = 0.2
    #expect(nonMaxSuppression(rows: rows, count: 2, classes: 2).map(\.classIndex) == [0, 1])
    #expect(nonMaxSuppression(rows: rows, count: 2, classes: 2, agnostic: true).map(\.classIndex) == [0])
  }

  @Test func multiLabelGivesARowSeveralClasses() {
    let found = nonMaxSuppression(rows: overlapping, count: 2, classes: 2, iou: 0.7, multiLabel: true)
    #expect(found.map(\.classIndex) == [0, 0, 1])
    #expect(found.map(\.score) == [0.9, 0.8, 0.7])
  }

  @Test func equalScoresKeepTheOrderOfRows() {
    let rows: [Float] = [5, 5, 10, 10, 0.5, 1, 6, 5, 10, 10, 0.5, 1, 90, 5, 10, 10, 0.5, 1]
    let found = nonMaxSuppression(rows: rows, count: 3, classes: 1)
    #expect(found.map(\.box.x) == [0, 85])
    #expect(nonMaxSuppression(rows: rows, count: 3, classes: 1, maxDetections: 1).map(\.box.x) == [0])
    #expect(nonMaxSuppression(rows: rows, count: 3, classes: 1, maxDetections: 0).isEmpty)
  }

  @Test func thresholdsAreStrict() {
    let row: [Float] = [5, 5, 10, 10, 0.5, 0.5]
    #expect(nonMaxSuppression(rows: row, count: 1, classes: 1, confidence: 0.25).isEmpty)
    #expect(nonMaxSuppression(rows: row, count: 1, classes: 1, confidence: 0.24).count == 1)
    // IoU exactly 0.5 does not exceed 0.5.
    let half: [Float] = [5, 5, 10, 10, 1, 1, 5, 2.5, 10, 5, 1, 0.9]
    #expect(nonMaxSuppression(rows: half, count: 2, classes: 1, iou: 0.5).count == 2)
  }

  @Test func theClassFilterComesAfterTheBestClass() {
    #expect(nonMaxSuppression(rows: overlapping, count: 2, classes: 2, keepClasses: [1]).isEmpty)
    let multi = nonMaxSuppression(rows: overlapping, count: 2, classes: 2, multiLabel: true, keepClasses: [1])
    #expect(multi.map(\.score) == [0.7])
  }

  @Test func numbersThatAreNoneAreSkipped() {
    for bad in [Float.nan, .infinity, -.infinity] {
      for column in 0..<4 {
        var row: [Float] = [5, 5, 10, 10, 1, 1]
        row[column] = bad
        #expect(nonMaxSuppression(rows: row, count: 1, classes: 1).isEmpty)
      }
    }
    #expect(nonMaxSuppression(rows: [5, 5, 9, 9, .nan, 1], count: 1, classes: 1).isEmpty)
    #expect(nonMaxSuppression(rows: [5, 5, 9, 9, 1, .nan], count: 1, classes: 1).isEmpty)
    #expect(nonMaxSuppression(rows: [], count: 0, classes: 80).isEmpty)
  }

  @Test func onlyTheBestThirtyThousandAreLookedAt() {
    var rows: [Float] = []
    for index in 0..<30_050 { rows += [Float(index) * 20, 5, 10, 10, 1, 0.5 + Float(index) / 100_000] }
    let found = nonMaxSuppression(rows: rows, count: 30_050, classes: 1, iou: 0.45, maxDetections: 5)
    let lefts: [Float] = [30_049, 30_048, 30_047, 30_046, 30_045].map { $0 * 20 - 5 }
    #expect(found.map(\.box.x) == lefts)
  }

  @Test func detectionsAreCodedWithAListOfFourNumbers() throws {
    let detection = Detection(classIndex: 3, score: 0.5, box: [1, 2, 3, 4.5])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(detection)
    #expect(String(decoding: data, as: UTF8.self) == #"{"box":[1,2,3,4.5],"classIndex":3,"score":0.5}"#)
    #expect(try JSONDecoder().decode(Detection.self, from: data) == detection)
  }
}
