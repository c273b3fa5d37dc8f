import SPD

/// ResNet18 as the paper's baseline: 3×3 stem without pooling, strided 3×3 convolutions.
public let resnet18 = Model("resnet18", input: .image(3, 64, 64), classes: 200) { image, classes in
  image.through(
    Sequential(Conv2D(64, kernel: 3, bias: false), BatchNorm(), ReLU()).named("conv1"),
    Stage(.basic, 64, blocks: 2, downsampling: .stride).named("conv2_x"),
    Stage(.basic, 128, blocks: 2, stride: 2, downsampling: .stride).named("conv3_x"),
    Stage(.basic, 256, blocks: 2, stride: 2, downsampling: .stride).named("conv4_x"),
    Stage(.basic, 512, blocks: 2, stride: 2, downsampling: .stride).named("conv5_x"),
    GlobalAveragePool().named("avg_pool"), Flatten().named("flatten"),
    Linear(classes).named("fc"))
}
