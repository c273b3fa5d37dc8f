import SPD
import SPDCompiler
import TestSupport
import Testing

/// Equivalent graphs give the same results: the passes rely on it.
struct EquivalenceTests {
  /// A space-to-depth with the kernel of the convolution after it.
  struct Sample: Sendable, CustomTestStringConvertible {
    var op: Op.SpaceToDepth
    var kernel: Int
    var padding: Int
    var testDescription: String { "\(op.order) scale \(op.scale), kernel \(kernel), padding \(padding)" }

    static let all = Op.SpaceToDepth.Order.allCases.flatMap { order in
      [(2, 1, 0), (2, 3, 1), (3, 3, 0), (2, 2, 1)].map {
        Sample(op: Op.SpaceToDepth(scale: $0, order: order), kernel: $1, padding: $2)
      }
    }
  }

  @Test(arguments: Sample.all)
  func convolutionBehindSpaceToDepthIsAStridedOne(sample: Sample) throws {
    let (op, kernel) = (sample.op, sample.kernel)
    let (channels, outputs, scale) = (3, 5, op.scale)
    var maker = GraphMaker(channels, 12, 18, batch: 2)
    let inner = channels * scale * scale
    let part = maker.part("c", outputs, of: inner, kernel: Size2D(kernel), biased: true)
    let deep = try maker.add(.spaceToDepth(op), maker.input)
    _ = try maker.add(.convolution(.init(kernel: Size2D(kernel), padding: Size2D(sample.padding), part)), deep)
    let expected = try maker.run()

    // W'[o, c, scale·ky + r, scale·kx + q] = W[o, channel(c, r, q), ky, kx]
    let side = kernel * scale
    let weight = maker.values(of: part.weight)
    var permuted = [Float](repeating: .nan, count: outputs * channels * side * side)
    for o in 0..<outputs {
      for c in 0..<channels {
        for y in 0..<side {
          for x in 0..<side {
            let target = op.outputChannels(rowPhase: y % scale, columnPhase: x % scale, of: channels)
            let source = ((o * inner + target.first + c * target.stride) * kernel + y / scale) * kernel + x / scale
            permuted[((o * channels + c) * side + y) * side + x] = weight[source]
          }
        }
      }
    }
    var strided = GraphMaker(channels, 12, 18, batch: 2)
    let same = strided.part(
      "c", outputs, of: channels, kernel: Size2D(side), weight: permuted, bias: maker.values(of: part.bias!))
    let conv = Op.Convolution(
      kernel: Size2D(side), stride: Size2D(scale), padding: Size2D(sample.padding * scale), same)
    _ = try strided.add(.convolution(conv), strided.input)
    #expect(try distance(strided.run(), expected) < 1e-13)
  }

  /// The operand's views that are written as nodes; the graph is the same.
  @Test(arguments: Op.SpaceToDepth.Order.allCases, [2, 4])
  func viewsAreTheNodesTheyReplace(order: Op.SpaceToDepth.Order, factor: Int) throws {
    let op = Op.SpaceToDepth(scale: 2, order: order)
    let paper = Op.SpaceToDepth(scale: 2, order: .paper)

    func graph(views: Bool) throws -> GraphMaker {
      var maker = GraphMaker(3, 8, 12, batch: 2)
      func deep(_ x: Operand, _ op: Op.SpaceToDepth, _ maker: inout GraphMaker) throws -> Operand {
        views ? try #require(x.throughSpaceToDepth(op)) : try maker.add(.spaceToDepth(op), x)
      }
      func enlarged(_ x: Operand, _ maker: inout GraphMaker) throws -> Operand {
        views ? x.upsampled(by: factor) : try maker.add(.upsample(factor: factor), x)
      }
      func slice(_ x: Operand, _ first: Int, _ count: Int, _ maker: inout GraphMaker) throws -> Operand {
        views
          ? try #require(x.slice(first: first, count: count)) : try maker.add(.slice(first: first, count: count), x)
      }
      func joined(_ a: Operand, _ b: Operand, _ maker: inout GraphMaker) throws -> Operand {
        views ? .concat([a, b]) : try maker.add(.concat, a, b)
      }
      let relu = try maker.add(.activation(.leakyReLU(slope: 0.5)), maker.input)
      let pair = try joined(slice(maker.input, 1, 2, &maker), relu, &maker)
      let sampled = try deep(slice(pair, 1, 3, &maker), paper, &maker)
      let large = try enlarged(slice(sampled, 2, 7, &maker), &maker)
      let both = try joined(large, joined(slice(large, 3, 2, &maker), large, &maker), &maker)
      // Through an upsampling, and through a second sampling.
      let again = try deep(both, op, &maker)
      let twice = try deep(deep(pair, op, &maker), op, &maker)
      let first = maker.part("c", 4, of: maker.graph.shape(of: again).channels, kernel: 3)
      let a = try maker.add(.convolution(.init(kernel: 3, padding: 1, first)), again)
      let second = maker.part("d", 4, of: maker.graph.shape(of: twice).channels, kernel: 1)
      let b = try maker.add(.convolution(.init(kernel: 1, second)), twice)
      let c = try maker.add(.copy, again)
      maker.setOutputs(a, b, c, twice)
      return maker
    }
    let nodes = try graph(views: false)
    let views = try graph(views: true)
    #expect(views.graph.nodes.count == 5)
    #expect(nodes.graph.nodes.count > 10)
    #expect(try views.run() == nodes.run())
  }

