import SPD

/// ResNet18-SPD with a quarter of the width and half the blocks. `make demo-train` trains it in two minutes.
public let shapesSPD = Model("shapes-spd", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Focus(16, kernel: 1, norm: BatchNorm()).named("conv1"),
    Stage(.basic, 16, blocks: 1, downsampling: .spaceToDepth).named("conv2_x"),
    Stage(.basic, 32, blocks: 1, stride: 2, downsampling: .spaceToDepth).named("conv3_x"),
    Stage(.basic, 64, blocks: 1, stride: 2, downsampling: .spaceToDepth).named("conv4_x"),
    Stage(.basic, 128, blocks: 1, stride: 2, downsampling: .spaceToDepth).named("conv5_x"),
    GlobalAveragePool().named("avg_pool"), Flatten().named("flatten"),
    Linear(classes).named("fc"))
}
