import Models
import SPD
import Synchronization
import TestSupport
import Testing

@testable import SPDCompiler
@testable import SPDReference

/// A network that the interpreter runs in a moment, chosen so that passes meet one of their harder cases.
struct SmallNetwork: Sendable, CustomTestStringConvertible, CustomStringConvertible {
  var name: String
  private var make: @Sendable () throws -> Graph
  var description: String { name }
  var testDescription: String { name }

  private init(_ name: String, make: @escaping @Sendable () throws -> Graph) {
    self.name = name
    self.make = make
  }

  private init(
    _ name: String, _ channels: Int, _ height: Int, _ width: Int, batch: Int = 1,
    _ body: @escaping @Sendable (Tensor) -> Tensor
  ) {
    self.init(name) { try traced(channels, height, width, batch: batch, body) }
  }

  private init(
    _ name: String, several channels: Int, _ height: Int, _ width: Int, _ body: @escaping @Sendable (Tensor) -> [Tensor]
  ) {
    self.init(name) { try traced(channels, height, width, batch: 2, body) }
  }

  func graph() throws -> Graph { try make() }

  /// What the interpreter makes of a graph of this network.
  func results(of graph: Graph) throws -> [Values] {
    let parameters = SyntheticCache.parameters(of: graph)
    return try Interpreter(graph: graph, precision: .double) { parameters[$0]! }
      .results(input: syntheticInput(graph.input.shape))
  }

  static let all: [SmallNetwork] = shipped + custom

  private static let shipped = [
    SmallNetwork("resnet18-spd at 32×32") { try resnet18SPD.graph(size: 32, classes: 10) },
    SmallNetwork("yolov5-spd-n at 64×64") { try yolov5SPDN.graph(size: 64, classes: 3) },
    SmallNetwork("yolov5n at 64×64") { try yolov5N.graph(size: 64, classes: 3) },
  ]

