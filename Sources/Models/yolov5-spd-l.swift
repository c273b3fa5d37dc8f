import SPD

/// YOLOv5-SPD-l: depth ×1, width ×1. The layers are spelled out in yolov5-spd-m.swift.
public let yolov5SPDL = Model("yolov5-spd-l", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  yolov5SPD(image, classes: classes, scale: Scale(depth: 1, width: 1))
}
