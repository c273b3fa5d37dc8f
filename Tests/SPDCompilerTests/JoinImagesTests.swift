import SPD
import TestSupport
import Testing

@testable import SPDCompiler

@Suite("join images") struct JoinImagesTests {
  private static func tiles(_ graph: Graph) throws -> [ConvolutionTile] {
    try LowerToPlan.plan(Pipeline.lowered(graph), prefix: "net", target: .x86v4).steps.compactMap {
      if case .convDirect(let tile) = $0.kernel { tile } else { nil }
    }
  }

  @Test func smallMapsFillTheRegisterTile() throws {
    let single = try Self.tiles(traced(64, 2, 2) { $0.through(Conv2D(64, kernel: 1), Conv2D(32, kernel: 1)) })
    let batch = try Self.tiles(traced(64, 2, 2, batch: 16) { $0.through(Conv2D(64, kernel: 1), Conv2D(32, kernel: 1)) })
    #expect(single.allSatisfy { !$0.joinsImages && $0.rows * $0.columns <= 4 })
    #expect(batch.count == 2 && batch.allSatisfy { $0.joinsImages && $0.rows * $0.columns > 4 })
  }

  @Test func throughSpaceToDepthAndStrides() throws {
    let tiles = try Self.tiles(
      traced(32, 4, 4, batch: 8) {
        $0.through(Conv2D(32, kernel: 1), SpaceToDepth(), Conv2D(32, kernel: 1), Conv2D(48, kernel: 1, stride: 2))
      })
    #expect(tiles.map(\.joinsImages) == [false, true, true])
  }

  /// A halo, which a 3×3 convolution needs, lies between the rows of two images.
  @Test func haloesKeepImagesApart() throws {
    let tiles = try Self.tiles(
      traced(32, 2, 2, batch: 8) { x in
        let y = Conv2D(32, kernel: 1)(x)
        return Conv2D(32, kernel: 1)(y) + Conv2D(32, kernel: 3, dilation: 2)(y)
      })
    #expect(tiles.contains { !$0.joinsImages })
    #expect(!tiles.contains { $0.joinsImages })
  }
}
