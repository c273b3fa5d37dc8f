import SPD
import SPDCompiler

/// How a network is compiled: its size, its weights, the target and the algorithms.
public struct CompileOptions: Sendable, Equatable {
  /// Height and width of the input; nil: the model's own.
  public var size: Size2D?
  /// Images per run; nil: 1, or what a training is configured for.
  public var batch: Int?
  /// Number of classes; nil: the weights', else the model's.
  public var classes: Int?
  /// Path of a weight file, or `synthetic` for numbers from a formula.
  public var weights: String?
  /// `native`, `x86-64-v4`, `x86-64-v3`, `x86-64`, `aarch64` or `scalar`.
  public var target = "native"
  /// Leaves every fusion out: each reindexing, normalisation, activation and sum is a loop of its own.
  public var unfused = false
  /// Sums the products of a convolution in the order of the formula: no Winograd.
  public var exact = false
  /// Allows Winograd's larger weights only where they gain most for their memory.
  public var lowMemory = false
  /// Largest Winograd tile, 2, 4, 5 or 6; nil: 6 for inference, 2 or 4 for training.
  public var largestTile: Int?
  /// Names of fusions to leave out.
  public var disabledPasses: [String] = []
  /// Measures which kernels are fastest on this machine, and takes those.
  public var tune = false

  public init() {}

  /// What the generated code depends on beside the network, as written on the command line.
  package var codeOptions: String {
    let flags = [unfused ? "--unfused" : nil, exact ? "--exact" : nil, lowMemory ? "--low-memory" : nil]
    let tile = largestTile.map { "--largest-tile \($0)" }
    return (["--target \(target)", tile] + flags + disabledPasses.sorted().map { "--disable-pass \($0)" })
      .compactMap(\.self).joined(separator: " ")
  }

  package func pipeline(for mode: Mode = .inference) -> Pipeline.Options {
    var options = Pipeline.Options()
    options.mode = mode
    options.kernels.largestTile = largestTile
    options.unfused = unfused
    options.disabled = Set(disabledPasses)
    options.kernels.algorithms = exact ? .exact : lowMemory ? .lowMemory : .fast
    return options
  }

  /// The same with measured kernels where `tune` asks for them; says what was measured.
  ///
  /// - Parameter pipeline: other options than those above.
  package func tuned(
    _ graph: Graph, _ builder: Builder, threads: Int, _ pipeline: Pipeline.Options? = nil
  ) async throws -> Pipeline.Options {
    let pipeline = pipeline ?? self.pipeline()
    guard tune else { return pipeline }
    let (options, tuning) = try await Tuner(builder: builder, threads: threads).tune(graph, pipeline)
    Messages.note("tune: \(tuning.summary)")
    return options
  }

  /// Loads a model with its weights; says how they were mapped.
  package func load(
    _ model: String, size: Size2D? = nil, batch: Int? = nil, weightsRequired: Bool = true, quiet: Bool = false
  ) async throws -> Weighted {
    let weighted = try await WeightLoader.load(
      try await LoadedModel.load(model), size: size ?? self.size, batch: batch ?? self.batch ?? 1, classes: classes,
      weights: weights, required: weightsRequired)
    if let report = weighted.report, !quiet {
      Messages.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
    }
    return weighted
  }
}
