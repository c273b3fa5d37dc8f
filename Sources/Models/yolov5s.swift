import SPD

/// YOLOv5s (v6.0), the strided baseline: depth ×0.33, width ×0.50.
public let yolov5S = Model("yolov5s", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  SPD.yolov5(image, classes: classes, scale: Scale(depth: 0.33, width: 0.50))
}
