import SPD

extension AttributeProto {
  static func int(_ name: String, _ value: Int) -> Self { Self(name: name, value: .int(value)) }
  static func ints(_ name: String, _ values: [Int]) -> Self { Self(name: name, value: .ints(values)) }
  static func float(_ name: String, _ value: Double) -> Self { Self(name: name, value: .float(Float(value))) }
  static func string(_ name: String, _ value: String) -> Self { Self(name: name, value: .string(value)) }
}

extension Size2D {
  var dims: [Int] { [height, width] }
  /// Padding at the start of both axes, then at their end.
  var pads: [Int] { dims + dims }
}
