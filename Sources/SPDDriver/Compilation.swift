import SPD
import SPDCompiler

/// A network turned into C, as `spdc compile` does it.
public struct Compilation: Sendable {
  /// What symbols and files begin with.
  public var prefix: String { compiled.prefix }
  /// `<prefix>.c` as text.
  public var source: String { compiled.code.source }
  /// `<prefix>.h` as text.
  public var header: String { compiled.code.header }
  /// Arena of a run on so many threads, in bytes.
  public func arenaBytes(threads: Int) -> Int { compiled.plan.arenaBytes(threads: threads) }

  private let compiled: Builder.Compiled
  private let weighted: Weighted
  private let builder: Builder
  private let hasWeights: Bool

  /// - Parameters:
  ///   - options: with `weights`, the parameters are written too, and size, normalisation and class names come from them.
  ///   - trains: makes training steps instead of inference.
  /// - Throws: `Failure` or an error that converts to one, naming the layer or the key that does not fit.
  public init(_ model: Model, options: CompileOptions = CompileOptions(), trains: Bool = false) async throws {
    weighted = try await WeightLoader.load(
      LoadedModel(model), size: options.size, batch: options.batch ?? 1, classes: options.classes,
      weights: options.weights, required: false)
    builder = try Builder(target: options.target)
    compiled = try builder.compile(weighted.graph, options: options.pipeline(for: trains ? .training : .inference))
    hasWeights = options.weights != nil
  }

  /// Writes source, header, module map and, with weights, the parameter file.
  ///
  /// - Parameter libraries: also compiles the C to an object, a static and a shared library.
  /// - Returns: the files, relative to the folder.
  /// - Throws: `Failure`: `.cannotWrite`, or `.unavailable` where libraries need a C compiler. Nothing is left half-written.
  @discardableResult
  public func write(to folder: String, libraries: Bool = false) async throws -> [String] {
    try await EmittedModule(
      compiled: compiled, weighted: weighted, builder: builder, writesWeights: hasWeights,
      products: libraries ? .libraries : .source
    ).write(to: folder).files
  }
}