  @Test func mergedSiblingsAreTheirConvolutions() throws {
    func parts(_ maker: inout GraphMaker) -> [Op.Convolution.Part] {
      var parts = [
        maker.part("a", 4, of: 6, kernel: 3, biased: true), maker.part("b", 2, of: 6, kernel: 3),
        maker.part("c", 6, of: 6, kernel: 3),
      ]
      parts[1].batchNorm = maker.norm("b.bn", 2)
      return parts
    }
    var apart = GraphMaker(6, 5, 7, batch: 2)
    var results: [Operand] = []
    for part in parts(&apart) {
      let op = Op.Convolution(kernel: 3, stride: 2, padding: 1, part)
      results.append(try apart.add(.convolution(op), apart.input))
    }
    _ = try apart.add(.concat, results[0], results[1], results[2])
    var merged = GraphMaker(6, 5, 7, batch: 2)
    let op = Op.Convolution(
      kernel: 3, stride: 2, padding: 1, dilation: 1, groups: 1, parts: parts(&merged))
    _ = try merged.add(.convolution(op), merged.input)
    #expect(try merged.run() == apart.run())
  }

  @Test func foldedNormIsASeparateOne() throws {
    func graph(folded: Bool) throws -> GraphMaker {
      var maker = GraphMaker(3, 4, 5)
      var part = maker.part("c", 4, of: 3, kernel: 3, biased: true)
      let norm = maker.norm("bn", 4)
      if folded { part.batchNorm = norm }
      let y = try maker.add(.convolution(.init(kernel: 3, padding: 1, part)), maker.input)
      if !folded { _ = try maker.add(.batchNorm(norm), y) }
      return maker
    }
    #expect(try graph(folded: true).run() == graph(folded: false).run())
  }

  /// Normalisation and activation after the space-to-depth, before it, and in the convolution's epilogue.
  @Test(arguments: Op.SpaceToDepth.Order.allCases, [2, 3])
  func normMovesInFrontOfSpaceToDepth(order: Op.SpaceToDepth.Order, scale: Int) throws {
    let op = Op.SpaceToDepth(scale: scale, order: order)
    enum Place { case after, before, epilogue }
    func graph(_ place: Place) throws -> GraphMaker {
      var maker = GraphMaker(3, 6, 12, batch: 2)
      // Two parts: phase and channel count over all of them.
      var conv = Op.Convolution(
        kernel: 3, padding: 1, maker.part("a", 3, of: 3, kernel: 3), maker.part("b", 2, of: 3, kernel: 3))
      var norm = maker.norm("bn", 5 * scale * scale)
      if place != .after { norm.enclosing = op }
      if place == .epilogue {
        conv.epilogue.stages.append(.normalizeByPhase(norm))
        conv.epilogue.stages.append(.activate(.silu))
      }
      var x = try maker.add(.convolution(conv), maker.input)
      if place == .before { x = try maker.add(.activation(.silu), maker.add(.batchNorm(norm), x)) }
      x = try maker.add(.spaceToDepth(op), x)
      if place == .after { x = try maker.add(.activation(.silu), maker.add(.batchNorm(norm), x)) }
      return maker
    }
    let expected = try graph(.after).run()
    #expect(try graph(.before).run() == expected)
    #expect(try graph(.epilogue).run() == expected)
  }

  @Test func epilogueIsItsNodes() throws {
    func graph(fused: Bool) throws -> GraphMaker {
      var maker = GraphMaker(3, 4, 4)
      let other = maker.part("o", 4, of: 3, kernel: 1)
      let residual = try maker.add(.convolution(.init(kernel: 1, other)), maker.input)
      var conv = Op.Convolution(kernel: 3, padding: 1, maker.part("c", 4, of: 3, kernel: 3))
      if fused {
        conv.epilogue.stages.append(.activate(.hardswish))
        conv.epilogue.stages.append(.add)
        conv.epilogue.stages.append(.activate(.relu))
        _ = try maker.add(.convolution(conv), maker.input, residual)
      } else {
        let y = try maker.add(.activation(.hardswish), maker.add(.convolution(conv), maker.input))
        _ = try maker.add(.activation(.relu), maker.add(.add, y, residual))
      }
      return maker
    }
    #expect(try graph(fused: true).run() == graph(fused: false).run())
  }
}
