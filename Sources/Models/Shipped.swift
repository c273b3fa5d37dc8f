import SPD

/// The networks of the paper and their strided baselines, by name.
public let shippedModels: [Model] = [
  yolov5SPDN, yolov5SPDS, yolov5SPDM, yolov5SPDL, resnet18SPD, resnet50SPD,
  yolov5N, yolov5S, yolov5M, yolov5L, resnet18, resnet50,
]
