import SPD
import SPDCompiler

/// What only training computes. Losses and updates, which have no shapes of their own, have tests of their own.
extension KernelTable {
  static let training = [
    weightGradient, weightGradient1x1, weightGradientWinograd, weightGradientImage, normalization, activationGradient,
    poolGradient,
    globalAverageGradient, copyGradient, clear,
  ]

  private static let weightGradient = KernelTable(
    name: "weight-gradient", mode: .training, "weight_gradient",
    rows: [
      Row("one-to-one", 1, size, Conv2D(1, kernel: 3)),
      Row("parts-of-blocks", 20, size, Conv2D(33, kernel: 3, bias: false)),
      Row("pixels", 24, size, Conv2D(40, kernel: 1)),
      Row("even-kernel", 16, size, Conv2D(16, kernel: Size2D(2, 4), padding: Size2D(1, 0))),
      Row("stride", 80, Size2D(3, 5), Conv2D(80, kernel: 3, stride: 2)),
      Row("oblong-stride", 16, size, Conv2D(16, kernel: Size2D(5, 3), stride: 3, padding: Size2D(2, 0))),
      Row("dilation", 16, size, Conv2D(24, kernel: 3, dilation: Size2D(3, 2))),
      Row("padding-beyond-the-map", 16, Size2D(2, 2), Conv2D(16, kernel: 7)),
      Row("nothing-but-padding", 16, Size2D(1, 1), Conv2D(16, kernel: 1, stride: 2, padding: 1)),
      Row("row", 20, Size2D(1, 20), Conv2D(20, kernel: 3)),
      Row("column", 20, Size2D(12, 1), Conv2D(20, kernel: 5)),
      Row("pixel", 40, Size2D(1, 1), Conv2D(24, kernel: 3)),
      Row("concat", 24, size) { x in
        concat(x, x.through(MaxPool(3, stride: 1, padding: 1)), x.channels(0..<16)).through(Conv2D(20, kernel: 3))
      },
      Row("upsampled", 80, Size2D(3, 5)) { x in x.upsampled(2).through(Conv2D(72, kernel: 1)) },
      Row("space-to-depth", 20, size, SpaceToDepth(), Conv2D(24, kernel: 3)),
    ])

  private static let weightGradient1x1 = KernelTable(
    name: "weight-gradient-1x1", mode: .training, "weight_gradient_1x1",
    rows: [
      Row("blocks", 64, size, Conv2D(64, kernel: 1)),
      Row("parts-of-blocks", 72, Size2D(6, 10), Conv2D(90, kernel: 1, bias: false)),
      Row("many-outputs", 64, Size2D(3, 5), Conv2D(300, kernel: 1)),
      Row("many-inputs", 300, Size2D(3, 5), Conv2D(64, kernel: 1)),
      Row("stride", 64, size, Conv2D(64, kernel: 1, stride: 3)),
      Row("pixel", 100, Size2D(1, 1), Conv2D(64, kernel: 1)),
      Row("concat", 40, size) { x in
        concat(x, x.through(MaxPool(3, stride: 1, padding: 1)), x.channels(0..<16)).through(Conv2D(70, kernel: 1))
      },
      Row("space-to-depth", 20, size, SpaceToDepth(order: .onnx), Conv2D(64, kernel: 1)),
    ])

  private static let weightGradientWinograd = KernelTable(
    name: "weight-gradient-winograd", mode: .training, "weight_gradient_winograd",
    rows: [
      Row("blocks", 64, size, Conv2D(64, kernel: 3, bias: false)),
      Row("parts-of-blocks", 72, Size2D(6, 10), Conv2D(90, kernel: 3, bias: false)),
      Row("many-outputs", 64, Size2D(3, 5), Conv2D(300, kernel: 3, bias: false)),
      Row("many-inputs", 200, Size2D(3, 5), Conv2D(64, kernel: 3, bias: false)),
      Row("no-padding", 64, size, Conv2D(64, kernel: 3, padding: 0, bias: false)),
      Row("paddings", 64, Size2D(4, 5), Conv2D(64, kernel: 3, padding: Size2D(0, 2), bias: false)),
      Row("pixels", 64, Size2D(2, 2), Conv2D(64, kernel: 3, bias: false)),
      Row("concat", 40, Size2D(6, 10)) { x in
        concat(x, x.through(MaxPool(3, stride: 1, padding: 1))).through(Conv2D(70, kernel: 3, bias: false))
      },
      Row("space-to-depth", 20, size, SpaceToDepth(), Conv2D(64, kernel: 3, bias: false)),
    ])

  private static let weightGradientImage = KernelTable(
    name: "weight-gradient-image", mode: .training, "weight_gradient_image",
    rows: [
      Row("pixels", nil, size, Conv2D(20, kernel: 1)), Row("blocks", nil, size, Conv2D(64, kernel: 3)),
      Row("stride", nil, size, Conv2D(33, kernel: 7, stride: 2, padding: 3, bias: false)),
      Row("even-kernel", nil, size, Conv2D(16, kernel: 6, stride: 2, padding: 2)),
      Row("patches", nil, size, Conv2D(24, kernel: 4, stride: 4, padding: 0)),
      Row("oblong", nil, size, Conv2D(8, kernel: Size2D(1, 5))),
      Row("padding-beyond-the-map", nil, size, Conv2D(8, kernel: 25, stride: 4)),
      Row("whole-map", nil, size, Conv2D(8, kernel: size, padding: 0)),
      Row("space-to-depth", nil, size, SpaceToDepth(order: .onnx), Conv2D(32, kernel: 3)),
      Row("space-to-depth-4", nil, size, SpaceToDepth(scale: 4, order: .pixelUnshuffle), Conv2D(16, kernel: 1)),
    ])

