import Foundation
import SPD
import SPDTemplates
import Testing

@testable import SPDCompiler

/// That each kernel answers everything is the compiler's to check; these are about what it cannot see.
@Suite struct KernelModuleTests {
  /// All kernels: the one after `kernel`. A new case does not compile until it is here.
  private static func next(_ kernel: Kernel?) -> Kernel? {
    let tile = ConvolutionTile(
      strip: 2, rows: 1, columns: 6, unitRows: 2, stripMajor: false, rowsAhead: 1, weightsAhead: 64)
    let winograd = WinogradTile(size: 4, strip: 2, tiles: 60, group: 6, chunk: 1, shared: true)
    switch kernel {
    case nil: return .convDirect(tile)
    case .convDirect: return .convWinograd(winograd)
    case .convWinograd: return .convImage(tile, scale: 2)
    case .convImage: return .convImageWinograd(winograd, scale: 2)
    case .convImageWinograd: return .convDepthwise
    case .convDepthwise: return .convGrouped
    case .convGrouped: return .pointwise
    case .pointwise: return .maxPool
    case .maxPool: return .averagePool
    case .averagePool: return .globalAverage
    case .globalAverage: return .softmax
    case .softmax: return .flatten
    case .flatten: return .decode
    case .decode: return .copy
    case .copy: return .store(output: 1)
    case .store: return .statistics
    case .statistics: return .normalize
    case .normalize: return .batchNormBackwardReduce
    case .batchNormBackwardReduce: return .normalizeGradient
    case .normalizeGradient:
      return .weightGradient(
        WeightGradientTile(inputs: 8, vectors: 2, rows: 1, group: 1, across: 1, chunks: 1, fetches: false))
    case .weightGradient:
      return .weightGradient1x1(WeightGradient1x1Tile(inputs: 8, vectors: 2, panel: 64, across: 1, turns: 1))
    case .weightGradient1x1:
      return .weightGradientWinograd(
        WinogradGradientTile(size: 4, inputs: 8, vectors: 2, tiles: 32, group: 4, share: 4))
    case .weightGradientWinograd: return .weightGradientImage(scale: 1, chunks: 4)
    case .weightGradientImage: return .activationGradient
    case .activationGradient: return .poolGradient
    case .poolGradient: return .globalAverageGradient
    case .globalAverageGradient: return .copyGradient
    case .copyGradient: return .clear
    case .clear: return .crossEntropy
    case .crossEntropy: return .yoloLoss
    case .yoloLoss: return .composedLoss
    case .composedLoss: return .update(parameters: ["weight"])
    case .update: return nil
    }
  }

  private static let all = Array(
    sequence(state: nil as Kernel?) { kernel in
      kernel = next(kernel)
      return kernel
    })

  @Test(arguments: all)
  func itsTemplateExists(_ kernel: Kernel) throws {
    let text = try #require(SPDTemplates.load()[kernel.template])
    #expect(text.contains("@NAME@("))
  }

  /// Plans are written as JSON, and tuning keeps kernels in a file.
  @Test(arguments: all)
  func itIsTheSameAfterJSON(_ kernel: Kernel) throws {
    #expect(try JSONDecoder().decode(Kernel.self, from: JSONEncoder().encode(kernel)) == kernel)
  }

  /// Nothing but a step without a node knows what it does by itself.
  @Test func stepsWithoutNodeSayWhatTheyDo() {
    let standalone = Self.all.filter { $0.module is any StandaloneKernel }
    #expect(standalone.map(\.template) == ["copy", "update"])
    #expect(
      standalone.map { Plan.Step(node: nil, kernel: $0, reads: []).purpose } == [
        "the network's output", "update of weight",
      ])
  }

  @Test func tilesAreExplained() {
    let explained = Self.all.map(\.explanation).filter { !$0.isEmpty }
    #expect(explained == ["6×2", "F(4) 6×2 of 60 shared", "6×2", "F(4) 6×2 of 60 shared"])
  }

  /// Every convolution has one kernel by the formula.
  @Test(arguments: [(32, 48, 1), (32, 32, 32), (32, 32, 2), (24, 12, 3), (3, 24, 1), (40, 60, 4)])
  func everyConvolutionHasABase(inputs: Int, outputs: Int, groups: Int) throws {
    let model = Model("one", input: .image(inputs, 8, 8)) { image, _ in
      (inputs > 4 ? image.through(ReLU()) : image).through(Conv2D(outputs, kernel: 3, groups: groups))
    }
    let graph = try Pipeline.run(model.graph()).graph
    let choose = ChooseKernels(graph: graph, target: .x86v3, options: KernelOptions(algorithms: .exact))
    let node = try #require(graph.nodes.last)
    let op = try #require(node.op.convolution)
    let wanted =
      inputs == 3 ? "conv_image" : groups == 32 ? "conv_depthwise" : groups > 2 ? "conv_grouped" : "conv_direct"
    #expect(choose.base(node, op).kernel.template == wanted)
  }
}
