import SPD

/// YOLOv5-SPD-m, layer by layer (the paper's Fig. 4): 3×640×640 → 25200 boxes × (5 + classes).
///
/// Every stride-2 convolution of YOLOv5 is a stride-1 convolution and a space-to-depth, and the stem is a Focus.
public let yolov5SPDM = Model("yolov5-spd-m", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  let size = Scale(depth: 0.67, width: 0.75)

  // Backbone
  let p2 = image.through(
    Focus(size.width(64), kernel: 3),
    Conv(size.width(128), kernel: 3), SpaceToDepth())
  let p3 = p2.through(
    C3(size.width(128), repeats: size.depth(3)),
    Conv(size.width(256), kernel: 3), SpaceToDepth(),
    C3(size.width(256), repeats: size.depth(6)))
  let p4 = p3.through(
    Conv(size.width(512), kernel: 3), SpaceToDepth(),
    C3(size.width(512), repeats: size.depth(9)))
  let p5 = p4.through(
    Conv(size.width(1024), kernel: 3), SpaceToDepth(),
    C3(size.width(1024), repeats: size.depth(3)),
    SPPF(size.width(1024), kernel: 5))

  // Neck, top down …
  let top = p5.through(Conv(size.width(512), kernel: 1))
  let mid = concat(top.upsampled(2), p4)
    .through(C3(size.width(512), repeats: size.depth(3), shortcut: false), Conv(size.width(256), kernel: 1))
  let small = concat(mid.upsampled(2), p3)
    .through(C3(size.width(256), repeats: size.depth(3), shortcut: false))

  // … and bottom up: here a concat is between the space-to-depth and the convolutions that read it.
  let medium = concat(small.through(Conv(size.width(256), kernel: 3), SpaceToDepth()), mid)
    .through(C3(size.width(512), repeats: size.depth(3), shortcut: false))
  let large = concat(medium.through(Conv(size.width(512), kernel: 3), SpaceToDepth()), top)
    .through(C3(size.width(1024), repeats: size.depth(3), shortcut: false))

  return Detect(classes: classes, anchors: .yolov5)(small, medium, large)
}
