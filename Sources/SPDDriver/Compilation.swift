import SPD
import SPDCompiler

/// A network compiled to C, as by `spdc compile`.
public struct Compilation: Sendable {
  /// Prefix of symbols and file names.
  public var prefix: String { compiled.prefix }
  /// Text of `<prefix>.c`.
  public var source: String { compiled.code.source }
  /// Text of `<prefix>.h`.
  public var header: String { compiled.code.header }
  /// Returns the size of the arena for a number of threads, in bytes.
  public func arenaBytes(threads: Int) -> Int { compiled.plan.arenaBytes(threads: threads) }

  private let compiled: Builder.Compiled
  private let weighted: Weighted
  private let builder: Builder
  private let hasWeights: Bool

  /// - Parameters:
  ///   - options: compile options. With `weights`, the parameters are written too, and size, normalisation and class names
  ///     come from the weight file.
  ///   - trains: compiles training steps instead of inference.
  /// - Throws: `Failure` or an error that converts to one, naming the layer or key that does not match.
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
  /// The files are written atomically.
  ///
  /// - Parameter libraries: also compiles the C to an object, a static and a shared library.
  /// - Returns: the files, relative to the folder.
  /// - Throws: `Failure`: `.cannotWrite`, or `.unavailable` if libraries are requested and there is no C compiler.
  @discardableResult
  public func write(to folder: String, libraries: Bool = false) async throws -> [String] {
    try await EmittedModule(
      compiled: compiled, weighted: weighted, builder: builder, writesWeights: hasWeights,
      products: libraries ? .libraries : .source
    ).write(to: folder).files
  }
}
