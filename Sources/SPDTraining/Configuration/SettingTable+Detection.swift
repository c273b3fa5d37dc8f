import SPDDetection

extension SettingTable {
  /// Settings of detection. The names are YOLOv5's.
  static let detection: [(title: String, scope: Scope, fields: [SettingField])] = [
    (
      "Detection", .detection,
      [
        gain("box", \.box, help: "gain of the box loss, divided by the levels / 3"),
        gain("cls", \.cls, help: "gain of the class loss, times classes / 80"),
        gain("obj", \.obj, help: "gain of the objectness loss, times (size / 640)²"),
        gain("cls-pw", \.clsPW, help: "weight of the positive part of the class loss"),
        gain("obj-pw", \.objPW, help: "weight of the positive part of the objectness loss"),
        gain("anchor-t", \.anchorT, .within(1...1000), help: "largest ratio of the sides of a box and its anchor"),
        gain("fl-gamma", \.flGamma, .within(0...10), help: "gamma of the focal loss; 0: plain cross-entropy"),
        .one("autoanchor", \.detection.autoanchor, help: "replace anchors with a best possible recall below 0.98"),
      ]
    ),
    (
      "Augmentation of detection", .detection,
      [
        fraction("mosaic", \.mosaic, help: "probability of a mosaic of four images"),
        fraction("mixup", \.mixup, help: "probability of mixing two mosaics"),
        fraction("copy-paste", \.copyPaste, help: "fraction of outlined objects that are mirrored and pasted"),
        .one(
          "cutmix", \.detection.cutMix, .within(0...1), help: "probability of CutMix, which is not in the reference"),
        gain("degrees", \.degrees, .within(0...180), help: "maximum rotation in degrees"),
        gain("translate", \.translate, .within(0...0.9), help: "maximum translation as a fraction of the side"),
        gain("scale", \.scale, .within(0...0.9), help: "maximum change of scale"),
        gain("shear", \.shear, .within(0...45), help: "maximum shear in degrees"),
        gain("perspective", \.perspective, .within(0...0.001), help: "maximum perspective term per pixel"),
        fraction("flipud", \.flipud, help: "probability of a vertical flip"),
        fraction("fliplr", \.fliplr, help: "probability of a horizontal flip"),
        fraction("hsv-h", \.hsvH, help: "maximum change of hue"),
        fraction("hsv-s", \.hsvS, help: "maximum change of saturation"),
        fraction("hsv-v", \.hsvV, help: "maximum change of value"),
        .one("rect", \.detection.rectangular, help: "rectangular training batches by aspect ratio, without mosaics"),
        .one(
          "multi-scale", \.detection.isMultiScale,
          help: "draw the size of each mini-batch from half to one and a half of image-size"),
        .one(
          "image-weights", \.detection.weighsImages,
          help: "draw images with rare or difficult classes more often, by the latest validation"),
        .one("cache", \.detection.cache, help: "where resized images are kept"),
      ]
    ),
  ]

  /// Keys of the settings that are in YOLOv5's hyperparameter file.
  static let detectionHyperparameters = Set(detection.flatMap(\.fields).map(\.key))
    .subtracting(["autoanchor", "cutmix", "rect", "multi-scale", "image-weights", "cache"])

  private typealias Path = WritableKeyPath<DetectionHyperparameters, Double> & Sendable

  private static func gain(
    _ key: String, _ path: Path, _ rule: SettingRule<Double> = .atLeast(0), help: String
  ) -> SettingField {
    SettingField(
      key: key, help: help, expectation: SettingField.expectation(Double.kind, rule), otherNames: [], number: .real,
      read: { .word($0.detection.hyperparameters[keyPath: path].word) },
      write: { configuration, value in
        guard case .word(let word) = value, let number = Double(word: word), rule.holds(number) else { return false }
        configuration.detection.hyperparameters[keyPath: path] = number
        return true
      })
  }

  private static func fraction(_ key: String, _ path: Path, help: String) -> SettingField {
    gain(key, path, .within(0...1), help: help)
  }
}
