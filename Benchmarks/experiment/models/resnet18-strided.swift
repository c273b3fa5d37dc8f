import SPD

/// Channels of the first stage; 64 in the paper.
private let width = 8

/// A block of ResNet18-SPD that halves the resolution, with convolution + space-to-depth replaced by a convolution with
/// stride 2 of four times the channels: 4·width × H/2 × W/2 as before, with as many multiplications.
private struct StridedBlock: Layer {
  var site: Site
  let width: Int

  init(_ width: Int, file: String = #fileID, line: Int = #line) {
    self.width = width
    site = Site(file, line)
  }

  func forward(_ x: Tensor) -> Tensor {
    let residual = x.through(
      Conv2D(4 * width, kernel: 3, stride: 2, bias: false), BatchNorm(), ReLU(),
      Conv2D(width, kernel: 3, bias: false), BatchNorm())
    let shortcut = x.through(Conv2D(width, kernel: 1, stride: 2, bias: false), BatchNorm())
    return (residual + shortcut).through(ReLU())
  }
}

/// The control of ResNet18-SPD: every layer but those of `StridedBlock` is the same, the Focus stem too.
public let network = Model("resnet18-strided-narrow", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Focus(width, kernel: 1, norm: BatchNorm()),
    Stage(.basic, width, blocks: 2, downsampling: .stride),
    StridedBlock(2 * width), Stage(.basic, 2 * width, blocks: 1, downsampling: .stride),
    StridedBlock(4 * width), Stage(.basic, 4 * width, blocks: 1, downsampling: .stride),
    StridedBlock(8 * width), Stage(.basic, 8 * width, blocks: 1, downsampling: .stride),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