  /// What does not need millions of weights.
  static let custom: [SmallNetwork] =
    Op.SpaceToDepth.Order.allCases.map { order in
      SmallNetwork("space-to-depth in \(order.rawValue) order", 3, 12, 8, batch: 2) {
        $0.through(
          SpaceToDepth(order: order), Conv2D(24, kernel: 3, bias: false), BatchNorm(), SiLU(),
          Conv2D(20, kernel: 3), SpaceToDepth(order: order), BatchNorm(), ReLU(), Conv2D(16, kernel: 1))
      }
    } + [
      SmallNetwork("space-to-depth for a stride and for a pool", 3, 16, 16) {
        $0.through(
          Conv(16, kernel: 3), SpaceToDepth(), Conv(24, kernel: 1), Conv2D(24, kernel: 3), SpaceToDepth(),
          BatchNorm(), SiLU(), Conv(16, kernel: 3, stride: 2), MaxPool(2))
      },
      SmallNetwork("space-to-depth of scale 3", 3, 18, 18) {
        $0.through(
          SpaceToDepth(scale: 3), Conv2D(8, kernel: 3), SpaceToDepth(scale: 3, order: .pixelUnshuffle), BatchNorm(),
          ReLU(), Conv2D(4, kernel: 1))
      },
      SmallNetwork("space-to-depth of space-to-depth", 4, 16, 16) {
        $0.through(
          Conv2D(8, kernel: 3), SpaceToDepth(), SpaceToDepth(order: .onnx), BatchNorm(), ReLU(), Conv2D(4, kernel: 3),
          MaxPool(1), SpaceToDepth(), Softmax())
      },
      SmallNetwork("groups", 3, 8, 8) {
        $0.through(
          Conv(32, kernel: 3), Conv(32, kernel: 3, groups: 2), Conv(32, kernel: 3, groups: 32),
          Conv(24, kernel: 3, stride: 2, groups: 8), SpaceToDepth(), Conv(48, kernel: 1, groups: 3))
      },
      SmallNetwork("a normalisation by phase after groups", 3, 8, 8) {
        $0.through(
          Conv(32, kernel: 3), Conv2D(32, kernel: 3, groups: 2), SpaceToDepth(), BatchNorm(), ReLU(),
          Conv2D(12, kernel: 3, groups: 4), SpaceToDepth(), BatchNorm())
      },
      SmallNetwork("a concat of 24 and 24 channels", 3, 8, 8) { image in
        let x = Conv(24, kernel: 3)(image)
        return concat(Conv(24, kernel: 1)(x), Conv(24, kernel: 3)(x)).through(Conv(8, kernel: 3), Conv2D(4, kernel: 1))
      },
      SmallNetwork("a concat in a concat, and one that a pool reads", 3, 8, 8) { image in
        let x = Conv(24, kernel: 3)(image)
        let inner = concat(x, Conv(8, kernel: 1)(x))
        let outer = concat(inner, Conv(16, kernel: 3)(inner), inner.channels(8..<30))
        return concat(MaxPool(3, stride: 1, padding: 1)(outer), outer).through(Conv(8, kernel: 1))
      },
      SmallNetwork("upsampling before a 3×3 convolution", 3, 6, 6) { image in
        let x = Conv(16, kernel: 3, stride: 2)(image)
        return concat(x.upsampled(2), Conv(16, kernel: 1)(image)).through(Conv(8, kernel: 3))
      },
      SmallNetwork("upsampling by 2, 3 and 6", 3, 12, 12) { image in
        let x = Conv(16, kernel: 3, stride: 2)(image)
        let y = Conv(16, kernel: 3, stride: 3)(image)
        let z = MaxPool(2)(x).upsampled(2).upsampled(2)
        return concat(x.upsampled(2), y.upsampled(3), z).through(Conv(8, kernel: 1))
      },
      SmallNetwork("upsampling beside other channels, for siblings and a residual", 3, 16, 8, batch: 2) { image in
        let x = Conv(24, kernel: 3)(image)
        let small = Conv(40, kernel: 3, stride: 2)(x)
        let neck = concat(x, small.upsampled(2), small.channels(0..<20).upsampled(2))
        let (a, b) = (Conv(32, kernel: 1)(neck), Conv(20, kernel: 1)(neck))
        return a.through(Conv(20, kernel: 3)) + (Conv(20, kernel: 1)(concat(MaxPool(2)(small).upsampled(4), x)) + b)
      },
      SmallNetwork("upsampling before a normalisation by phase", 3, 12, 12) { image in
        let x = Conv(16, kernel: 3)(image)
        let small = x.through(SpaceToDepth(scale: 3), Conv(24, kernel: 1))
        return concat(small.upsampled(3), x).through(Conv2D(20, kernel: 1), SpaceToDepth(), BatchNorm(), ReLU())
      },
      SmallNetwork("upsampling and space-to-depth in turn", 3, 8, 8) { image in
        let x = Conv(16, kernel: 3)(image)
        return concat(
          x.upsampled(2).through(SpaceToDepth()), x.through(SpaceToDepth()).upsampled(2),
          x.upsampled(3).through(SpaceToDepth(scale: 6)).upsampled(2).channels(0..<100),
          x.upsampled(3).through(SpaceToDepth(), MaxPool(3, stride: 3)).upsampled(2)
        ).through(Conv(8, kernel: 1))
      },
      SmallNetwork("slices", 5, 8, 8) { image in
        let x = Conv(48, kernel: 3)(image)
        let odd = x.channels(5..<21)
        let parts = [x.channels(0..<16), x.channels(16..<48).channels(16..<30), odd, odd.channels(3..<4)]
        return concat(parts.map { Conv(8, kernel: 3)($0) } + parts + [image.channels(1..<3)]).through(
          SpaceToDepth(order: .pixelUnshuffle)
        ).channels(7..<99).through(Conv2D(4, kernel: 1))
      },
      SmallNetwork("flatten and linear", 3, 8, 8, batch: 2) {
        $0.through(
          Conv(20, kernel: 3, stride: 2), MaxPool(2), SpaceToDepth(), Flatten(), Linear(24), ReLU(), Linear(10),
          Softmax())
      },
      SmallNetwork("a flatten that others read", several: 3, 4, 4) { image in
        let x = Conv(20, kernel: 3)(image)
        let flat = concat(x, image).through(Flatten())
        return [Linear(7)(flat), ReLU()(flat), x.through(SpaceToDepth(), Flatten())]
      },
      SmallNetwork("residuals", 3, 8, 8) { image in
        let x = Conv2D(16, kernel: 3)(image)
        let first = ReLU()(x.through(Conv(16, kernel: 3)) + x)
        let second = first + first.through(Conv(16, kernel: 3), Conv2D(16, kernel: 1))
        let third = Conv2D(16, kernel: 1)(second) + Conv2D(16, kernel: 3)(second)
        let fourth = third.through(BatchNorm()) + third + x
        let doubled = fourth + fourth
        let sliced = Conv2D(8, kernel: 1)(doubled) + doubled.channels(8..<16)
        let joined = Conv2D(16, kernel: 1)(doubled) + concat(sliced, sliced)
        return (Conv2D(64, kernel: 3)(joined) + concat(joined, joined, joined, joined)).through(
          SpaceToDepth(), SiLU())
      },
      SmallNetwork("a residual of the image and of a space-to-depth", 4, 8, 8) { image in
        let x = image + image.through(Conv2D(4, kernel: 3), Hardswish())
        return (Conv2D(16, kernel: 3, stride: 2)(x) + x.through(SpaceToDepth())).through(LeakyReLU(0.2))
      },
      SmallNetwork("several results, some of them views", several: 3, 8, 8) { image in
        let x = Conv(32, kernel: 3)(image)
        let deep = SpaceToDepth(order: .pixelUnshuffle)(x)
        return [
          x, deep, x.channels(5..<20), Conv(16, kernel: 1)(deep), concat(x, image), x.upsampled(2), image,
          image.through(SpaceToDepth()), x.through(GlobalAveragePool(), Flatten()),
        ]
      },
      SmallNetwork("siblings whose readers read slices", 3, 8, 8) { image in
        let x = Conv(32, kernel: 3)(image)
        let (a, b, c) = (Conv(32, kernel: 1)(x), Conv(48, kernel: 1)(x), Conv(24, kernel: 1)(x))
        let deep = concat(a.channels(16..<32), b.channels(7..<40), c).through(SpaceToDepth())
        return concat(
          deep.through(Conv(16, kernel: 1)), deep.through(Conv(16, kernel: 1)),
          b.channels(16..<48).through(MaxPool(2)), (c + Conv(24, kernel: 3)(a)).through(SpaceToDepth())
        ).through(Conv2D(4, kernel: 1))
      },
      SmallNetwork("normalisations that cannot be folded", 3, 8, 8) { image in
        let x = Conv2D(16, kernel: 3)(image)
        let both = x.through(BatchNorm()) + x
        let twice = both.through(Conv2D(16, kernel: 1), BatchNorm(), BatchNorm(), SiLU(), BatchNorm())
        let deep = concat(twice, both).through(BatchNorm(), SpaceToDepth(), BatchNorm(), ReLU(), BatchNorm())
        return deep.through(AveragePool(2), BatchNorm(), Conv2D(4, kernel: 1))
      },
      SmallNetwork("activations in a row and after a residual", 3, 8, 8) { image in
        let x = image.through(Conv2D(16, kernel: 3), SiLU(), ReLU())
        let y = (x.through(Conv2D(16, kernel: 3), Sigmoid()) + x).through(Hardswish(), SiLU())
        return y.through(SpaceToDepth(), ReLU(), LeakyReLU(), Conv2D(8, kernel: 1), Softmax())
      },
      SmallNetwork("kernels, strides, paddings and dilations", 3, 13, 9) { image in
        let stem = Conv2D(20, kernel: Size2D(5, 3), stride: Size2D(2, 1), padding: Size2D(3, 0))(image)
        return stem.through(
          Conv2D(8, kernel: 3, dilation: Size2D(1, 2)), Conv2D(17, kernel: 2, stride: 2, padding: 1),
          AveragePool(3, stride: 2, padding: 1), Conv2D(6, kernel: Size2D(1, 3), padding: Size2D(0, 3)))
      },
      SmallNetwork("layers that nothing reads", 3, 8, 8) { image in
        let x = Conv(16, kernel: 3)(image)
        _ = x.through(SpaceToDepth(), BatchNorm(), Conv(16, kernel: 3))
        _ = x.channels(0..<8)
        return Conv(8, kernel: 1)(x)
      },
    ]
}

/// Synthetic weights of the networks, each made once: passes leave parameters alone.
private enum SyntheticCache {
  private static let known = Mutex<[[Parameter]: [String: [Float]]]>([:])

  static func parameters(of graph: Graph) -> [String: [Float]] {
    known.withLock { known in
      if let found = known[graph.parameters] { return found }
      let made = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, syntheticParameter($0)) })
      known[graph.parameters] = made
      return made
    }
  }
}
