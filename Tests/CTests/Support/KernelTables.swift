import SPD
import SPDCompiler

/// What inference computes. Channels that fill no block, maps smaller than a tile and of one row, column or pixel, paddings beyond
/// a map, and every way to read the input.
extension KernelTable {
  static let all = inference + training

  static let inference =
    [convDirect, convImage(channels: 3), convImage(channels: 1), convImage(channels: 4)]
    + Winograd.all.map { convWinograd($0.size) }
    + [
      convDepthwise, convGrouped, pointwise, pools(.max), pools(.average), globalAverage, softmax, flatten, copy, store,
      decodeBoxes,
    ]

  private static let convDirect = KernelTable(
    name: "conv-direct", "conv_direct",
    rows: [
      Row("one-to-one", 1, size, Conv2D(1, kernel: 1)),
      Row("blocks", 32, size, Conv2D(64, kernel: 3), ReLU()),
      Row("parts-of-blocks", 20, size, Conv2D(33, kernel: 3, bias: false), BatchNorm(), SiLU()),
      Row("many-outputs", 8, Size2D(3, 5), Conv2D(200, kernel: 1)),
      Row("many-inputs", 200, Size2D(3, 5), Conv2D(8, kernel: 3)),
      Row("even-kernel", 16, size, Conv2D(16, kernel: Size2D(2, 4), padding: Size2D(1, 0))),
      Row("oblong", 24, size, Conv2D(16, kernel: Size2D(1, 7)), Hardswish()),
      Row("prelu", 24, size, Conv2D(24, kernel: 3), PReLU(perChannel: true), Conv2D(40, kernel: 1), PReLU()),
      Row("prelu-residual", 24, size) { x in
        (x + x.through(Conv2D(24, kernel: 1), PReLU(perChannel: true))).through(PReLU(perChannel: true))
      },
      Row("stride", 24, Size2D(3, 5), Conv2D(40, kernel: 3, stride: 2)),
      Row("strides", 16, size, Conv2D(16, kernel: Size2D(5, 3), stride: Size2D(3, 2), padding: Size2D(2, 0))),
      Row("dilation", 16, size, Conv2D(24, kernel: 3, dilation: Size2D(3, 2))),
      Row("padding-beyond-the-map", 16, Size2D(2, 2), Conv2D(16, kernel: 7)),
      Row("row", 20, Size2D(1, 20), Conv2D(20, kernel: 3)),
      Row("column", 20, Size2D(12, 1), Conv2D(20, kernel: 5)),
      Row("pixel", 40, Size2D(1, 1), Conv2D(24, kernel: 1)),
      Row("groups-of-blocks", 64, size, Conv2D(96, kernel: 3, groups: 2), LeakyReLU(0.1)),
      Row("residual", 24, size) { x in x + x.through(Conv2D(24, kernel: 1), SiLU()) },
      Row("activated-residual", 24, size) { x in (x + x.through(Conv2D(24, kernel: 1))).through(ReLU()) },
      Row("concat", 24, size) { x in
        concat(x, x.through(MaxPool(3, stride: 1, padding: 1)), x.channels(0..<16)).through(Conv2D(20, kernel: 3))
      },
      Row("upsampled", 24, Size2D(6, 10)) { x in
        concat(x.upsampled(2), x.through(Conv2D(16, kernel: 1)).upsampled(2)).through(Conv2D(20, kernel: 1))
      },
      Row("space-to-depth", 20, size, SpaceToDepth(), Conv2D(24, kernel: 3)),
      Row("space-to-depth-of-pixels", 16, size, SpaceToDepth(order: .onnx), Conv2D(24, kernel: 1)),
    ])

