import SPD

/// A small network that has every operation in every form that a kernel or a view rule tells apart.
let everyOp = Model("every-op", input: .image(3, 36, 24), classes: 7) { image, classes in
  // The image read in place, behind a space-to-depth of scale 3, and through a dilation that forces a copy.
  let stem = image.through(Conv2D(24, kernel: 3), LeakyReLU(0.1))
  let third = image.through(
    SpaceToDepth(scale: 3, order: .pixelUnshuffle), Conv2D(16, kernel: 3, bias: false), BatchNorm(), Hardswish())
  let dilatedImage = image.through(Conv2D(8, kernel: 3, dilation: 2), SiLU())

  // Dilated; in groups of whole blocks, of parts of a block, and depthwise.
  let dilated = stem.through(Conv2D(32, kernel: 3, dilation: Size2D(2, 1)), ReLU())
  let grouped = dilated.through(Conv2D(64, kernel: 3, groups: 2, bias: false), BatchNorm(), SiLU())
  let depthwise = dilated.through(Conv2D(32, kernel: Size2D(5, 3), groups: 32, bias: false), BatchNorm(), Hardswish())
  let parts = stem.through(Conv2D(12, kernel: 3, groups: 3), Sigmoid())

  // Space-to-depth in all orders, in front of 3×3 and 1×1, in front of a normalisation, of scale 3.
  let joined = concat(dilated, parts, stem, dilatedImage)
  let onnx = joined.through(SpaceToDepth(order: .onnx), Conv2D(40, kernel: 3), BatchNorm(), LeakyReLU())
  let paper = grouped.through(
    Conv2D(16, kernel: 3, bias: false), SpaceToDepth(order: .paper), BatchNorm(), ReLU(), Conv2D(24, kernel: 1))
  let unshuffled = grouped.through(
    Conv2D(16, kernel: 1), SpaceToDepth(order: .pixelUnshuffle), BatchNorm(), SiLU(), Conv2D(24, kernel: 3))
  let deep = depthwise.through(SpaceToDepth(scale: 3, order: .onnx), Conv2D(16, kernel: 1), SiLU())
  let coarse = depthwise.through(SpaceToDepth(scale: 3), AveragePool(3, stride: 1, padding: 1), Conv2D(16, kernel: 1))

  // Sums: activated before, after, of views.
  let sum = paper + unshuffled.through(Conv2D(24, kernel: 3, bias: false), BatchNorm(), SiLU())
  let residual = (sum + sum.through(Conv2D(24, kernel: 3), BatchNorm())).through(ReLU())
  let halves = onnx.channels(0..<16) + onnx.channels(16..<32)

  // Pools, a strided oblong kernel, an upsample before 3×3 and one before 1×1 behind a concat.
  let pooled = onnx.through(MaxPool(3, stride: 2, padding: 1))
  let average = residual.through(AveragePool(Size2D(2, 3), stride: Size2D(2, 1), padding: Size2D(0, 1)))
  let oblong = average.through(
    Conv2D(20, kernel: Size2D(3, 5), stride: Size2D(1, 2), padding: Size2D(1, 2)), Hardswish())
  let large = pooled.upsampled(2).through(Conv2D(24, kernel: 3), ReLU())
  let neck = concat(pooled.upsampled(2), residual, large, halves)
  // Siblings: both read the same list of views, some of which are upsampled.
  let left = neck.through(Conv(24, kernel: 1))
  let right = neck.through(Conv(8, kernel: 1))
  // Other factors: in front of a normalisation by phase, and of an activation and a residual.
  let fine = concat(stem, pooled.upsampled(4)).through(Conv2D(20, kernel: 1), SpaceToDepth(), BatchNorm(), ReLU())
  let tripled = concat(third.upsampled(3), stem).through(Conv2D(24, kernel: 1), SiLU()) + stem

  let scores = concat(left, right, fine, tripled.through(SpaceToDepth())).through(Conv2D(classes, kernel: 1), Softmax())
  let small = concat(third, deep, coarse).through(Conv2D(6, kernel: 3, stride: 4))
  let dense = small.through(Flatten(), Linear(20), ReLU(), Linear(classes), Softmax())
  let mean = oblong.through(GlobalAveragePool(), Flatten(), Linear(classes, bias: false), Sigmoid())
  // Outputs may be views, and a flatten that no linear layer takes over.
  return [scores, dense, mean, concat(right.channels(0..<5), halves), small.through(Flatten())]
}
