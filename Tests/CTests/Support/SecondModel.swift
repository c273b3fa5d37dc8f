import SPD

/// Small, to stand beside another in one program.
let secondModel = Model("second", input: .image(3, 8, 8), classes: 5) { image, classes in
  image.through(
    Conv(16, kernel: 3), SpaceToDepth(), Conv(16, kernel: 1), GlobalAveragePool(), Flatten(), Linear(classes))
}
