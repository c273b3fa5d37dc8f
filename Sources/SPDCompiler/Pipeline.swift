import SPD

/// The compiler's table of contents: every pass in the order in which it runs, and why there.
public enum Pipeline {
  public static let passes = passes(Options())

  static func passes(_ options: Options) -> [Pass] {
    [
      // Training ends in a loss and not in what inference makes of the last layer.
      .attachLoss,
      // A layer that nothing reads should not cost a remark in any later pass.
      .eliminateDeadCode,
      // A linear layer is a convolution that covers its whole input: from here on there is one kind of matrix product.
      .lowerLinear,
      // Batch normalisation and activation move before space-to-depth: first, because both then meet a convolution.
      .hoistOverSpaceToDepth,
      // Before activations, which follow the normalisation.
      .foldBatchNorm,
      // YOLOv5 activates before it adds …
      .fuseActivation,
      .fuseResidual,
      // … and ResNet after it.
      .fuseFinalActivation,
      // Training keeps what a normalisation reads, so it is an operation of its own, with activation and sum in one pass.
      .lowerPointwise,
      .fuseNormalize,
      // Before reindexing is elided, while siblings still read the same result and not two lists of views.
      .mergeSiblingConvolutions,
      // Every reindexing becomes an address, outermost first, so that each one finds readers that already look through
      // the ones after it.
      .elideSlice,
      .elideConcat,
      .elideUpsample,
      .fuseSpaceToDepth,
      // Reindexings that everything looks through have no readers left …
      .removeUnread,
      // … and what is left of the others is written out by a copy.
      .lowerViews,
      // Last, when each convolution reads its final list of views: only now can it be seen which of them are upsampled,
      // and what the split leaves needs no lowering.
      .splitUpsampled,
      // The backward pass is the forward pass in reverse, so its order is decided now.
      .shortBranchesFirst,
      // The backward pass goes through the views that the forward pass ended up with.
      .differentiate,
      // Then it can be seen which results would wait for it.
      .recompute(convolutions: options.recomputedConvolutions),
      // After it, because what is recomputed has its statistics already.
      .fuseStatistics,
    ]
  }

  /// Which optional passes run, and which kernels the result may be made of.
  public struct Options: Codable, Equatable, Sendable {
    public var mode = Mode.inference
    /// The yardstick: every reindexing, normalisation, activation and sum is a loop of its own.
    public var unfused = false
    public var disabled: Set<String> = []
    public var kernels = KernelOptions()
    /// Maximum number of boxes in a batch; only for a detector's training.
    public var maxTargets = 0
    /// Training: how many convolutions the backward pass recomputes, so that their results need not be kept.
    public var recomputedConvolutions = 0
    /// Training only: each parameter is updated as soon as its gradient is ready, whose memory is then free; else one sweep after
    /// backward updates all of them.
    public var updatesInBackward = false

    public init() {}
  }

  /// The effect of one pass.
  public struct Record: Sendable {
    public let pass: String
    public let changed: Bool
    public let remarks: [Remark]
    /// The graph after the pass, if it changed.
    public let after: Graph?
  }

  /// Runs the pipeline, verifying the graph after each pass.
  ///
  /// - Parameter measure: called around each pass; the compiler itself reads no clock.
  /// - Throws: `GraphError` if the graph or a pass breaks a rule; `UnknownPass` for a name in `disabled`.
  public static func run(
    _ graph: Graph, options: Options = Options(),
    around measure: (String, () throws -> Void) throws -> Void = { try $1() }
  ) throws -> (graph: Graph, records: [Record]) {
    let names = Set(passes.filter { $0.kind == .fusion }.map(\.name))
    if let unknown = options.disabled.subtracting(names).sorted().first {
      throw UnknownPass(name: unknown, known: names.sorted())
    }
    try graph.verifyBeforePasses()
    var graph = graph
    var records: [Record] = []
    for pass in passes(options) where pass.modes.contains(options.mode) {
      if pass.kind == .fusion, options.unfused || options.disabled.contains(pass.name) { continue }
      let before = graph
      var remarks: [Remark] = []
      try measure(pass.name) {
        try pass.run(&graph, &remarks)
        do {
          try graph.verify()
        } catch {
          throw GraphError("after the pass \(pass.name): \(error)")
        }
      }
      let changed = graph != before
      records.append(Record(pass: pass.name, changed: changed, remarks: remarks, after: changed ? graph : nil))
    }
    return (graph, records)
  }
}

/// A pass name that does not exist or cannot be left out.
public struct UnknownPass: Error, CustomStringConvertible, Sendable {
  public var name: String
  public var known: [String]
  public var description: String {
    "no optional pass is called \(name); there are \(known.joined(separator: ", "))"
  }
}
