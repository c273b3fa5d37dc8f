import SPD
import SPDCompiler
import SPDData
import SPDDriver
import SPDRuntime
import SPDVision

/// A trained classifier, compiled for inference, that accepts images of any size.
///
/// Not thread-safe.
public final class Classifier {
  /// A class with its probability.
  public struct Prediction: Sendable, Equatable, CustomStringConvertible {
    public var index: Int
    public var name: String
    /// Probability from 0 to 1.
    public var probability: Float
    /// Text such as `cat 0.98`.
    public var description: String { "\(name) \((probability * 100).rounded() / 100)" }
  }

  /// Names by class index.
  public let classNames: [String]
  /// Preprocessing applied to each image.
  public let preprocessing: ImagePreprocessing
  package let network: Network
  private let session: Session
  private let transform: ImageTransform
  private let endsInSoftmax: Bool

  /// Compiles a model with the weights, the input size, the normalisation and the class names of a checkpoint.
  ///
  /// - Parameters:
  ///   - checkpoint: a checkpoint such as `TrainingResult.best`.
  ///   - options: compile options; `size` and `weights` come from the checkpoint.
  /// - Throws: `Failure` or an error that converts to one: a checkpoint of another network, a damaged file, no C compiler.
  public convenience init(
    _ model: Model, checkpoint: TrainingResult.Checkpoint, threads: Int? = nil,
    options: CompileOptions = CompileOptions()
  ) async throws {
    try await self.init(model, weights: checkpoint.path, threads: threads, options: options)
  }

  /// Compiles a model with any weight file; `preprocessing` has what the file records.
  public convenience init(
    _ model: Model, weights: String, threads: Int? = nil, options: CompileOptions = CompileOptions()
  ) async throws {
    let weighted = try await WeightLoader.load(
      LoadedModel(model), size: options.size, batch: 1, classes: options.classes, weights: weights)
    let builder = try Builder(target: options.target)
    try self.init(
      try await builder.ready(weighted, options: options.pipeline()), preprocessing: .of(weighted.graph),
      threads: threads ?? Machine.processors)
  }

  /// - Throws: `Failure` for a network that does not classify images.
  package init(_ ready: Builder.Ready, preprocessing: ImagePreprocessing, threads: Int) throws {
    let graph = ready.weighted.graph
    try Self.check(graph)
    let classes = graph.shape(of: graph.outputs[0]).channels
    let names = ready.weighted.classNames ?? []
    classNames = (0..<classes).map { $0 < names.count ? names[$0] : "class \($0)" }
    self.preprocessing = preprocessing
    network = ready.network
    session = try network.session(ready.packed, threads: threads)
    transform = ImageTransform(preprocessing, size: graph.input.shape.size)
    endsInSoftmax = graph.nodes.last?.op == .softmax
  }

  /// - Throws: `Failure` for a network that does not classify images.
  package static func check(_ graph: Graph) throws {
    let shape = graph.shape(of: graph.outputs[0])
    if case .decodeBoxes = graph.nodes.last?.op {
      throw Failure(.usage, "\(graph.name) detects objects (try detect)")
    }
    guard graph.outputs.count == 1, shape.height == 1, shape.width == 1, graph.input.shape.channels == 3 else {
      throw Failure(.usage, "\(graph.name) does not classify images: its output is \(shape)")
    }
  }

  /// Returns the most probable classes, best first.
  ///
  /// - Parameter top: maximum number of classes.
  /// - Throws: an error that converts to `Failure` if the network's output is not finite.
  public func classify(_ image: Image, top: Int = 5) throws -> [Prediction] {
    let scores = try session.infer(transform.input(image))
    try OutputNotFinite.check(scores, network.outputShapes, of: network.name)
    let best: [(index: Int, probability: Float)] =
      endsInSoftmax
      ? scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(top).map { ($0, scores[$0]) }
      : softmaxTop(scores, k: min(top, scores.count)).map { ($0.index, $0.probability) }
    return best.map { Prediction(index: $0.index, name: classNames[$0.index], probability: $0.probability) }
  }
}

extension ImagePreprocessing {
  /// Returns a network's preprocessing: that of its weights, else that of the paper's network of the same name, else values
  /// from 0 to 1.
  package static func of(_ graph: Graph) -> ImagePreprocessing {
    if let own = graph.preprocessing { return own }
    let preset = TrainingPreset.name(for: graph.name)
    return preset == TrainingPreset.fallback ? .unit : ofPreset(preset)
  }

  /// Values from 0 to 1, not normalised.
  package static let unit = ImagePreprocessing(valueRange: .unit, mean: [0, 0, 0], std: [1, 1, 1], fit: .crop)

  /// Returns the preprocessing of a `TrainingPreset`.
  package static func ofPreset(_ name: String) -> ImagePreprocessing {
    let configuration = TrainingPreset.configuration(named: name, model: "")
    return (configuration?.augmentation ?? AugmentationConfiguration()).transform(Size2D(1, 1)).preprocessing
  }
}
