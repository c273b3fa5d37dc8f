import SPD

/// Channels of the first stage; 64 in the paper.
private let width = 8

/// ResNet18-SPD with each convolution + space-to-depth replaced by the same convolution with stride 2; the Focus stem is
/// kept. The second convolution of such a block reads a quarter of the channels.
public let network = Model("resnet18-focus-narrow", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Focus(width, kernel: 1, norm: BatchNorm()),
    Stage(.basic, width, blocks: 2, downsampling: .stride),
    Stage(.basic, 2 * width, blocks: 2, stride: 2, downsampling: .stride),
    Stage(.basic, 4 * width, blocks: 2, stride: 2, downsampling: .stride),
    Stage(.basic, 8 * width, blocks: 2, stride: 2, downsampling: .stride),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
