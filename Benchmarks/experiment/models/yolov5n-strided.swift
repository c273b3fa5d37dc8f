import SPD

/// The control of YOLOv5-SPD-n: each convolution + space-to-depth is replaced by a convolution with stride 2 of four times
/// the channels; the Focus stem is kept.
///
/// Both give 4·width × H/2 × W/2 with as many multiplications, so every other layer is exactly that of YOLOv5-SPD-n. The
/// strided convolution has four times the weights, and normalises each of its channels on its own.
public let yolov5nStrided = Model("yolov5n-strided", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  let size = Scale(depth: 0.33, width: 0.25)
  func halve(_ width: Int) -> Conv { Conv(4 * size.width(width), kernel: 3, stride: 2) }
  func c3(_ width: Int, _ repeats: Int, shortcut: Bool = true) -> C3 {
    C3(size.width(width), repeats: size.depth(repeats), shortcut: shortcut)
  }

  // Backbone
  let p3 = image.through(Focus(size.width(64), kernel: 3), halve(128), c3(128, 3), halve(256), c3(256, 6))
  let p4 = p3.through(halve(512), c3(512, 9))
  let p5 = p4.through(halve(1024), c3(1024, 3), SPPF(size.width(1024)))

  // Neck, top down and bottom up
  let top = p5.through(Conv(size.width(512), kernel: 1))
  let mid = concat(top.upsampled(2), p4)
    .through(c3(512, 3, shortcut: false), Conv(size.width(256), kernel: 1))
  let small = concat(mid.upsampled(2), p3).through(c3(256, 3, shortcut: false))
  let medium = concat(small.through(halve(256)), mid).through(c3(512, 3, shortcut: false))
  let large = concat(medium.through(halve(512)), top).through(c3(1024, 3, shortcut: false))

  return Detect(classes: classes, anchors: .yolov5)(small, medium, large)
}