  /// The statistics of a batch, the normalisation and its gradients; convolutions do not gather the statistics here.
  private static let normalization = KernelTable(
    name: "normalization", mode: .training, disabled: ["fuse-statistics"], "norm_statistics", "normalize",
    "batch_norm_backward_reduce", "normalize_gradient",
    rows: [
      Row("blocks", 32, size, BatchNorm()), Row("parts-of-blocks", 20, size, BatchNorm(), ReLU()),
      Row("channel", 1, size, BatchNorm(), LeakyReLU(0.1)), Row("row", 33, Size2D(1, 20), BatchNorm(), Hardswish()),
      Row("column", 33, Size2D(12, 1), BatchNorm(), SiLU()), Row("pixels", 24, Size2D(1, 2), BatchNorm(), Sigmoid()),
      Row("pool", 20, Size2D(6, 10), MaxPool(3, stride: 2, padding: 1), BatchNorm(epsilon: 1e-3)),
      Row("space-to-depth", 20, size, SpaceToDepth(), BatchNorm(), SiLU()),
      Row("relu6", 24, size, BatchNorm(), ReLU6()),
      Row("two-elus", 20, size, BatchNorm(), ELU(0.7), BatchNorm(), ELU()),
      Row("mish", 24, size, BatchNorm(), Mish()), Row("gelu", 16, size, BatchNorm(), GELU()),
      Row("gelu-tanh", 16, size, BatchNorm(), GELU(approximate: .tanh)), Row("tanh", 33, size, BatchNorm(), Tanh()),
      Row("hardsigmoid", 16, size, BatchNorm(), Hardsigmoid()),
      Row("own", 24, size, BatchNorm(), Activation("own") { x in abs(x) + log(1 + exp(min(x, 1))) / sqrt(2 + x * x) }),
      Row("same-names", 20, size) { x in
        x.through(
          BatchNorm(), Activation("f") { x in x * 0.5 }, BatchNorm(), Activation("f_slope") { x in x * x },
          BatchNorm(), Activation("f") { x in 3 * x }, BatchNorm(), Activation("relu") { x in max(x, 0.3 * x) })
      },
      Row("residual", 24, size) { x in x + x.through(BatchNorm(), SiLU()) },
      Row("activated-residual", 24, size) { x in (x + x.through(BatchNorm())).through(ReLU()) },
    ])

  private static let activationGradient = KernelTable(
    name: "activation-gradient", mode: .training, "pointwise", "activation_gradient",
    rows: [
      Row("channels", 40, size, PReLU(perChannel: true)), Row("one", 20, size, PReLU()),
      Row("row", 33, Size2D(1, 20), PReLU(perChannel: true)), Row("column", 1, Size2D(12, 1), PReLU()),
      Row("pixel", 24, Size2D(1, 1), PReLU(perChannel: true)),
      Row("two", 24, size, PReLU(perChannel: true), PReLU()),
      Row("several-readers", 24, size) { x in x.through(PReLU()) + x.through(PReLU(perChannel: true)) },
      Row("slices", 48, size) { x in x.channels(16..<36).through(PReLU()) + x.channels(0..<20).through(PReLU()) },
    ])

  private static let poolGradient = KernelTable(
    name: "pool-gradient", mode: .training, "pool_gradient",
    rows: [(Op.Pool.Kind.max, "max"), (.average, "average")].flatMap { kind, name in
      [
        Row("\(name)-halves", 32, size, pool(kind, 2)),
        Row("\(name)-same-size", 20, size, pool(kind, 5, stride: 1, padding: 2)),
        Row("\(name)-overlap", 33, Size2D(3, 5), pool(kind, 3, stride: 2, padding: 1)),
        Row("\(name)-oblong", 1, size, pool(kind, Size2D(2, 3), stride: Size2D(2, 1), padding: Size2D(0, 1))),
        Row("\(name)-gaps", 16, size, pool(kind, 2, stride: 3)),
        Row("\(name)-pixel", 24, Size2D(1, 1), pool(kind, 3, stride: 1, padding: 1)),
        Row("\(name)-slices", 48, size) { x in
          x.channels(16..<36).through(pool(kind, 2)) + x.channels(0..<20).through(pool(kind, 2))
        },
      ]
    })

  private static let globalAverageGradient = KernelTable(
    name: "global-average-gradient", mode: .training, "global_average_gradient", rows: globalAverage.rows)

  private static let copyGradient = KernelTable(
    name: "copy-gradient", mode: .training, "copy_gradient",
    rows: copy.rows.filter { $0.channels != nil && $0.name != "groups" })

  /// Gradients of what is read in part, or in parts that overlap.
  private static let clear = KernelTable(
    name: "clear", mode: .training, "clear",
    rows: [
      Row("slice", 48, size) { x in ReLU()(x).channels(16..<32) },
      Row("overlap", 40, Size2D(3, 5)) { x in
        let x = x.through(ReLU())
        return concat(x.channels(3..<30), x.channels(7..<9))
      },
      Row("phases", 32, size) { x in x.through(ReLU(), SpaceToDepth()).channels(32..<64) },
    ])
}
