import SPD

/// Channels of the first stage; 64 in the paper.
private let width = 8

/// ResNet18-SPD (the paper's Table 3) at a small width, for 3×32×32 and 10 classes.
public let network = Model("resnet18-spd-narrow", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Focus(width, kernel: 1, norm: BatchNorm()),
    Stage(.basic, width, blocks: 2, downsampling: .spaceToDepth),
    Stage(.basic, 2 * width, blocks: 2, stride: 2, downsampling: .spaceToDepth),
    Stage(.basic, 4 * width, blocks: 2, stride: 2, downsampling: .spaceToDepth),
    Stage(.basic, 8 * width, blocks: 2, stride: 2, downsampling: .spaceToDepth),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
