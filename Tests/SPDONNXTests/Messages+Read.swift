import SPDFormats

@testable import SPDONNX

// What a reader of ONNX finds in a message. Fields that the exporter does not write are an error.

protocol ReadableMessage {
  init()
  /// - Returns: whether the field was one of the message's.
  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool
}

struct UnknownField: Error { var message: String, field: Int }

extension ReadableMessage {
  init(reading bytes: some Sequence<UInt8>) throws {
    self.init()
    var reader = ProtobufReader(Array(bytes)[...], path: "model.onnx")
    while let (field, value) = try reader.next() {
      guard try read(field, value) else { throw UnknownField(message: "\(Self.self)", field: field) }
    }
  }

  init(_ value: ProtobufReader.Value) throws {
    guard let bytes = value.bytes else { throw UnknownField(message: "\(Self.self)", field: 0) }
    try self.init(reading: bytes)
  }
}

extension ModelProto: ReadableMessage {
  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.irVersion: irVersion = value.int
    case Field.producerName: producerName = value.string
    case Field.producerVersion: producerVersion = value.string
    case Field.graph: graph = try GraphProto(value)
    case Field.opsetImport: opsetImport.append(try OperatorSetIdProto(value))
    case Field.metadataProps: metadataProps.append(try StringStringEntryProto(value))
    default: return false
    }
    return true
  }
}

extension OperatorSetIdProto: ReadableMessage {
  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    version = value.int
    return field == Field.version
  }
}

extension StringStringEntryProto: ReadableMessage {
  init() { self.init(key: "", value: "") }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.key: key = value.string ?? ""
    case Field.value: self.value = value.string ?? ""
    default: return false
    }
    return true
  }
}

extension GraphProto: ReadableMessage {
  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.node: node.append(try NodeProto(value))
    case Field.name: name = value.string
    case Field.initializer: initializer.append(try TensorProto(value))
    case Field.input: input.append(try ValueInfoProto(value))
    case Field.output: output.append(try ValueInfoProto(value))
    default: return false
    }
    return true
  }
}

extension NodeProto: ReadableMessage {
  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.input: input.append(value.string ?? "?")
    case Field.output: output.append(value.string ?? "?")
    case Field.name: name = value.string ?? "?"
    case Field.opType: opType = value.string ?? "?"
    case Field.attribute: attribute.append(try AttributeProto(value))
    default: return false
    }
    return true
  }
}

extension AttributeProto: ReadableMessage {
  init() { self.init(name: "", value: .ints([])) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.name: name = value.string ?? "?"
    case Field.float: self.value = .float(value.float ?? .nan)
    case Field.int: self.value = .int(value.int ?? .min)
    case Field.string: self.value = .string(value.string ?? "?")
    case Field.ints:
      guard case .ints(let before) = self.value else { return false }
      self.value = .ints(before + [value.int ?? .min])
    case Field.type: return value.int == kind
    default: return false
    }
    return true
  }

  private var kind: Int {
    switch value {
    case .float: Kind.float
    case .int: Kind.int
    case .string: Kind.string
    case .ints: Kind.ints
    }
  }
}

extension TensorProto: ReadableMessage {
  init() { self.init(dims: [], dataType: 0, name: "", rawData: []) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.dims: dims.append(value.int ?? .min)
    case Field.dataType: dataType = value.int ?? .min
    case Field.name: name = value.string ?? "?"
    case Field.rawData: rawData = Array(value.bytes ?? [])
    default: return false
    }
    return true
  }
}

extension ValueInfoProto: ReadableMessage {
  init() { self.init(name: "", type: TypeProto()) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.name: name = value.string ?? "?"
    case Field.type: type = try TypeProto(value)
    default: return false
    }
    return true
  }
}

extension TypeProto: ReadableMessage {
  init() { self.init(tensorType: Tensor()) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    tensorType = try Tensor(value)
    return field == Field.tensorType
  }
}

extension TypeProto.Tensor: ReadableMessage {
  init() { self.init(elemType: 0, shape: TensorShapeProto(dim: [])) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    switch field {
    case Field.elemType: elemType = value.int ?? .min
    case Field.shape: shape = try TensorShapeProto(value)
    default: return false
    }
    return true
  }
}

extension TensorShapeProto: ReadableMessage {
  init() { self.init(dim: []) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    dim.append(try Dimension(value))
    return field == Field.dim
  }
}

extension TensorShapeProto.Dimension: ReadableMessage {
  init() { self.init(dimValue: 0) }

  mutating func read(_ field: Int, _ value: ProtobufReader.Value) throws -> Bool {
    dimValue = value.int ?? .min
    return field == Field.dimValue
  }
}
