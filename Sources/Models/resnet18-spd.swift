import SPD

/// ResNet18-SPD (the paper's Table 3) for Tiny ImageNet: 3×64×64 → 200 classes.
///
/// The stem is a Focus with SiLU, without pooling; stages 3 to 5 halve the resolution by space-to-depth.
public let resnet18SPD = Model("resnet18-spd", input: .image(3, 64, 64), classes: 200) { image, classes in
  image.through(
    Focus(64, kernel: 1, norm: BatchNorm()).named("conv1"),
    Stage(.basic, 64, blocks: 2, downsampling: .spaceToDepth).named("conv2_x"),
    Stage(.basic, 128, blocks: 2, stride: 2, downsampling: .spaceToDepth).named("conv3_x"),
    Stage(.basic, 256, blocks: 2, stride: 2, downsampling: .spaceToDepth).named("conv4_x"),
    Stage(.basic, 512, blocks: 2, stride: 2, downsampling: .spaceToDepth).named("conv5_x"),
    GlobalAveragePool().named("avg_pool"), Flatten().named("flatten"),
    Linear(classes).named("fc"))
}
