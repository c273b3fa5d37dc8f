import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct AttachLossTests {
  @Test func aLossOfTheModelsOwn() throws {
    let model = Model("own", input: .image(3, 8, 8), loss: .mean { y, t in (y - t) * (y - t) }) { image, _ in
      Conv2D(3, kernel: 3)(image)
    }
    let lowered = try Pipeline.lowered(model.graph(), mode: .training)
    #expect(lowered.brief.contains("= composed_loss(%1) mean (y - t) * (y - t) → "))
  }
}
