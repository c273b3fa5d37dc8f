import SPD

/// YOLOv5-SPD-s: depth ×0.33, width ×0.50. The layers are spelled out in yolov5-spd-m.swift.
public let yolov5SPDS = Model("yolov5-spd-s", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  yolov5SPD(image, classes: classes, scale: Scale(depth: 0.33, width: 0.50))
}