  /// Convolutions of the caller's image, which has 1 to 4 channels.
  private static func convImage(channels: Int) -> KernelTable {
    KernelTable(
      name: "conv-image-\(channels)", channels: channels, "conv_image",
      rows: [
        Row("pixels", nil, size, Conv2D(20, kernel: 1)),
        Row("blocks", nil, size, Conv2D(64, kernel: 3), ReLU()),
        Row("stride", nil, size, Conv2D(33, kernel: 7, stride: 2, padding: 3, bias: false), BatchNorm(), SiLU()),
        Row("even-kernel", nil, size, Conv2D(16, kernel: 6, stride: 2, padding: 2)),
        Row("patches", nil, size, Conv2D(24, kernel: 4, stride: 4, padding: 0)),
        Row("oblong", nil, size, Conv2D(8, kernel: Size2D(1, 5)), Hardswish()),
        Row("padding-beyond-the-map", nil, size, Conv2D(8, kernel: 25, stride: 4)),
        Row("whole-map", nil, size, Conv2D(8, kernel: size, padding: 0)),
        Row("space-to-depth", nil, size, SpaceToDepth(order: .onnx), Conv2D(32, kernel: 3), SiLU()),
        Row("space-to-depth-4", nil, size, SpaceToDepth(scale: 4, order: .pixelUnshuffle), Conv2D(16, kernel: 1)),
      ])
  }

  private static func convWinograd(_ tile: Int) -> KernelTable {
    KernelTable(
      name: "conv-winograd-\(tile)", kernels: [{ $0.winograd?.size == tile }],
      rows: [
        Row("blocks", 32, size, Conv2D(64, kernel: 3), ReLU()),
        Row("parts-of-blocks", 20, size, Conv2D(33, kernel: 3, bias: false), BatchNorm(), SiLU()),
        Row("many-outputs", 16, Size2D(3, 5), Conv2D(200, kernel: 3)),
        Row("many-inputs", 200, Size2D(3, 5), Conv2D(16, kernel: 3)),
        Row("no-padding", 32, size, Conv2D(32, kernel: 3, padding: 0)),
        Row("paddings", 32, Size2D(6, 10), Conv2D(16, kernel: 3, padding: Size2D(0, 2)), Hardswish()),
        Row("row", 20, Size2D(1, 20), Conv2D(20, kernel: 3)),
        Row("column", 20, Size2D(12, 1), Conv2D(20, kernel: 3)),
        Row("pixel", 40, Size2D(1, 1), Conv2D(48, kernel: 3)),
        Row("residual", 24, size) { x in x + x.through(Conv2D(24, kernel: 3), SiLU()) },
        Row("concat", 24, size) { x in
          concat(x, x.through(MaxPool(3, stride: 1, padding: 1)), x.channels(0..<16)).through(Conv2D(20, kernel: 3))
        },
        Row("space-to-depth", 20, size, SpaceToDepth(), Conv2D(24, kernel: 3)),
        Row("image", nil, size, Conv2D(32, kernel: 3), ReLU()),
        Row("image-space-to-depth", nil, size, SpaceToDepth(order: .onnx), Conv2D(40, kernel: 3), SiLU()),
      ])
  }

  private static let convDepthwise = KernelTable(
    name: "conv-depthwise", "conv_depthwise",
    rows: [
      Row("blocks", 32, size, Conv2D(32, kernel: 3, groups: 32), ReLU()),
      Row("parts-of-blocks", 20, size, Conv2D(20, kernel: 5, groups: 20, bias: false), BatchNorm(), SiLU()),
      Row("stride", 40, size, Conv2D(40, kernel: 3, stride: 2, groups: 40), Hardswish()),
      Row("strides", 16, Size2D(3, 5), Conv2D(16, kernel: Size2D(2, 3), stride: Size2D(1, 2), groups: 16)),
      Row("dilation", 16, size, Conv2D(16, kernel: 3, dilation: Size2D(2, 3), groups: 16)),
      Row("padding-beyond-the-map", 24, Size2D(2, 2), Conv2D(24, kernel: 7, groups: 24)),
      Row("pixel", 24, Size2D(1, 1), Conv2D(24, kernel: 1, groups: 24)),
      Row("residual", 24, size) { x in x + x.through(Conv2D(24, kernel: 3, groups: 24)) },
    ])

