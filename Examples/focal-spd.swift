import SPD

/// A classifier with a custom loss: the focal loss −Σ t·(1 − p)²·ln p, with p the softmax of the logits.
public let focalSPD = Model(
  "focal-spd", input: .image(3, 32, 32), classes: 10,
  loss: .sum { logits, target in
    let wrong = 1 - softmax(logits)
    return -target * wrong * wrong * logSoftmax(logits)
  }
) { image, classes in
  image.through(
    Conv(16, kernel: 3), SpaceToDepth(), Conv(32, kernel: 3), SpaceToDepth(), Conv(64, kernel: 3),
    GlobalAveragePool(), Flatten(), Linear(classes))
}
