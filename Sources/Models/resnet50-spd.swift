import SPD

/// ResNet50-SPD (the paper's Table 3) for CIFAR-10: 3×32×32 → 10 classes.
public let resnet50SPD = Model("resnet50-spd", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Focus(64, kernel: 1, norm: BatchNorm()).named("conv1"),
    Stage(.bottleneck, 64, blocks: 3, downsampling: .spaceToDepth).named("conv2_x"),
    Stage(.bottleneck, 128, blocks: 4, stride: 2, downsampling: .spaceToDepth).named("conv3_x"),
    Stage(.bottleneck, 256, blocks: 6, stride: 2, downsampling: .spaceToDepth).named("conv4_x"),
    Stage(.bottleneck, 512, blocks: 3, stride: 2, downsampling: .spaceToDepth).named("conv5_x"),
    GlobalAveragePool().named("avg_pool"), Flatten().named("flatten"),
    Linear(classes).named("fc"))
}
