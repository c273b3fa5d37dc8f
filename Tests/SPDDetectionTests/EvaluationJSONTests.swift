import Foundation
import SPD
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct EvaluationJSONTests {
  private let text = #"""
    {"info": {"a": [1, {"b": null}], "images": []}, "annotations": [
      {"segmentation": [[1, 2.5, 3, 4, 5e0, 6], [0, 0, 1, 1, 2, 0]], "bbox": [1, 2.5, 3e1, 4.0], "iscrowd": 0,
       "category_id": 18.0, "image_id": 9007199254740993, "id": 1e2, "area": 12.25, "score": -0.5e-3},
      {"id": 2, "segmentation": {"counts": [1, 2], "size": [3, 4]}, "iscrowd": 1, "image_id": 7, "category_id": 1,
       "bbox": [0, 0, 2, 3], "ignore": true}],
     "images": [{"file_name": "d\u00e9j\u00e0\/\"\ud83d\ude00\n.jpg", "id": 9007199254740993, "height":4, "width": 3.0},
      {"\u0069d": 7, "id": 8, "file_name": null, "width": null}], "licenses": [true, false, "x\\"], "categories": [{"id": 18, "name": "dog"}, {"id": 1}]}
    """#

  @Test func keysComeInAnyOrderAndNumbersInAnyNotation() throws {
    let folder = try EvaluationFolder()
    let path = try folder.write(text)
    let file = try COCOAnnotations(path: path, polygons: true)
    #expect(file.categories == [COCOCategory(id: 18, name: "dog"), COCOCategory(id: 1, name: "1")])
    #expect(
      file.images == [
        COCOImage(id: 9_007_199_254_740_993, fileName: "déjà/\"😀\n.jpg", width: 3, height: 4), COCOImage(id: 8),
      ])
    let polygons: [[SIMD2<Float>]] = [[[1, 2.5], [3, 4], [5, 6]], [[0, 0], [1, 1], [2, 0]]]
    #expect(
      file.annotations == [
        COCOAnnotation(
          id: 100, imageID: 9_007_199_254_740_993, categoryID: 18, box: COCOBox(x: 1, y: 2.5, width: 30, height: 4),
          area: 12.25, polygons: polygons),
        COCOAnnotation(
          id: 2, imageID: 7, categoryID: 1, box: COCOBox(x: 0, y: 0, width: 2, height: 3), area: 6, isCrowd: true,
          isIgnored: true),
      ])
    #expect(try COCOAnnotations(path: path).annotations.allSatisfy(\.polygons.isEmpty))
  }

  @Test func numbersAreTheNearestDoubles() throws {
    var random = SplitMix64(seed: 3)
    var texts = [
      "0", "-0", "0.1", "1e22", "1e23", "-1e-22", "123456789012345678901234567890", "4.9e-324", "1e400",
      "9007199254740993", "0.000000000000000000000000000001", "179769313486231570000e289", "2.2250738585072011e-308",
      "1e-400", "0.30000000000000004", "18446744073709551616",
    ]
    for _ in 0..<2000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { texts.append("\(value)") }
      texts.append("\(random.uniform(-1000, 1000))")
      texts.append("\(Float(random.uniform()))")
    }
    for text in texts {
      let value = try Array(text.utf8).withUnsafeBytes { bytes in
        var json = JSONCursor(bytes, path: "")
        return try json.double()
      }
      #expect(value.bitPattern == Double(text)!.bitPattern, "\(text) became \(value)")
    }
  }

  @Test func integersMustBeExact() throws {
    func integer(_ text: String) -> Int? {
      Array(text.utf8).withUnsafeBytes { bytes in
        var json = JSONCursor(bytes, path: "")
        return try? json.integer("it")
      }
    }
    #expect(integer("9223372036854775807") == .max && integer("-9223372036854775808") == .min)
    #expect(integer("12.0") == 12 && integer("1.2e1") == 12 && integer("-0.0") == 0 && integer("1e3") == 1000)
    for text in ["9223372036854775808", "1.5", "1e30", "NaN", "Infinity", "99999999999999999999", "\"1\"", "true", ""] {
      #expect(integer(text) == nil, "\(text)")
    }
  }

  @Test(arguments: [
    ("", "a JSON object", "ends where"),
    ("[]", "a list", "holds a list"),
    (#"{"images":[],"annotations":[]}"#, "no categories", #"has no list "categories""#),
    (#"{"categories":[]}"#, "no images", #"has no list "images""#),
    (#"{"images":[{}],"categories":[]}"#, "an image without an id", "an image has no id (byte 11, line 1)"),
    (#"{"images":[{"id":1.5}]}"#, "a fractional id", "the image's id is not an integer of 64 bits (byte 17, line 1)"),
    (#"{"images":[{"id":1},{"id":"a"}],"categories":[]}"#, "mixed ids", "both by integers and by text"),
    ("{\"images\":[\n\n{\"id\":x}]}", "no value", "a number is expected (byte 19, line 3)"),
    (#"{"annotations":[{"id":1,"image_id":1,"category_id":1}]}"#, "no box", "an annotation has no bbox (byte 16"),
    (#"{"annotations":[{"bbox":[1,2,3]}]}"#, "three numbers", "a bbox has 3 of its four numbers"),
    (#"{"annotations":[{"bbox":[1,2,3,4,5]}]}"#, "five numbers", "a bbox has more than four numbers"),
    (#"{"annotations":[{"bbox":"x"}]}"#, "a text box", "an array is expected (byte 24, line 1)"),
    (#"{"annotations":{}}"#, "an object", "an array is expected"),
    (#"{"images":[],"categories":[],}"#, "a comma too many", "a comma is followed by no item"),
    (#"{"images":[] "categories":[]}"#, "a comma missing", "a comma or } is expected"),
    (#"{"images":[],"categories":[]} x"#, "more text", "there is text after the JSON value (byte 30, line 1)"),
    (#"{"a":01}"#, "a leading zero", "a comma or } is expected"), (#"{"a":1.}"#, "no digit", "a digit is expected"),
    (#"{"a":.5}"#, "no digit before the point", "a number is expected"),
    (#"{"a":"\x"}"#, "an escape", "unknown escape"),
    ("{\"a\":\"\n\"}", "a line feed", "a control character (byte 6, line 1)"), (#"{"a":"x"#, "no end", "has no end"),
  ])
  func faultsAreNamedWithTheirPlace(text: String, fault: String, message: String) throws {
    let folder = try EvaluationFolder()
    let path = try folder.write(text)
    let error = #expect(throws: DataError.self) { try COCOAnnotations(path: path) }
    #expect(error?.what.contains(message) == true && error?.path == path, "\(fault): \(error?.description ?? "none")")
  }

  /// By the id, as a number or as text, and then by the name of the file.
  @Test func imagesAreIdentifiedByText() throws {
    let folder = try EvaluationFolder()
    var truth = COCOAnnotations(images: [
      COCOImage(id: 1, fileName: "7.jpg"), COCOImage(id: 2, fileName: "1.jpg"), COCOImage(id: 3, fileName: "sub/x.png"),
      COCOImage(id: 4, fileName: "0003.jpg"),
    ])
    func ids(_ texts: String...) throws -> [Int] {
      let rows = texts.map { #"{"image_id":"\#($0)","category_id":1,"bbox":[1,2,3,4],"score":1}"# }
      return try COCOResults(path: folder.write("[" + rows.joined(separator: ",") + "]"), for: truth).detections
        .map(\.imageID)
    }
    #expect(try ids("1", "7", "x", "0003", "nobody") == [1, 1, 3, 4])
    truth.images.append(COCOImage(id: 5, fileName: "x.jpg"))
    let error = #expect(throws: DataError.self) { try ids("x") }
    #expect(error?.what.contains("2 images are called x, apart from their folders and extensions") == true)
  }

  @Test(arguments: [
    (#"{}"#, "holds an object"), (#"[{}]"#, "a detection has no category_id (byte 1"),
    (#"[{"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]"#, "a detection has no score"),
    (#"[{"category_id":1,"bbox":[1,2,3,4],"score":1}]"#, "a detection has no image_id"),
    (#"[{"score":null}]"#, "a number is expected"), (#"[{"score":true}]"#, "a number is expected"),
    (#"[1]"#, "an object"),
    (#"[{"image_id":1"#, "ends where a comma or } is expected"),
  ])
  func faultsOfDetectionsAreNamed(text: String, message: String) throws {
    let folder = try EvaluationFolder()
    let path = try folder.write(text)
    let error = #expect(throws: DataError.self) { try COCOResults(path: path, for: COCOAnnotations()) }
    #expect(error?.what.contains(message) == true, "\(error?.description ?? "none")")
  }

  @Test func noFileIsAnErrorWithItsPath() {
    let error = #expect(throws: DataError.self) { try COCOAnnotations(path: "/no/such/file.json") }
    #expect(error?.path == "/no/such/file.json")
  }

  @Test func everyTruncationIsAnErrorAndNoDamageCrashes() throws {
    let folder = try EvaluationFolder()
    let bytes = Array(text.utf8)
    for length in stride(from: 0, to: bytes.count, by: 3) {
      let path = try folder.write(Array(bytes[..<length]))
      #expect(throws: DataError.self) { try COCOAnnotations(path: path, polygons: true) }
    }
    var random = SplitMix64(seed: 8)
    var survivors = 0
    for _ in 0..<1500 {
      var damaged = bytes
      for _ in 0...random.below(3) {
        let position = random.below(damaged.count)
        switch random.below(3) {
        case 0: damaged[position] = UInt8(random.below(256))
        case 1: damaged.remove(at: position)
        default: damaged.insert(Array("{}[]\",:-.eEN019\\u".utf8)[random.below(17)], at: position)
        }
      }
      let path = try folder.write(damaged)
      if let file = try? COCOAnnotations(path: path, polygons: true) {
        survivors += 1
        _ = try COCOEvaluator(file).evaluate(COCOResults(detections: []))
      }
    }
    #expect(survivors > 20 && survivors < 1400)
  }

  @Test func deepNestingIsAnError() throws {
    let folder = try EvaluationFolder()
    let path = try folder.write(#"{"x":"# + String(repeating: "[", count: 1_000_000))
    let error = #expect(throws: DataError.self) { try COCOAnnotations(path: path) }
    #expect(error?.what.contains("nested too deeply") == true)
  }
}