  private static let convGrouped = KernelTable(
    name: "conv-grouped", "conv_grouped",
    rows: [
      Row("thirds", 24, size, Conv2D(12, kernel: 3, groups: 3), ReLU()),
      Row("across-blocks", 40, size, Conv2D(60, kernel: 3, groups: 4, bias: false), BatchNorm(), SiLU()),
      Row("multiplier", 20, size, Conv2D(60, kernel: 3, groups: 20)),
      Row("pairs", 32, size, Conv2D(16, kernel: 1, groups: 16)),
      Row("strides", 12, Size2D(3, 5), Conv2D(18, kernel: Size2D(3, 2), stride: Size2D(2, 1), groups: 6), Hardswish()),
      Row("dilation", 12, size, Conv2D(12, kernel: 3, dilation: 2, groups: 2)),
      Row("pixel", 18, Size2D(1, 1), Conv2D(27, kernel: 3, groups: 9)),
      Row("residual", 24, size) { x in x + x.through(Conv2D(24, kernel: 3, groups: 3)) },
    ])

  private static let pointwise = KernelTable(
    name: "pointwise",
    disabled: [
      "fold-batch-norm", "fuse-activation", "fuse-final-activation", "fuse-residual", "hoist-over-space-to-depth",
    ],
    "pointwise",
    rows: [
      Row("batch-norm", 20, size, BatchNorm()), Row("relu", 16, size, ReLU()),
      Row("leaky-relu", 33, size, LeakyReLU(0.2)), Row("silu", 1, size, SiLU()),
      Row("sigmoid", 24, Size2D(3, 5), Sigmoid()), Row("hardswish", 40, Size2D(1, 20), Hardswish()),
      Row("relu6", 24, size, ReLU6()), Row("elu", 20, size, ELU(0.7)), Row("two-elus", 16, size, ELU(), ELU(2)),
      Row("prelu", 24, size, PReLU()), Row("prelu-by-channel", 20, size, PReLU(perChannel: true)),
      Row("mish", 24, size, Mish()), Row("gelu", 16, size, GELU()), Row("tanh", 33, size, Tanh()),
      Row("gelu-tanh", 16, size, GELU(approximate: .tanh)), Row("hardsigmoid", 16, size, Hardsigmoid()),
      Row("own", 24, size, Activation("own") { x in abs(x) + log(1 + exp(min(x, 1))) / sqrt(2 + x * x) }),
      // Names that are those of others, and of others' numbers; a constant that is infinite only as a product.
      Row("same-names", 24, size) { x in
        x.through(
          Activation("leaky_relu") { x in max(x, 0.3 * x) }, Activation("f") { x in x * 0.5 },
          Activation("f") { x in x * 0.25 }, Activation("f_2") { x in x + 1 }, Activation("f_1_slope") { x in x - 1 },
          Activation("big") { x in 1e30 * (1e-30 * (1e30 * (1e-30 * x))) }, Activation("int") { x in 2 * x })
      },
      Row("pixel", 40, Size2D(1, 1), SiLU()),
      Row("slice", 48, size) { x in x.channels(16..<36).through(ReLU()) },
      Row("sum", 24, size) { x in x + x.through(MaxPool(3, stride: 1, padding: 1)) },
      Row("sum-of-slices", 40, size) { x in x.channels(0..<16) + x.channels(16..<32) },
    ])

  static func pool(_ kind: Op.Pool.Kind, _ kernel: Size2D, stride: Size2D? = nil, padding: Size2D = 0) -> any Layer {
    kind == .max
      ? MaxPool(kernel, stride: stride, padding: padding) : AveragePool(kernel, stride: stride, padding: padding)
  }

  private static func pools(_ kind: Op.Pool.Kind) -> KernelTable {
    KernelTable(
      name: kind == .max ? "max-pool" : "average-pool", kind == .max ? "max_pool" : "average_pool",
      rows: [
        Row("halves", 32, size, pool(kind, 2)), Row("same-size", 20, size, pool(kind, 5, stride: 1, padding: 2)),
        Row("overlap", 33, Size2D(3, 5), pool(kind, 3, stride: 2, padding: 1)),
        Row("oblong", 1, size, pool(kind, Size2D(2, 3), stride: Size2D(2, 1), padding: Size2D(0, 1))),
        Row("gaps", 16, size, pool(kind, 2, stride: 3)),
        Row("whole-map", 24, Size2D(3, 5), pool(kind, Size2D(3, 5))),
        Row("pixel", 24, Size2D(1, 1), pool(kind, 3, stride: 1, padding: 1)),
        Row("row", 24, Size2D(1, 20), pool(kind, Size2D(1, 4), stride: Size2D(1, 3))),
        Row("slice", 48, size) { x in x.channels(16..<36).through(pool(kind, 2)) },
      ])
  }

