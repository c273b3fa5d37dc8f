import SPD

/// ResNet50 as the paper's baseline: 3×3 stem without pooling, strided 3×3 convolutions.
public let resnet50 = Model("resnet50", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Sequential(Conv2D(64, kernel: 3, bias: false), BatchNorm(), ReLU()).named("conv1"),
    Stage(.bottleneck, 64, blocks: 3, downsampling: .stride).named("conv2_x"),
    Stage(.bottleneck, 128, blocks: 4, stride: 2, downsampling: .stride).named("conv3_x"),
    Stage(.bottleneck, 256, blocks: 6, stride: 2, downsampling: .stride).named("conv4_x"),
    Stage(.bottleneck, 512, blocks: 3, stride: 2, downsampling: .stride).named("conv5_x"),
    GlobalAveragePool().named("avg_pool"), Flatten().named("flatten"),
    Linear(classes).named("fc"))
}
