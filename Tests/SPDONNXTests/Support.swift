import FoundationEssentials
import SPD

@testable import SPDONNX

/// An image of 3×12×18, two of them.
func traced(_ body: @escaping @Sendable (Tensor) -> Tensor) throws -> Graph {
  try Model("small", input: .image(3, 12, 18)) { image, _ in body(image) }.graph(batch: 2)
}

func traced(_ body: @escaping @Sendable (Tensor) -> [Tensor]) throws -> Graph {
  try Model("small", input: .image(3, 12, 18)) { image, _ in body(image) }.graph(batch: 2)
}

/// What a reader finds in the bytes; parameters are 0, 1, 2, ….
func reread(_ graph: Graph, classNames: [String]? = nil) throws -> Onnx_ModelProto {
  try Onnx_ModelProto(serializedBytes: bytes(of: graph, classNames: classNames))
}

func bytes(of graph: Graph, classNames: [String]? = nil) throws -> Data {
  try onnxModel(
    graph, parameters: { name in (0..<(graph.parameter(name)!.count)).map(Float.init) }, producerVersion: "1.2",
    classNames: classNames)
}

func exported(_ body: @escaping @Sendable (Tensor) -> Tensor) throws -> Onnx_GraphProto {
  try reread(traced(body)).graph
}

extension Onnx_GraphProto {
  var types: [String] { node.map(\.opType) }

  func ints(_ name: String) -> [Int64] {
    let data = initializer.first { $0.name == name }?.rawData ?? Data()
    return data.withUnsafeBytes { bytes in
      (0..<data.count / 8).map { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
    }
  }

  func floats(_ name: String) -> [Float] {
    let data = initializer.first { $0.name == name }?.rawData ?? Data()
    return data.withUnsafeBytes { bytes in
      (0..<data.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }

  func dims(_ name: String) -> [Int64]? { initializer.first { $0.name == name }?.dims }
}

extension Onnx_NodeProto {
  func int(_ name: String) -> Int64? { attribute.first { $0.name == name && $0.type == .int }?.i }
  func ints(_ name: String) -> [Int64]? { attribute.first { $0.name == name && $0.type == .ints }?.ints }
  func float(_ name: String) -> Float? { attribute.first { $0.name == name && $0.type == .float }?.f }
  func string(_ name: String) -> String? {
    attribute.first { $0.name == name && $0.type == .string }.map { String(decoding: $0.s, as: UTF8.self) }
  }
}

extension Onnx_ValueInfoProto {
  var dims: [Int64] { type.tensorType.shape.dim.map(\.dimValue) }
}
