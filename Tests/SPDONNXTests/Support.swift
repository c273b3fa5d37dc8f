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
func reread(_ graph: Graph, classNames: [String]? = nil) throws -> ModelProto {
  try ModelProto(reading: bytes(of: graph, classNames: classNames))
}

func bytes(of graph: Graph, classNames: [String]? = nil) throws -> Data {
  try onnxModel(
    graph, parameters: { name in (0..<(graph.parameter(name)!.count)).map(Float.init) }, producerVersion: "1.2",
    classNames: classNames)
}

func exported(_ body: @escaping @Sendable (Tensor) -> Tensor) throws -> GraphProto {
  try reread(traced(body)).graph
}

extension GraphProto {
  var types: [String] { node.map(\.opType) }

  func ints(_ name: String) -> [Int] { elements(name, as: Int64.self).map { Int(Int64(littleEndian: $0)) } }

  func floats(_ name: String) -> [Float] {
    elements(name, as: UInt32.self).map { Float(bitPattern: UInt32(littleEndian: $0)) }
  }

  private func elements<Element>(_ name: String, as type: Element.Type) -> [Element] {
    let data = initializer.first { $0.name == name }?.rawData ?? []
    let size = MemoryLayout<Element>.size
    return data.withUnsafeBytes { bytes in
      (0..<data.count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: Element.self) }
    }
  }

  func dims(_ name: String) -> [Int]? { initializer.first { $0.name == name }?.dims }
}

extension NodeProto {
  private func value(_ name: String) -> AttributeProto.Value? { attribute.first { $0.name == name }?.value }
  func int(_ name: String) -> Int? { if case .int(let value)? = value(name) { value } else { nil } }
  func ints(_ name: String) -> [Int]? { if case .ints(let values)? = value(name) { values } else { nil } }
  func float(_ name: String) -> Float? { if case .float(let value)? = value(name) { value } else { nil } }
  func string(_ name: String) -> String? { if case .string(let value)? = value(name) { value } else { nil } }
}

extension ValueInfoProto {
  var dims: [Int] { type.tensorType.shape.dim.map(\.dimValue) }
}
