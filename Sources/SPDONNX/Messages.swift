internal import SPDFormats

// The subset of ONNX's file format that the exporter writes, with ONNX's names and public field numbers (onnx.proto).

struct ModelProto {
  var irVersion: Int?
  var producerName: String?
  var producerVersion: String?
  var graph = GraphProto()
  var opsetImport: [OperatorSetIdProto] = []
  var metadataProps: [StringStringEntryProto] = []

  enum Field {
    static let (irVersion, producerName, producerVersion) = (1, 2, 3)
    static let (graph, opsetImport, metadataProps) = (7, 8, 14)
  }
}

extension ModelProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.int(Field.irVersion, irVersion)
    writer.string(Field.producerName, producerName)
    writer.string(Field.producerVersion, producerVersion)
    writer.message(Field.graph, graph)
    writer.messages(Field.opsetImport, opsetImport)
    writer.messages(Field.metadataProps, metadataProps)
  }
}

/// An operator set; without a domain, ONNX's own operators.
struct OperatorSetIdProto {
  var version: Int?

  enum Field {
    static let version = 2
  }
}

extension OperatorSetIdProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) { writer.int(Field.version, version) }
}

struct StringStringEntryProto {
  var key: String
  var value: String

  enum Field {
    static let (key, value) = (1, 2)
  }
}

extension StringStringEntryProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.string(Field.key, key)
    writer.string(Field.value, value)
  }
}

struct GraphProto {
  var node: [NodeProto] = []
  var name: String?
  var initializer: [TensorProto] = []
  var input: [ValueInfoProto] = []
  var output: [ValueInfoProto] = []

  enum Field {
    static let (node, name, initializer, input, output) = (1, 2, 5, 11, 12)
  }
}

extension GraphProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.messages(Field.node, node)
    writer.string(Field.name, name)
    writer.messages(Field.initializer, initializer)
    writer.messages(Field.input, input)
    writer.messages(Field.output, output)
  }
}

struct NodeProto {
  var input: [String] = []
  var output: [String] = []
  var name = ""
  var opType = ""
  var attribute: [AttributeProto] = []

  enum Field {
    static let (input, output, name, opType, attribute) = (1, 2, 3, 4, 5)
  }
}

extension NodeProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.strings(Field.input, input)
    writer.strings(Field.output, output)
    writer.string(Field.name, name)
    writer.string(Field.opType, opType)
    writer.messages(Field.attribute, attribute)
  }
}

struct AttributeProto: Equatable {
  var name: String
  var value: Value

  enum Value: Equatable {
    case float(Float), int(Int), string(String), ints([Int])
  }

  enum Field {
    static let (name, float, int, string, ints, type) = (1, 2, 3, 4, 8, 20)
  }

  /// AttributeType.
  enum Kind {
    static let (float, int, string, ints) = (1, 2, 3, 7)
  }
}

extension AttributeProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.string(Field.name, name)
    switch value {
    case .float(let value):
      writer.float(Field.float, value)
      writer.int(Field.type, Kind.float)
    case .int(let value):
      writer.int(Field.int, value)
      writer.int(Field.type, Kind.int)
    case .string(let value):
      writer.string(Field.string, value)
      writer.int(Field.type, Kind.string)
    case .ints(let values):
      writer.ints(Field.ints, values)
      writer.int(Field.type, Kind.ints)
    }
  }
}

struct TensorProto {
  var dims: [Int]
  var dataType: Int
  var name: String
  /// Little-endian, row-major.
  var rawData: [UInt8]

  enum Field {
    static let (dims, dataType, name, rawData) = (1, 2, 8, 9)
  }

  /// DataType.
  enum Kind {
    static let (float, int64) = (1, 7)
  }
}

extension TensorProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.ints(Field.dims, dims)
    writer.int(Field.dataType, dataType)
    writer.string(Field.name, name)
    writer.bytes(Field.rawData, rawData)
  }
}

struct ValueInfoProto {
  var name: String
  var type: TypeProto

  enum Field {
    static let (name, type) = (1, 2)
  }
}

extension ValueInfoProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) {
    writer.string(Field.name, name)
    writer.message(Field.type, type)
  }
}

/// The type of a value; only tensor types are written.
struct TypeProto {
  var tensorType: Tensor

  enum Field {
    static let tensorType = 1
  }

  struct Tensor: ProtobufMessage {
    var elemType: Int
    var shape: TensorShapeProto

    enum Field {
      static let (elemType, shape) = (1, 2)
    }

    func write(to writer: inout ProtobufWriter) {
      writer.int(Field.elemType, elemType)
      writer.message(Field.shape, shape)
    }
  }
}

extension TypeProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) { writer.message(Field.tensorType, tensorType) }
}

struct TensorShapeProto {
  var dim: [Dimension]

  enum Field {
    static let dim = 1
  }

  struct Dimension: ProtobufMessage {
    var dimValue: Int

    enum Field {
      static let dimValue = 1
    }

    func write(to writer: inout ProtobufWriter) { writer.int(Field.dimValue, dimValue) }
  }
}

extension TensorShapeProto: ProtobufMessage {
  func write(to writer: inout ProtobufWriter) { writer.messages(Field.dim, dim) }
}
