import Foundation
import Models
import SPD
import SPDCompiler
import SPDFormats
import SPDRuntime

/// Values for a graph's parameters, and their origin.
package struct Weights {
  /// The origin for messages: `synthetic`, or the file and its format.
  package var origin: String
  /// Class names stored with the weights.
  package var classNames: [String]?
  package var tensors: [String: HostTensor]?

  package static let synthetic = Weights(origin: "synthetic", classNames: nil, tensors: nil)

  /// Returns the row-major values of a parameter.
  package func values(_ parameter: Parameter) throws -> [Float] {
    guard let tensors else { return syntheticParameter(parameter) }
    if let tensor = tensors[parameter.name] { return tensor.values }
    if case .constant(let values) = parameter.role { return values }
    if parameter.role == .batchesTracked { return [0] }
    throw Failure(.data, "\(origin): \(parameter.name) is missing")
  }

  package func values(of graph: Graph) -> (String) throws -> [Float] {
    { name in
      guard let parameter = graph.parameter(name) else {
        throw Failure(.software, "internal error: no parameter \(name)")
      }
      return try values(parameter)
    }
  }

  package func file(for graph: Graph) throws -> ParameterFile {
    try ParameterFile(
      graphHash: graph.parameterHash, parameters: graph.storedParameters, values: values)
  }
}

/// A network with matching weights.
package struct Weighted {
  package var graph: Graph
  package var weights: Weights
  package var classNames: [String]?
  package var report: MappingReport?
}

/// How the tensors of a file were mapped to parameters.
package struct MappingReport: Codable {
  package var file: String
  package var origin: String
  package var model: String
  package var classes: Int
  package var mapped: Int
  package var parameters: Int
  /// Tensors of the file without a parameter.
  package var unused: [String]
  /// Parameters missing from the file that have a default.
  package var missing: [String]
  /// How keys were renamed; nil if they are unchanged.
  package var keys: String?
  /// Other data taken from the file: input size, normalisation, class names.
  package var taken: [String] = []

  package var summary: String {
    var text = "\(mapped) of \(parameters) tensors mapped"
    if !taken.isEmpty { text += "; from the checkpoint: \(taken.joined(separator: ", "))" }
    if !missing.isEmpty { text += ", \(missing.count) left at their defaults (\(Self.list(missing)))" }
    if !unused.isEmpty { text += ", \(unused.count) of the file unused (\(Self.list(unused)))" }
    return text
  }

  package static func list(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : "")
  }
}

