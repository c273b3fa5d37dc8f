import SPD

/// YOLOv5-SPD-n with each convolution + space-to-depth replaced by the same convolution with stride 2; the Focus stem is
/// kept.
///
/// What follows reads a quarter of the channels. A Focus with a 3×3 convolution computes what YOLOv5n's 6×6 convolution
/// with stride 2 computes, with as many parameters drawn from the same distribution: this network is YOLOv5n.
public let yolov5nFocus = Model("yolov5n-focus", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  let size = Scale(depth: 0.33, width: 0.25)
  func halve(_ width: Int) -> Conv { Conv(size.width(width), kernel: 3, stride: 2) }
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
