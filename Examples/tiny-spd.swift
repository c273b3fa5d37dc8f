import SPD

/// A classifier with space-to-depth in place of strided convolutions and pooling.
public let tinySPD = Model("tiny-spd", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    // instead of a strided convolution
    Conv2D(16, kernel: 3, bias: false), BatchNorm(), ReLU(), SpaceToDepth(),
    Conv2D(32, kernel: 3, bias: false), BatchNorm(), ReLU(),
    // instead of a pooling layer
    SpaceToDepth(),
    Conv2D(64, kernel: 1, bias: false), BatchNorm(), ReLU(),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