/// Loads weight files into models.
package enum WeightLoader {
  /// Loads a model with weights.
  ///
  /// - Parameters:
  ///   - weights: a path or `synthetic`; nil means synthetic if `required` is false.
  /// - Throws: `Failure` naming missing keys and shape mismatches; partial weights are never loaded.
  package static func load(
    _ model: LoadedModel, size: Size2D?, batch: Int, classes: Int?, weights argument: String?, required: Bool = true
  ) async throws -> Weighted {
    guard let argument, argument != "synthetic" else {
      if argument == nil, required {
        throw Failure(.usage, "no weights: give --weights FILE, or --weights synthetic for pseudo-random numbers")
      }
      let graph = try await model.graph(size: size, batch: batch, classes: classes)
      return Weighted(graph: graph, weights: .synthetic, classNames: model.classNames, report: nil)
    }
    let read = try read(argument)
    // Names depend on neither size nor batch, so the graph as declared is enough, and it is cached.
    var declared = try? await model.graph()
    if declared == nil { declared = try await model.graph(size: size, batch: batch, classes: classes) }
    let (checkpoint, keys) = try matched(read, declared!, file: argument)
    let input = CheckpointInput(checkpoint.metadata)
    // A graph file has a fixed size, whatever the training size was.
    let trainedSize = model.path?.hasSuffix(".json") == true ? nil : input.size
    var (graph, used) = try await fit(
      model, checkpoint, file: argument, size: size ?? trainedSize, batch: batch, classes: classes)
    graph.preprocessing = input.preprocessing ?? graph.preprocessing
    graph.classNames = checkpoint.classNames ?? model.classNames
    let known = Set(graph.parameters.map(\.name))
    // `num_batches_tracked` may be missing: nothing reads it, and only PyTorch's formats contain it.
    let wanted = graph.parameters.filter { $0.role != .batchesTracked || checkpoint.tensors[$0.name] != nil }
    let missing = wanted.map(\.name).filter { checkpoint.tensors[$0] == nil }
    let report = MappingReport(
      file: argument, origin: checkpoint.origin, model: used, classes: graph.classes,
      mapped: wanted.count - missing.count, parameters: wanted.count,
      unused: checkpoint.order.filter { !known.contains($0) }, missing: missing, keys: keys,
      taken: taken(size == nil ? trainedSize : nil, input.preprocessing, checkpoint.classNames))
    let weights = Weights(
      origin: "\(argument) (\(checkpoint.origin))", classNames: checkpoint.classNames, tensors: checkpoint.tensors)
    let faults = weights.notFinite(in: graph)
    if !faults.isEmpty {
      Messages.warning(
        "\(argument): \(faults.count) parameter\(faults.count == 1 ? "" : "s") not finite: "
          + MappingReport.list(faults))
    }
    return Weighted(
      graph: graph, weights: weights, classNames: checkpoint.classNames ?? model.classNames, report: report)
  }

  package static func read(_ path: String) throws -> Checkpoint {
    switch PathKind(of: path) {
    case nil: throw Failure(.noInput, printable("\(path): no such weight file"))
    // Other kinds of files are rejected below without opening them: opening a FIFO would wait for a writer.
    case .file where firstBytes(4, of: path).elementsEqual("SPDW".utf8):
      let tensors = try ParameterFile(mapping: path).tensors(path: path)
      return Checkpoint(
        tensors: Dictionary(
          tensors.map { ($0.name, HostTensor(shape: $0.shape, values: $0.values)) }, uniquingKeysWith: { a, _ in a }),
        order: tensors.map(\.name), classNames: nil, classes: nil, origin: "spdw, fp32", metadata: [:])
    default: return try inferenceWeights(of: readCheckpoint(path), path: path)
    }
  }

  /// Reads the first bytes of a file; fewer if it is shorter or unreadable.
  private static func firstBytes(_ count: Int, of path: String) -> [UInt8] {
    let descriptor = FileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: count) {
      $1 = max(0, Foundation.read(descriptor, $0.baseAddress, count))
    }
  }

  /// Renames a file's tensors to the network's names, and describes the renaming.
  static func matched(
    _ checkpoint: Checkpoint, _ graph: Graph, file: String
  ) throws -> (Checkpoint, keys: String?) {
    let names = graph.parameters.filter(\.role.isRequired).map(\.name)
    do {
      let matching = try KeyMatching.best(checkpoint.order, for: names)
      guard !matching.isIdentity, var renamed = checkpoint.renamed(matching) else { return (checkpoint, nil) }
      renamed.origin += ", \(matching.summary)"
      return (renamed, matching.summary)
    } catch let ambiguity as KeyMatching.Ambiguity {
      throw Failure(
        .data,
        "\(file): the prefixes \(ambiguity.prefixes.joined(separator: ", ")) all match \(graph.name); save the intended "
          + "submodule on its own")
    }
  }

  /// Lists the data taken from the checkpoint besides weights.
  private static func taken(
    _ size: Size2D?, _ preprocessing: ImagePreprocessing?, _ classNames: [String]?
  ) -> [String] {
    [
      size.map { "input \($0.height)×\($0.width)" }, preprocessing?.description,
      preprocessing == nil ? nil : classNames.map { "\($0.count) class names" },
    ].compactMap(\.self)
  }

  /// Returns the model for the number of classes of the weights, or another shipped model if the checkpoint is known to be
  /// published under the wrong name.
  private static func fit(
    _ model: LoadedModel, _ checkpoint: Checkpoint, file: String, size: Size2D?, batch: Int, classes: Int?
  ) async throws -> (Graph, String) {
    let first = try await graph(model, checkpoint, size: size, batch: batch, classes: classes)
    let faults = faults(first, checkpoint)
    if faults.isEmpty { return (first, model.name) }
    // The published ResNet18-SPD code builds bottleneck blocks, so its weights are a ResNet50-SPD's.
    for other in shippedModels where other.name != model.name {
      let loaded = LoadedModel(other)
      let size = size ?? first.input.shape.size
      guard let candidate = try? await graph(loaded, checkpoint, size: size, batch: batch, classes: classes),
        Self.faults(candidate, checkpoint).isEmpty
      else { continue }
      if model.name == "resnet18-spd", other.name == "resnet50-spd" {
        Messages.warning(
          "\(file) has the bottleneck blocks of resnet50-spd, as the published ResNet18-SPD code builds them; "
            + "compiling resnet50-spd with \(candidate.classes) classes")
        return (candidate, other.name)
      }
      throw Failure(
        .data, "\(file) does not fit \(model.name), but it fits \(other.name):\n" + faults.joined(separator: "\n"))
    }
    var lines = faults
    if let classes, let own = checkpoint.classes, own != classes {
      let remedy = own > classes ? "give --classes \(own)" : "give matching weights, or remove --classes"
      lines.append("  \(classes) classes were requested, but the file has \(own): \(remedy)")
    }
    throw Failure(
      .data, "\(file) (\(checkpoint.origin)) does not fit \(model.name):\n" + lines.joined(separator: "\n"))
  }

  private static func graph(
    _ model: LoadedModel, _ checkpoint: Checkpoint, size: Size2D?, batch: Int, classes: Int?
  ) async throws -> Graph {
    let declared = try await model.graph(size: size, batch: batch, classes: classes)
    guard classes == nil, model.path?.hasSuffix(".json") != true else { return declared }
    if let own = checkpoint.classes {
      return own == declared.classes ? declared : try await model.graph(size: size, batch: batch, classes: own)
    }
    guard let guess = classGuess(declared, checkpoint), guess != declared.classes else { return declared }
    let guessed = try await model.graph(size: size, batch: batch, classes: guess)
    return faults(guessed, checkpoint).count < faults(declared, checkpoint).count ? guessed : declared
  }

  /// Infers the number of classes from the shape of the last layer.
  private static func classGuess(_ graph: Graph, _ checkpoint: Checkpoint) -> Int? {
    for node in graph.nodes.reversed() {
      switch node.op {
      case .decodeBoxes(let op):
        guard let head = graph[node[.input].segments[0].node].inputs.first?.segments.first?.node,
          case .convolution(let convolution) = graph[head].op,
          let rows = checkpoint.tensors[convolution.parts[0].weight]?.shape.first,
          rows % op.anchorsPerLevel == 0
        else { return nil }
        return rows / op.anchorsPerLevel - 5
      case .linear(let op) where op.outputs == graph.classes:
        return checkpoint.tensors[op.weight]?.shape.first
      default: continue
      }
    }
    return nil
  }

  /// Returns a line per missing key or shape mismatch, ten at most.
  private static func faults(_ graph: Graph, _ checkpoint: Checkpoint) -> [String] {
    var lines: [String] = []
    for parameter in graph.parameters {
      guard let tensor = checkpoint.tensors[parameter.name] else {
        if parameter.role.isRequired { lines.append("  missing: \(parameter.name) \(parameter.shape)") }
        continue
      }
      if tensor.shape != parameter.shape, parameter.role != .batchesTracked {
        lines.append("  shape: \(parameter.name) is \(tensor.shape) in the file, \(parameter.shape) in the network")
      }
    }
    let unused = checkpoint.order.filter { graph.parameter($0) == nil }
    if lines.count > 10 { lines = lines.prefix(9) + ["  … and \(lines.count - 9) more"] }
    if !lines.isEmpty, !unused.isEmpty {
      lines.append("  the file has \(unused.count) keys that the network does not: \(MappingReport.list(unused))")
    }
    return lines
  }
}
