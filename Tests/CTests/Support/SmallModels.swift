import SPD

/// Small, to stand beside another in one program.
let secondModel = Model("second", input: .image(3, 8, 8), classes: 5) { image, classes in
  image.through(
    Conv(16, kernel: 3), SpaceToDepth(), Conv(16, kernel: 1), GlobalAveragePool(), Flatten(), Linear(classes))
}

/// So little that its C needs hardly any of the functions that most files share: what is there all the same is a warning.
let minimalModel = Model("minimal", input: .image(3, 8, 8), classes: 5) { image, classes in
  image.through(Conv2D(classes, kernel: 8, padding: 0), Flatten())
}

/// Nothing in its training step needs memory of a thread's own.
let averageModel = Model("average", input: .image(3, 8, 8), classes: 5) { image, classes in
  image.through(GlobalAveragePool(), Flatten(), Linear(classes))
}
