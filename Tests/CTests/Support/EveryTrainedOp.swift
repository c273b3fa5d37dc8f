import SPD

/// A small network that has every operation that trains, in every form that a kernel or the differentiation tells apart.
let everyTrainedOp = Model("every-trained-op", input: .image(3, 36, 24), classes: 7) { image, classes in
  // The image read in place, behind a space-to-depth, with a stride, and copied; partial blocks of channels.
  let stem = image.through(Conv2D(24, kernel: 3, bias: false), BatchNorm(), LeakyReLU(0.1))
  let focus = image.through(SpaceToDepth(order: .onnx), Conv2D(20, kernel: 3), SiLU())
  let strided = image.through(Conv2D(16, kernel: 6, stride: 2, padding: 2, bias: false), BatchNorm(), Hardswish())
  let dilatedImage = image.through(Conv2D(8, kernel: 3, padding: 2, dilation: 2), Sigmoid())

  // Space-to-depth for several readers, in front of 3×3 and 1×1, in front of a normalisation, of scale 3.
  let joined = concat(stem, dilatedImage)
  let paper = joined.through(
    Conv2D(16, kernel: 3, bias: false), SpaceToDepth(), BatchNorm(), ReLU(), Conv2D(24, kernel: 3, bias: false),
    BatchNorm())
  let shuffled = joined.through(Conv2D(20, kernel: 1), SpaceToDepth(order: .pixelUnshuffle), Conv2D(24, kernel: 1))
  let residual = (paper + shuffled.through(SiLU())).through(ReLU())
  let again = (residual + residual.through(Conv(24, kernel: 3))).through(Conv(32, kernel: Size2D(3, 1)))

  // Concat of slices and upsampled tensors for 1×1 and 3×3; pools; strides of an odd kernel; dilation.
  let low = again.through(Conv(16, kernel: 3, stride: 2))
  let neck = concat(low.upsampled(2), again.channels(0..<16), focus, strided)
  let left = neck.through(Conv(24, kernel: 1))
  let right = neck.through(Conv(8, kernel: 3))
  let pooled = concat(left, right).through(
    MaxPool(5, stride: 1, padding: 2), Conv2D(32, kernel: 3, dilation: Size2D(2, 1)))
  let third = stem.through(SpaceToDepth(scale: 3), Conv(16, kernel: 1))
  let small = concat(pooled, again).through(
    AveragePool(3, stride: 2, padding: 1), Conv(16, kernel: 3, stride: 2, padding: 0))
  // Copied, because a normalisation reads it: every pixel of one tensor twice, in rows of different heights.
  let twice = concat(right.through(SpaceToDepth()).upsampled(2), right).through(BatchNorm(), SiLU())

  // The loss reads a slice.
  let more = classes + 16
  let dense = small.through(Flatten(), Linear(20), ReLU(), Linear(more))
  let mean = concat(pooled, left, twice).through(GlobalAveragePool(), Flatten(), Linear(more, bias: false))
  return (dense + mean + third.through(GlobalAveragePool(), Flatten(), Linear(more))).channels(16..<more)
}
