import SPD

/// YOLOv5m (v6.0), the strided baseline: depth ×0.67, width ×0.75.
public let yolov5M = Model("yolov5m", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  SPD.yolov5(image, classes: classes, scale: Scale(depth: 0.67, width: 0.75))
}
