import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct ChooseTileTests {
  /// As many sums as the template holds in registers, and no tile that an upsampled segment would cut in two.
  @Test(arguments: Shipped.names, Target.named.map(\.name))
  func tilesFitTheirConvolutions(name: String, target: String) throws {
    let target = try #require(Target.named.first { $0.name == target })
    let plan = try LowerToPlan.plan(Shipped.lowered(name), prefix: "net", target: target)
    for (node, tile) in tiles(plan) {
      let shape = node.shape
      let blocks = ChooseTile.ceilDivide(shape.channels, channelBlock)
      #expect((1...blocks).contains(tile.strip))
      #expect((1...shape.height).contains(tile.rows) && (1...shape.width).contains(tile.columns))
      #expect(tile.unitRows % tile.rows == 0)
      // Only whole rows are tiled in two dimensions.
      #expect(tile.rows == 1 || tile.columns == shape.width)
      #expect(wholePixels(node, tile))
      let vectors = tile.strip * channelBlock / target.lanes
      if target.lanes >= 4, node.inputs.flatMap(\.segments).allSatisfy({ $0.upsampling == 1 }) {
        #expect(tile.rows * tile.columns * vectors + vectors <= target.registers)
      }
    }
  }

  @Test func theTileOfTheLargestConvolution() throws {
    // 96 → 96 channels, 3×3 at 160×160: two vectors of weights, as many pixels as the registers hold and divide the row.
    let problem = ChooseTile.Problem(
      output: Shape(batch: 1, channels: 96, height: 160, width: 160), depth: 96 * 9, sourceBytes: 4 * 96 * 160 * 160)
    let wide = ChooseTile.tile(problem, target: .x86v4)
    #expect([wide.strip, wide.rows, wide.columns] == [2, 1, 10])
    let narrow = ChooseTile.tile(problem, target: .x86v3)
    #expect([narrow.strip, narrow.rows, narrow.columns] == [1, 1, 6])
  }

  /// Where the weights fit the cache the map goes by in bands, where they do not and the map does, strip by strip.
  @Test func theLargerStreamIsReadOnce() throws {
    func order(_ channels: Int, _ size: Int) -> Bool {
      let output = Shape(batch: 1, channels: channels, height: size, width: size)
      let problem = ChooseTile.Problem(
        output: output, depth: channels * 9, sourceBytes: 4 * channels * size * size)
      return ChooseTile.tile(problem, target: .x86v4).stripMajor
    }
    #expect(!order(48, 320))
    #expect(order(512, 4))
  }

  /// Tiles begin at whole source pixels of every segment, whatever the factors.
  @Test(arguments: [[2, 3], [2, 2], [4, 3], [6, 4]])
  func tilesBeginAtWholePixelsOfEveryFactor(factors: [Int]) throws {
    let graph = try traced(16, 12, 12) { image in
      let x = ReLU()(image)
      let parts = factors.map { factor in
        x.through(MaxPool(Size2D(factor))).upsampled(factor).upsampled(2)
      }
      return concat(parts).through(Conv2D(16, kernel: 1))
    }
    for target in Target.named {
      let plan = try LowerToPlan.plan(Pipeline.lowered(graph), prefix: "net", target: target)
      #expect(!plan.steps.contains { $0.kernel == .copy && $0.node != plan.steps[0].node })
      for (node, tile) in tiles(plan) { #expect(wholePixels(node, tile), "\(target.name): \(tile)") }
    }
  }

  private func tiles(_ plan: Plan) -> [(Node, ConvolutionTile)] {
    plan.steps.compactMap { step in
      switch step.kernel {
      case .convDirect(let tile), .convImage(let tile, _): (plan.graph[step.node!], tile)
      default: nil
      }
    }
  }

  private func wholePixels(_ node: Node, _ tile: ConvolutionTile) -> Bool {
    node.inputs[0].segments.allSatisfy { segment in
      (tile.rows == 1 || tile.rows >= node.shape.height || tile.rows % segment.upsampling == 0)
        && (tile.columns >= node.shape.width || tile.columns % segment.upsampling == 0)
    }
  }
}
