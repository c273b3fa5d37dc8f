import SPDDriver
import Testing

/// The limit of `spdc verify` follows the largest value of a result, not each of its values.
@Suite struct ComparisonTests {
  private func compare(_ found: [Float], _ expected: [Float]) -> SPDDriver.Comparison {
    SPDDriver.Comparison("layer", "%1", found, expected, absolute: 5e-4, relative: 1e-5)
  }

  /// The sums of RetinaNet's heads go up to 519; float32 leaves 1.7e-6 of that in each of them.
  @Test func largeSums() {
    #expect(compare([519, 0.5 + 8.8e-4], [519, 0.5]).isWithin)
    #expect(!compare([519, 0.5 + 8.8e-3], [519, 0.5]).isWithin)
    #expect(!compare([1, 0.5 + 8.8e-4], [1, 0.5]).isWithin)
  }

  @Test func whatIsNotFinite() {
    #expect(compare([.nan, .infinity, 1], [.nan, .infinity, 1]).isWithin)
    #expect(compare([.infinity, 1.1], [.infinity, 1]).beyond == 1)
    #expect(compare([.nan, 1], [0, 1]).beyond == 1)
    #expect(compare([.infinity, 1], [0, 1]).beyond == 1)
    #expect(compare([-.infinity, 1], [.infinity, 1]).beyond == 1)
    #expect(compare([1], [1]).maxValue == 1)
  }
}
