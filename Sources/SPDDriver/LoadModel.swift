import Foundation
import Models
import SPD

/// A network from a shipped model, a model file or a graph file, for any size, batch and number of classes it supports.
public struct LoadedModel: Sendable {
  package var name: String
  package var classNames: [String]?
  /// Path of the model file, if it came from one.
  package var path: String?
  /// The fixed input shape of a graph file; nil for models.
  package private(set) var fixedInput: Shape?
  private let trace: @Sendable (Size2D?, Int, Int?) async throws -> Graph

  package func graph(size: Size2D? = nil, batch: Int = 1, classes: Int? = nil) async throws -> Graph {
    try await trace(size, batch, classes)
  }

  /// Loads a network.
  ///
  /// - Parameter argument: a path that ends in .swift or .json, or a shipped model's name.
  package static func load(_ argument: String) async throws -> LoadedModel {
    if argument.hasSuffix(".swift") { return try await modelFile(argument) }
    if argument.hasSuffix(".json") { return try graphFile(argument) }
    if let model = shippedModels.first(where: { $0.name == argument }) { return LoadedModel(model) }
    throw refusal(argument)
  }

  /// Makes sure that an argument can be a model's, before time is spent on what comes with it.
  package static func check(_ argument: String) throws {
    let isFile = argument.hasSuffix(".swift") || argument.hasSuffix(".json")
    guard isFile || shippedModels.contains(where: { $0.name == argument }) else { throw refusal(argument) }
  }

  private static func refusal(_ argument: String) -> Failure {
    if let failure = otherKind(argument) { return failure }
    let names = shippedModels.map(\.name)
    let near = names.min { editDistance($0, argument) < editDistance($1, argument) }
    let hint = near.flatMap { editDistance($0, argument) <= 4 ? " Did you mean \($0)?" : nil } ?? ""
    return Failure(
      .noInput,
      "there is no shipped model \(argument), and it ends in neither .swift nor .json.\(hint)\n  Shipped: "
        + names.joined(separator: ", "))
  }

  /// Returns the failure for an argument that names another kind of file or a folder; nil for other arguments.
  private static func otherKind(_ argument: String) -> Failure? {
    let wanted = "give a model file (.swift), a graph (.json) or the name of a shipped model"
    switch URL(fileURLWithPath: argument).pathExtension.lowercased() {
    case "onnx":
      return Failure(
        .usage,
        "\(argument): ONNX files can be exported (`spdc export`) but not imported; \(wanted), and the weights as "
          + "safetensors, .npz or a PyTorch state dict with --weights")
    case "pt", "pth", "ckpt", "safetensors", "npz", "spdw":
      return Failure(.usage, "\(argument) is a weight file: \(wanted), and this file with --weights")
    case let kind
    where ["tflite", "pb", "h5", "keras", "mlmodel", "mlpackage", "engine", "torchscript", "param"].contains(kind):
      return Failure(.usage, "\(argument): .\(kind) files are not supported; \(wanted)")
    case let kind where ["yaml", "yml", "cfg"].contains(kind):
      return Failure(.usage, "\(argument): networks in .\(kind) files are not supported; \(wanted)")
    default:
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else { return nil }
      return Failure(
        .usage, "\(argument) is a \(isFolder.boolValue ? "folder" : "file") without a model; \(wanted)")
    }
  }

  /// Loads the shipped model `name`, else the model that `argument` names.
  package static func load(_ name: String, or argument: String) async throws -> LoadedModel {
    if name != argument, let model = shippedModels.first(where: { $0.name == name }) { return LoadedModel(model) }
    return try await load(argument)
  }

  private init(
    name: String, classNames: [String]?, path: String?,
    trace: @escaping @Sendable (Size2D?, Int, Int?) async throws -> Graph
  ) {
    (self.name, self.classNames, self.path, self.trace) = (name, classNames, path, trace)
  }

  /// Wraps a network that this program declares.
  public init(_ model: Model) {
    self.init(name: model.name, classNames: model.classNames, path: nil) { size, batch, classes in
      try model.graph(size: size, batch: batch, classes: classes)
    }
  }

  // MARK: - graph files

  private static func graphFile(_ path: String) throws -> LoadedModel {
    let data = try Files.read(path)
    let graph: Graph
    do {
      graph = try JSONDecoder().decode(Graph.self, from: data)
      try graph.verifyBeforePasses()
    } catch let error as GraphError {
      throw Failure(.data, "\(path): \(error)")
    } catch {
      throw Failure(.data, "\(path) is not a graph written by `spdc compile MODEL --emit graph`: \(brief(error))")
    }
    let shape = graph.input.shape
    var model = LoadedModel(name: graph.name, classNames: nil, path: path) { size, batch, classes in
      if let size, size != shape.size {
        throw Failure(
          .usage,
          "\(path) is a graph for \(shape.height)×\(shape.width), not \(size.height)×\(size.width): another size requires "
            + "the model file")
      }
      if batch != 1, batch != shape.batch {
        throw Failure(
          .usage,
          "\(path) is a graph for batch \(shape.batch), not \(batch): another batch requires the model file; use "
            + "--batch \(shape.batch)")
      }
      if let classes, classes != graph.classes {
        throw Failure(
          .usage,
          "\(path) is a graph for \(graph.classes) classes, not \(classes): another number requires the model file")
      }
      return graph
    }
    model.fixedInput = shape
    return model
  }

