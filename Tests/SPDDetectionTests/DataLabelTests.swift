import Testing

@testable import SPDDetection

@Suite struct DataLabelTests {
  private func parsed(_ text: String, classes: Int = 3) throws -> YOLOLabels {
    try YOLOLabels(Array(text.utf8), classCount: classes)
  }

  private func fault(_ text: String) -> YOLOLabels.Fault? {
    do throws(YOLOLabels.Fault) {
      _ = try YOLOLabels(Array(text.utf8), classCount: 3)
      return nil
    } catch {
      return error
    }
  }

  @Test func linesAreReadAsEditorsWriteThem() throws {
    let plain = try parsed("0 0.5 0.5 0.2 0.1\n2 0.25 0.75 0.5 0.5\n")
    #expect(plain.objects.map(\.classIndex) == [0, 2])
    #expect(plain.objects[1].box == SIMD4(0.25, 0.75, 0.5, 0.5))
    // A byte order mark, Windows line ends, tabs, blank lines, old Mac line ends, floats as classes, no last line end.
    for text in [
      "\u{FEFF}0 0.5 0.5 0.2 0.1\r\n2 0.25 0.75 0.5 0.5\r\n", "0\t0.5\t0.5  0.2\t0.1\n\n  \n2 0.25 0.75 0.5 0.5",
      "0.0 0.5 .5 2e-1 +0.1\r2.0 0.25 0.75 0.5 5.0E-1\r\r",
    ] { #expect(try parsed(text) == plain) }
  }

  @Test func columnsDecideLineByLineBetweenBoxAndOutline() throws {
    let labels = try parsed("1 0.1 0.2 0.5 0.2 0.5 0.8\n0 0.5 0.5 0.2 0.2\n2 0 0 1 0 1 1 0 1\n")
    #expect(labels.objects.map(\.polygon.count) == [3, 0, 4])
    #expect(labels.objects[0].polygon[2] == SIMD2(0.5, 0.8))
    let box = labels.objects[0].box
    #expect(abs(box.x - 0.3) < 1e-6 && abs(box.y - 0.5) < 1e-6 && abs(box.z - 0.4) < 1e-6 && abs(box.w - 0.6) < 1e-6)
  }

  @Test func repeatedRowsAreRemovedAndCounted() throws {
    let labels = try parsed("0 0.5 0.5 0.2 0.1\n1 0.5 0.5 0.2 0.1\n\n0 0.50 .5 0.2 0.1\n0.0 0.5 0.5 0.2 0.1\n")
    #expect(labels.objects.count == 2 && labels.duplicates == 2 && labels.duplicateLine == 4)
  }

  @Test(arguments: [
    ("0 0.5 0.5 0.2", "has 4 columns"), ("0 0.5 0.5 0.2 0.1 0.9", "is the last one a confidence?"),
    ("0 -0.1 0.5 0.2 0.1", "cx is -0.1"), ("0 0.5 0.5 1.2 0.1", "w is 1.2"), ("0 320 200 20 10", "is it in pixels?"),
    ("0 nan 0.5 0.2 0.1", "not finite"), ("0 0.5 inf 0.2 0.1", "not finite"), ("0 1e999 0.5 0.2 0.1", "not finite"),
    ("3 0.5 0.5 0.2 0.1", "class 3 is not below 3"), ("-1 0.5 0.5 0.2 0.1", "class -1"),
    ("0.5 0.5 0.5 0.2 0.1", "class 0.5"), ("1e30 0.5 0.5 0.2 0.1", "class"), ("cat 0.5 0.5 0.2 0.1", "`cat`"),
    ("0 0x1p-1 0.5 0.2 0.1", "`0x1p-1`"), ("0,0.5,0.5,0.2,0.1", "is not a number"), ("0 . 0.5 0.2 0.1", "`.`"),
    ("\u{1B}[31m", "\\u{1b}[31m"), ("0 - 0.5 0.2 0.1", "`-`"),
  ])
  func aWrongRowIsNamedWithItsLine(row: String, expected: String) {
    let found = fault("0 0.5 0.5 0.2 0.1\n\n\(row)\n")
    #expect(found?.line == 3)
    #expect(found?.reason.contains(expected) == true, "\(found?.reason ?? "nothing")")
  }

  @Test func numbersAreThoseOfTheStandardLibrary() {
    var texts = [
      "0", "1", "0.1", "123456789012345678", "0.12345678901234567", "9007199254740993", "1e-5", "5e-324", "-0.0",
    ]
    for _ in 0..<20_000 {
      let value = Double.random(in: 0...1)
      texts += ["\(value)", "\(Float(value))", String("\(value)".prefix(8))]
    }
    for text in texts {
      let bytes = Array(text.utf8)
      let parsed = bytes.withUnsafeBufferPointer { NumberParser.double($0[...]) }
      #expect(parsed?.bitPattern == Double(text)?.bitPattern, "\(text)")
    }
  }

  @Test func randomBytesNeverCrash() {
    let words = [
      "0", "1", "0.5", "-", ".", "nan", "e", "1e", "\n", "\r\n", " ", "\t", "\u{FEFF}", "9999999999", "0.1 0.2 0.3",
    ]
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 0...40)).map { _ in words.randomElement()! }.joined()
      _ = fault(text)
      let bytes = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255) }
      _ = try? YOLOLabels(bytes, classCount: 80)
    }
  }

  @Test func partsOfAnObjectBecomeOneOutlineOfTheSameArea() {
    let square: [SIMD2<Float>] = [SIMD2(0, 0), SIMD2(0.25, 0), SIMD2(0.25, 0.25), SIMD2(0, 0.25)]
    let other = square.map { $0 + SIMD2(0.5, 0.5) }
    let joined = Outline.joined([square, other.reversed(), square.map { $0 + SIMD2(0.5, 0) }])
    #expect(Outline.area(joined) == 3.0 / 16)
    #expect(Outline.box(joined) == SIMD4(0.375, 0.375, 0.75, 0.75))
    #expect(Outline.joined([]).isEmpty && Outline.area([]) == 0)
  }
}
