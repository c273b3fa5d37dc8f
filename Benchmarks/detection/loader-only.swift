import SPD

/// A detector whose training step takes no time to speak of, so that a run is as fast as its loader.
public let loaderOnly = Model("loader-only", input: .image(3, 640, 640), classes: 6) { image, classes in
  let fine = image.through(Conv2D(8, kernel: 8, stride: 8, bias: false), BatchNorm())
  let medium = fine.through(AveragePool(2))
  return Detect(classes: classes, anchors: .yolov5)(fine, medium, medium.through(AveragePool(2)))
}