  private static func brief(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return (error as NSError).localizedDescription }
    switch error {
    case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
      .valueNotFound(_, let context):
      let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }.joined()
      return context.debugDescription + (place.isEmpty ? "" : " (at \(place.drop { $0 == "." }))")
    @unknown default: return "\(error)"
    }
  }

  // MARK: - model files

  private static func modelFile(_ path: String) async throws -> LoadedModel {
    guard FileManager.default.fileExists(atPath: path) else {
      let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      let isShipped = shippedModels.contains { $0.name == name }
      let hint = isShipped ? "; did you mean the shipped model \(name), without .swift?" : ""
      throw Failure(.noInput, "\(path): no such file\(hint)")
    }
    let program = try await compile(path)
    let first = try await ask(program, path: path, size: nil, batch: 1, classes: nil)
    return LoadedModel(name: first.name, classNames: first.classNames, path: path) { size, batch, classes in
      let answer: TraceRequest.Answer
      if size == nil, batch == 1, classes == nil {
        answer = first
      } else {
        answer = try await ask(program, path: path, size: size, batch: batch, classes: classes)
      }
      if let error = answer.error { throw Failure(.data, error.located(at: path)) }
      guard var graph = answer.graph else {
        throw Failure(.software, "\(path): internal error: the model program returned no graph")
      }
      graph.name = answer.name
      return graph
    }
  }

  /// Compiles the model file to a program, cached until the file or the library changes.
  private static func compile(_ path: String) async throws -> String {
    let library = try SPDLibrary.find()
    let source = try Files.read(path)
    // Hash the bytes, since the file may not be valid UTF-8.
    // Only the file's name, not its path, is part of the program.
    let name = URL(fileURLWithPath: path).lastPathComponent
    let key = ObjectCache.Key(String(decoding: source, as: UTF8.self), "\(fnv1a(source))", name, library.stamp)
    return try await ObjectCache("models").file("model", key) { folder in
      guard let swiftc = Toolchain.locate("swiftc") else {
        throw Failure(.unavailable, Toolchain.swiftAdvice)
      }
      _ = try Files.temporaryFolder()
      // The compiler takes a name with a dash in front for an option, and leaves out `./`.
      let argument = name.hasPrefix("-") ? URL(fileURLWithPath: path).path : path
      let outcome = try await Progress("swiftc \(path)").during {
        // -g gives line numbers if it crashes.
        try await Toolchain.run(
          swiftc,
          ["-Onone", "-g", "-diagnostic-style", "llvm", "-module-name", "ModelFile", "-I", library.modules, argument]
            + library.objects + ["-o", folder.appendingPathComponent("model").path])
      }
      guard outcome.succeeded else {
        if let failure = Files.writeFailure(outcome, writingTo: folder) { throw failure }
        let text = String(decoding: source, as: UTF8.self)
        throw Failure(.data, ModelFileDiagnostics(path: path, source: text, outcome: outcome).message)
      }
    }.path
  }

  /// Extracts the message and the lines of the model file from a crash report.
  private static func crash(_ text: String, in path: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let message = lines.prefix { !$0.hasPrefix("***") && !$0.hasPrefix("💣") }
    let name = "/" + URL(fileURLWithPath: path).lastPathComponent + ":"
    let places = lines.compactMap { line in
      line.range(of: name).map { "  at \(path):" + line[$0.upperBound...].split(separator: " ")[0] }
    }
    let text = (message.map(String.init).filter { !$0.isEmpty } + places).joined(separator: "\n")
    return text.isEmpty ? "it exited without a message" : text
  }

  private static func ask(
    _ program: String, path: String, size: Size2D?, batch: Int, classes: Int?
  ) async throws -> TraceRequest.Answer {
    let folder = try Files.temporaryFolder()
    let answerPath = folder.appendingPathComponent("spdc-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: answerPath) }
    let request = TraceRequest(answerPath: answerPath, size: size, batch: batch, classes: classes)
    let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    let outcome: Toolchain.Outcome
    do {
      outcome = try await Progress("running \(path)").during {
        try await Toolchain.run(
          program, [],
          environment: [
            TraceRequest.variable: text,
            "SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no,threads=crashed,registers=none,images=none",
          ])
      }
    } catch is Toolchain.TooMuchOutput {
      throw Failure(
        .data,
        "\(path) was stopped: it printed more than 16 MB while its graph was traced; a model file must only declare its network"
      )
    }
    guard outcome.succeeded else {
      if let failure = Files.writeFailure(outcome, writingTo: folder) { throw failure }
      throw Failure(.data, "\(path) failed while its graph was traced:\n" + crash(outcome.errors, in: path))
    }
    let lines = ((try? String(contentsOfFile: answerPath, encoding: .utf8)) ?? "").split(separator: "\n")
    let answers: [TraceRequest.Answer]
    do {
      answers = try lines.map { try JSONDecoder().decode(TraceRequest.Answer.self, from: Data($0.utf8)) }
    } catch {
      throw Failure(.software, "\(path): internal error: its graph cannot be read: \(brief(error))")
    }
    guard let answer = answers.first else {
      throw Failure(
        .data, "\(path) declares no network: it needs a line such as `public let mine = Model(\"mine\", …)`")
    }
    guard answers.count == 1 else {
      throw Failure(
        .data,
        "\(path) declares several networks (\(answers.map(\.name).joined(separator: ", "))); a model file declares one network"
      )
    }
    guard answer.name.isModelName else {
      throw Failure(
        .data,
        "\(path): the name \(answer.name.quotedForMessage) contains characters other than letters, digits, - and _")
    }
    return answer
  }
}

extension TraceError {
  /// Formats the error with the path given by the user instead of the file name.
  package func located(at path: String) -> String {
    "\(path):\(source.line): \(message)" + (layer.isEmpty ? "." : " (layer \(layer)).")
      + (remedy.map { "\n  \($0)" } ?? "")
  }
}
