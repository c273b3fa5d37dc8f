import Testing

@testable import SPDVision

@Suite struct AnnotateTests {
  private func colour(_ image: Image, _ x: Int, _ y: Int) -> RGB {
    let offset = (y * image.width + x) * 3
    return RGB(image.pixels[offset], image.pixels[offset + 1], image.pixels[offset + 2])
  }

  private let grey = RGB(90, 90, 90)

  @Test func theBoxIsDrawnInsideItsEdges() {
    var image = Image(width: 100, height: 80, filledWith: grey)
    annotate(&image, detections: [Detection(classIndex: 4, score: 0.5, box: [20, 30, 60, 70])], names: ["a"])
    let line = classColour(4)
    for (x, y) in [(20, 30), (59, 69), (20, 50), (59, 50), (40, 69)] { #expect(colour(image, x, y) == line) }
    for (x, y) in [(60, 50), (19, 50), (40, 70), (21, 50), (40, 50)] { #expect(colour(image, x, y) == grey) }
    // The label, "class 4 0.50" in eleven rows, sits on the box.
    #expect(colour(image, 20, 19) == line && colour(image, 20, 18) == grey)
  }

  @Test func lineWidthFollowsTheImage() {
    var image = Image(width: 1200, height: 800, filledWith: grey)
    annotate(&image, detections: [Detection(classIndex: 0, score: 0.5, box: [100, 200, 900, 700])], names: [])
    #expect(colour(image, 102, 400) == classColour(0) && colour(image, 103, 400) == grey)
  }

  @Test func labelsStayInsideTheImage() {
    // In the top right corner there is no room above the box nor to its right.
    var image = Image(width: 120, height: 60, filledWith: grey)
    let detection = Detection(classIndex: 1, score: 0.99, box: [100, 0, 120, 50])
    annotate(&image, detections: [detection], names: ["", "bicycle"])
    let labelWidth = "bicycle 0.99".count * Font.advance + 1
    #expect(colour(image, 120 - labelWidth, 0) == classColour(1))
    #expect(colour(image, 119 - labelWidth, 0) == grey)
    #expect(colour(image, 120 - labelWidth, 10) == classColour(1))
    // Ground truth has no score, so its label is shorter.
    var truth = Image(width: 120, height: 60, filledWith: grey)
    annotate(&truth, detections: [detection], names: ["", "bicycle"], showsScores: false)
    #expect(colour(truth, 120 - labelWidth, 0) == grey && colour(truth, 120 - Font.advance, 0) == classColour(1))
  }

  @Test func anyBoxAndAnyNameCanBeDrawn() {
    let odd: [SIMD4<Float>] = [
      [.nan, 0, 5, 5], [-1e30, -.infinity, 1e30, .infinity], [5, 5, 5, 5], [9, 9, 2, 2], [500, 500, 600, 600],
      [0, 0, 1, 1],
    ]
    for (width, height) in [(1, 1), (3, 40), (40, 3), (50, 50), (900, 12)] {
      for name in ["", "ünïcödé 漢字", String(repeating: "long ", count: 60), "a\nb"] {
        for (index, box) in odd.enumerated() {
          var image = Image(width: width, height: height, filledWith: grey)
          let score: Float = [0.5, .nan, -1, 2, .infinity, 1][index]
          let detections = [0, -3, Int.max, Int.min].map { Detection(classIndex: $0, score: score, box: box) }
          annotate(&image, detections: detections, names: [name])
          #expect(image.isValid)
        }
      }
    }
  }

  @Test func coloursOfEightyClassesDiffer() {
    let colours = (0..<80).map(classColour)
    for (index, a) in colours.enumerated() {
      for (other, b) in colours.enumerated() where other > index {
        let parts = [(a.red, b.red), (a.green, b.green), (a.blue, b.blue)]
        let distance = parts.reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(distance >= (other - index < 8 ? 60 : 12), "classes \(index) and \(other)")
      }
    }
  }

  @Test func everyPrintableCharacterHasAGlyphOfItsOwn() {
    let printable = (32..<127).map { Array(Font.rows(of: Character(UnicodeScalar($0)))) }
    #expect(Set(printable).count == 95)
    #expect(printable[0].allSatisfy { $0 == 0 })
    #expect(Array(Font.rows(of: "L")) == [16, 16, 16, 16, 16, 16, 31, 0, 0])
    #expect(Font.rows(of: "漢") == Font.rows(of: "\u{7F}"))
    #expect(!printable.contains(Array(Font.rows(of: "漢"))))
  }
}
