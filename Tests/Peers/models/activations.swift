import SPD

/// Every activation behind a convolution, two behind normalisations, and one of the model file's own.
public let activations = Model("activations", input: .image(3, 16, 16), classes: 10) { image, _ in
  let functions: [any Layer] = [
    ReLU(), LeakyReLU(0.2), ReLU6(), ELU(0.7), ELU(), SiLU(), Mish(), GELU(), GELU(approximate: .tanh), Sigmoid(),
    Tanh(), Hardsigmoid(), Hardswish(), Activation("quick_gelu") { x in x * sigmoid(1.702 * x) }, PReLU(),
    PReLU(perChannel: true),
  ]
  var x = image
  for function in functions { x = x.through(Sequential(Conv2D(16, kernel: 3), BatchNorm(), function)) }
  return x.through(GlobalAveragePool(), Linear(10))
}
