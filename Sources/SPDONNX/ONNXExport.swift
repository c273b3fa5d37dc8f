public import FoundationEssentials
public import SPD
internal import SPDFormats

/// Why a graph cannot be written as an ONNX file.
public struct ONNXExportError: Error, CustomStringConvertible, Equatable, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// Exports a traced graph and its parameters as the bytes of an ONNX file: opset 17, float32.
///
/// The input is `images`, N×3×H×W. The result is `output` (`output0`, `output1`, … if there are several): N×rows×(5 +
/// classes) for boxes, N×C for C×1×1, N×C×H×W for maps. Initialisers have the parameters' own names. Nothing is fused,
/// so that the file contains the network as declared. The same arguments give the same bytes.
///
/// Metadata follow the conventions of detection tools: `stride`, that of the coarsest level, if the graph decodes
/// boxes;
/// `names`, if there are class names.
///
/// - Parameters:
///   - graph: as traced, before any pass.
///   - parameters: the values of a parameter by name, row-major; also called for those that the architecture fixes.
///   - producerVersion: the version of spdc.
///   - classNames: by index, one per class.
/// - Throws: `ONNXExportError` for what a file cannot express, `GraphError` for an invalid graph, and any error of
/// `parameters`.
public func onnxModel(
  _ graph: Graph, parameters: (String) throws -> [Float], producerVersion: String, classNames: [String]? = nil
) throws -> Data {
  try graph.verify()
  try graph.checkTraced()
  try graph.checkSize()

  var model = ModelProto()
  model.irVersion = 8
  model.producerName = "spdc"
  model.producerVersion = producerVersion
  model.opsetImport = [OperatorSetIdProto(version: 17)]
  model.metadataProps = try metadata(of: graph, classNames: classNames)

  var writer = try GraphWriter(graph)
  for node in graph.nodes { try writer.append(node, parameters: parameters) }
  writer.appendOutputs()
  try writer.appendParameters(parameters)
  model.graph = writer.proto
  guard ProtobufWriter.size(of: model) <= Int(Int32.max) else { throw ONNXExportError.tooLarge(graph) }
  return Data(ProtobufWriter.bytes(of: model))
}
