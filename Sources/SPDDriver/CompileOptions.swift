import SPD
import SPDCompiler

/// Compile options of a network: size, weights, target and algorithms.
public struct CompileOptions: Sendable, Equatable {
  /// Height and width of the input; nil: the model's own.
  public var size: Size2D?
  /// Batch size; nil: 1, or that of the training configuration.
  public var batch: Int?
  /// Number of classes; nil: the weights', else the model's.
  public var classes: Int?
  /// Path of a weight file, or `synthetic` for deterministic pseudo-random weights.
  public var weights: String?
  /// `native`, `x86-64-v4`, `x86-64-v3`, `x86-64`, `aarch64` or `scalar`.
  public var target = "native"
  /// Disables every fusion: each reindexing, normalisation, activation and sum becomes a separate loop.
  public var unfused = false
  /// Sums products of convolutions in the order of the definition; disables Winograd.
  public var exact = false
  /// Uses Winograd's larger weights only where the speedup per byte is greatest.
  public var lowMemory = false
  /// Largest Winograd tile, 2, 4, 5 or 6; nil: 6 for inference, 2 or 4 for training.
  public var largestTile: Int?
  /// Names of fusions to disable.
  public var disabledPasses: [String] = []
  /// Measures which kernels are fastest on this machine, and uses those.
  public var tune = false

  public init() {}

  /// The options that affect generated code, as written on the command line.
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

  /// Returns pipeline options with measured kernels if `tune` is set, and reports what was measured.
  ///
  /// - Parameter pipeline: replaces the options derived from this value.
  package func tuned(
    _ graph: Graph, _ builder: Builder, threads: Int, _ pipeline: Pipeline.Options? = nil
  ) async throws -> Pipeline.Options {
    let pipeline = pipeline ?? self.pipeline()
    guard tune else { return pipeline }
    let (options, tuning) = try await Tuner(builder: builder, threads: threads).tune(graph, pipeline)
    Messages.note("tune: \(tuning.summary)")
    return options
  }

  /// Loads a model with its weights, and reports how they were mapped.
  package func load(
    _ model: String, size: Size2D? = nil, batch: Int? = nil, weightsRequired: Bool = true, quiet: Bool = false
  ) async throws -> Weighted {
    try await load(
      try await LoadedModel.load(model), size: size, batch: batch, weightsRequired: weightsRequired, quiet: quiet)
  }

  package func load(
    _ model: LoadedModel, size: Size2D? = nil, batch: Int? = nil, weightsRequired: Bool = true, quiet: Bool = false
  ) async throws -> Weighted {
    let weighted = try await WeightLoader.load(
      model, size: size ?? self.size, batch: batch ?? self.batch ?? 1, classes: classes,
      weights: weights, required: weightsRequired)
    if let report = weighted.report, !quiet {
      Messages.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
    }
    return weighted
  }
}
