import SPD

/// YOLOv5l (v6.0), the strided baseline: depth ×1, width ×1.
public let yolov5L = Model("yolov5l", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  SPD.yolov5(image, classes: classes, scale: Scale(depth: 1, width: 1))
}
