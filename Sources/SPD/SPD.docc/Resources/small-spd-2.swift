import SPD

public let smallSPD = Model("small-spd", input: .image(3, 32, 32), classes: 10) { image, classes in
  image.through(
    Conv(16, kernel: 3), SpaceToDepth())
}
