import SPDDetection
import Testing

@Suite struct LabelledImageTests {
  @Test func aBoxHasNoOutlineByDefault() {
    let object = LabelledObject(classIndex: 3, box: SIMD4(0.5, 0.5, 0.2, 0.1))
    #expect(object.polygon.isEmpty && !object.isCrowd && object.area == nil)
  }
}
