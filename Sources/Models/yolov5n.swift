import SPD

/// YOLOv5n (v6.0), the strided baseline: depth ×0.33, width ×0.25.
public let yolov5N = Model("yolov5n", input: .image(3, 640, 640), classes: 80, scope: "model") {
  image, classes in
  SPD.yolov5(image, classes: classes, scale: Scale(depth: 0.33, width: 0.25))
}
