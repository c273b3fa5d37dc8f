import SPD

/// Channels of the first stage; 64 in the paper.
private let width = 8

/// ResNet18, the paper's baseline, at a small width: a 3×3 stem at full resolution, strided 3×3 convolutions.
public let network = Model("resnet18-narrow", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Conv2D(width, kernel: 3, bias: false), BatchNorm(), ReLU(),
    Stage(.basic, width, blocks: 2, downsampling: .stride),
    Stage(.basic, 2 * width, blocks: 2, stride: 2, downsampling: .stride),
    Stage(.basic, 4 * width, blocks: 2, stride: 2, downsampling: .stride),
    Stage(.basic, 8 * width, blocks: 2, stride: 2, downsampling: .stride),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
