/// A hyperparameter's name, limits and place.
public struct HyperparameterField: Sendable {
  /// Key in a YAML file.
  public let key: String
  /// Values that make sense; others are refused.
  public let limits: ClosedRange<Double>
  /// Values that an evolution of hyperparameters explores.
  public let searchRange: ClosedRange<Double>
  /// Step size of a mutation relative to the others; 0 for a value that an evolution leaves alone.
  public let mutationGain: Double
  /// Where the value is; nil for `anchors`, the only whole number.
  public let path: (WritableKeyPath<DetectionHyperparameters, Double> & Sendable)?

  /// The value in the default preset; nil for `anchors`, which is absent by default.
  public var defaultValue: Double? { path.map { DetectionHyperparameters.scratch[keyPath: $0] } }
}

extension DetectionHyperparameters {
  /// All hyperparameters in the order of YOLOv5's file.
  public static let fields: [HyperparameterField] = [
    field(.lr0, 0...10, search: 1e-5...0.1, \.lr0),
    field(.lrf, 0...100, search: 0.01...1, \.lrf),
    field(.momentum, 0...0.9999, search: 0.6...0.98, gain: 0.3, \.momentum),
    field(.weightDecay, 0...1, search: 0...0.001, \.weightDecay),
    field(.warmupEpochs, 0...10_000, search: 0...5, \.warmupEpochs),
    field(.warmupMomentum, 0...0.9999, search: 0...0.95, \.warmupMomentum),
    field(.warmupBiasLR, 0...10, search: 0...0.2, \.warmupBiasLR),
    field(.box, 0...1000, search: 0.02...0.2, \.box),
    field(.cls, 0...1000, search: 0.2...4, \.cls),
    field(.clsPW, 0...1000, search: 0.5...2, \.clsPW),
    field(.obj, 0...1000, search: 0.2...4, \.obj),
    field(.objPW, 0...1000, search: 0.5...2, \.objPW),
    field(.iouT, 0...1, search: 0.1...0.7, gain: 0, \.iouT),
    field(.anchorT, 1...1000, search: 2...8, \.anchorT),
    HyperparameterField(
      key: CodingKeys.anchors.rawValue, limits: 0...100, searchRange: 2...10, mutationGain: 2, path: nil),
    field(.flGamma, 0...100, search: 0...2, gain: 0, \.flGamma),
    field(.hsvH, 0...1, search: 0...0.1, \.hsvH),
    field(.hsvS, 0...1, search: 0...0.9, \.hsvS),
    field(.hsvV, 0...1, search: 0...0.9, \.hsvV),
    field(.degrees, 0...180, search: 0...45, \.degrees),
    field(.translate, 0...1, search: 0...0.9, \.translate),
    field(.scale, 0...0.99, search: 0...0.9, \.scale),
    field(.shear, 0...80, search: 0...10, \.shear),
    field(.perspective, 0...0.01, search: 0...0.001, gain: 0, \.perspective),
    field(.flipud, 0...1, search: 0...1, \.flipud),
    field(.fliplr, 0...1, search: 0...1, gain: 0, \.fliplr),
    field(.mosaic, 0...1, search: 0...1, \.mosaic),
    field(.mixup, 0...1, search: 0...1, \.mixup),
    field(.copyPaste, 0...1, search: 0...1, \.copyPaste),
  ]

  private static func field(
    _ key: CodingKeys, _ limits: ClosedRange<Double>, search: ClosedRange<Double>, gain: Double = 1,
    _ path: WritableKeyPath<DetectionHyperparameters, Double> & Sendable
  ) -> HyperparameterField {
    HyperparameterField(
      key: key.rawValue, limits: limits, searchRange: search, mutationGain: gain, path: path)
  }

  /// Returns a value by its key in YAML; nil for `anchors` if absent, and for an unknown key.
  public subscript(key: String) -> Double? {
    if key == CodingKeys.anchors.rawValue { return anchors.map(Double.init) }
    return Self.fields.first { $0.key == key }?.path.map { self[keyPath: $0] }
  }
}