  static let globalAverage = KernelTable(
    name: "global-average", "global_average",
    rows: [
      Row("blocks", 32, size, GlobalAveragePool()), Row("parts-of-blocks", 20, Size2D(3, 5), GlobalAveragePool()),
      Row("channel", 1, size, GlobalAveragePool()), Row("row", 33, Size2D(1, 20), GlobalAveragePool()),
      Row("column", 33, Size2D(12, 1), GlobalAveragePool()), Row("pixel", 40, Size2D(1, 1), GlobalAveragePool()),
      Row("slice", 48, size) { x in x.channels(16..<36).through(GlobalAveragePool()) },
    ])

  private static let softmax = KernelTable(
    name: "softmax", "softmax",
    rows: [
      Row("pixels", 20, size, Softmax()), Row("blocks", 32, Size2D(3, 5), Softmax()), Row("one", 1, size, Softmax()),
      Row("two", 2, Size2D(1, 1), Softmax()),
      Row("classes", 16, Size2D(1, 1), Flatten(), Linear(1000), Softmax()),
    ])

  private static let flatten = KernelTable(
    name: "flatten", "flatten",
    rows: [
      Row("blocks", 32, size, Flatten()), Row("parts-of-blocks", 20, Size2D(3, 5), Flatten()),
      Row("channel", 1, size, Flatten()), Row("row", 17, Size2D(1, 20), Flatten()),
      Row("column", 33, Size2D(12, 1), Flatten()),
    ])

  /// Views that no kernel reads in place.
  static let copy = KernelTable(
    name: "copy", "copy",
    rows: [
      Row("slice", 40, size) { x in x.channels(5..<21).through(MaxPool(2)) },
      Row("slices", 40, Size2D(3, 5)) { x in
        concat(x.channels(3..<4), x.channels(17..<40), x.channels(0..<7)).through(Conv2D(20, kernel: 3))
      },
      Row("space-to-depth", 20, size, SpaceToDepth(), MaxPool(3, stride: 1, padding: 1)),
      Row("space-to-depth-of-a-part", 40, size) { x in
        x.channels(9..<26).through(SpaceToDepth(order: .onnx), AveragePool(2))
      },
      Row("upsampled", 24, Size2D(3, 5)) { x in x.upsampled(3).through(MaxPool(2, stride: 1)) },
      Row("groups", 24, size) { x in concat(x, x.channels(0..<8)).through(Conv2D(32, kernel: 3, groups: 32)) },
      Row("image", nil, size, Conv2D(8, kernel: 3, dilation: 2)),
      Row("image-slice", nil, size) { x in x.channels(1..<3).through(MaxPool(2)) },
    ])

  /// Results that are views.
  private static let store = KernelTable(
    name: "store", kernels: [{ if case .store = $0 { true } else { false } }],
    rows: [
      Row("slice", 40, size) { x in x.channels(5..<21) },
      Row("concat", 20, size) { x in concat(x, x.channels(3..<7), x.channels(16..<20)) },
      Row("space-to-depth", 20, size, SpaceToDepth(order: .pixelUnshuffle)),
      Row("space-to-depth-4", 17, size, SpaceToDepth(scale: 4)),
      Row("upsampled", 33, Size2D(3, 5)) { x in x.upsampled(4) },
      Row("everything", 24, Size2D(6, 10)) { x in
        concat(x.channels(1..<9).upsampled(2), x.upsampled(2).channels(20..<24)).through(SpaceToDepth())
      },
      Row("image", nil, size) { x in x.channels(1..<3).through(SpaceToDepth()) },
    ])

  /// A detector's levels, which are the only result of a network.
  private static let decodeBoxes = KernelTable(
    name: "decode-boxes", "decode_boxes",
    rows: [
      Row("levels", nil, size) { image in
        func level(_ cell: Int) -> Tensor { image.through(AveragePool(Size2D(cell)), Conv2D(20, kernel: 1)) }
        let anchors = Detect.Anchors([[(2, 3), (5, 4)], [(7, 6), (6, 11)], [(9, 9), (12, 12)]])
        return Detect(classes: 13, anchors: anchors)(level(1), level(2), level(4))
      }
    ])
}
