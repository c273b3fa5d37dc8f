import FoundationEssentials
import SPD

extension Onnx_AttributeProto {
  static func int(_ name: String, _ value: Int) -> Self {
    var attribute = Self(name, .int)
    attribute.i = Int64(value)
    return attribute
  }

  static func ints(_ name: String, _ values: [Int]) -> Self {
    var attribute = Self(name, .ints)
    attribute.ints = values.map(Int64.init)
    return attribute
  }

  static func float(_ name: String, _ value: Double) -> Self {
    var attribute = Self(name, .float)
    attribute.f = Float(value)
    return attribute
  }

  static func string(_ name: String, _ value: String) -> Self {
    var attribute = Self(name, .string)
    attribute.s = Data(value.utf8)
    return attribute
  }

  private init(_ name: String, _ type: AttributeType) {
    self.init()
    self.name = name
    self.type = type
  }
}

extension Size2D {
  var dims: [Int] { [height, width] }
  /// Padding at the start of both axes, then at their end.
  var pads: [Int] { dims + dims }
}
