// The two YOLOv5 families as functions of their scale, for sizes that differ only in scale.

/// YOLOv5-SPD (the paper's Fig. 4): a stride-1 convolution and a space-to-depth wherever YOLOv5 strides.
public func yolov5SPD(
  _ image: Tensor, classes: Int, scale size: Scale, file: String = #fileID, line: Int = #line
) -> Tensor {
  let down = { (width: Int) -> Sequence in [Conv(size.width(width), kernel: 3), SpaceToDepth()] }
  return image.builder.at(Site(file, line)) {
    yolov5(image, classes: classes, scale: size, stem: Focus(size.width(64), kernel: 3), down: down)
  }
}

/// YOLOv5 v6.0: a 6×6 stem and strided 3×3 convolutions.
public func yolov5(
  _ image: Tensor, classes: Int, scale size: Scale, file: String = #fileID, line: Int = #line
) -> Tensor {
  let down = { (width: Int) -> Sequence in [Conv(size.width(width), kernel: 3, stride: 2)] }
  let stem = Conv(size.width(64), kernel: 6, stride: 2, padding: 2)
  return image.builder.at(Site(file, line)) {
    yolov5(image, classes: classes, scale: size, stem: stem, down: down)
  }
}

private typealias Sequence = [any Layer]

/// Backbone, neck and heads that both families share; `down` halves the resolution.
private func yolov5(
  _ image: Tensor, classes: Int, scale size: Scale, stem: any Layer, down: (Int) -> Sequence
) -> Tensor {
  func chain(_ x: Tensor, _ layers: Sequence) -> Tensor { layers.reduce(x) { $1($0) } }
  func halve(_ x: Tensor, _ width: Int) -> Tensor { chain(x, down(width)) }
  func c3(_ width: Int, _ repeats: Int, shortcut: Bool = true) -> C3 {
    C3(size.width(width), repeats: size.depth(repeats), shortcut: shortcut)
  }

  let p2 = c3(128, 3)(halve(stem(image), 128))
  let p3 = c3(256, 6)(halve(p2, 256))
  let p4 = c3(512, 9)(halve(p3, 512))
  let p5 = SPPF(size.width(1024))(c3(1024, 3)(halve(p4, 1024)))

  let top = Conv(size.width(512), kernel: 1)(p5)
  let mid = Conv(size.width(256), kernel: 1)(c3(512, 3, shortcut: false)(concat(top.upsampled(2), p4)))
  let small = c3(256, 3, shortcut: false)(concat(mid.upsampled(2), p3))
  let medium = c3(512, 3, shortcut: false)(concat(halve(small, 256), mid))
  let large = c3(1024, 3, shortcut: false)(concat(halve(medium, 512), top))
  return Detect(classes: classes, anchors: .yolov5)(small, medium, large)
}
