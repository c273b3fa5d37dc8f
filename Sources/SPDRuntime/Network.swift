import CSPDModule

/// A network that spdc compiled to C, linked into this program or loaded from a library.
///
///     let network = try Network(module: yolov5_spd_n_module())
///     let weights = try network.pack(ParameterFile(mapping: "yolov5_spd_n.spdw"))
///     let session = try network.session(weights, threads: 2)
///     let boxes = try session.infer(image)
public final class Network: @unchecked Sendable {
  public let name: String
  /// Shape of the input, N×C×H×W.
  public let inputShape: [Int]
  /// Shapes of the results, which are consecutive in the output.
  public let outputShapes: [[Int]]
  /// Range of each result in the output, in floats.
  public let outputRanges: [Range<Int>]
  public let classes: Int
  public let graphHash: UInt64
  /// Number of parallel loops of a run.
  public let stepCount: Int
  public let packedBytes: Int
  let module: spdc_module
  let interface: ModuleInterface

  public var inputCount: Int { inputShape.reduce(1, *) }
  public var outputCount: Int { outputRanges.last?.upperBound ?? 0 }

  /// A network that is linked into this program: the result of its function `<prefix>_module()`.
  public convenience init(module: UnsafeRawPointer) throws {
    try self.init(.linked(module))
  }

  /// A network in a shared library.
  ///
  /// - Parameter prefix: the prefix of its symbols, such as `yolov5_spd_n`.
  public convenience init(library path: String, prefix: String) throws {
    try self.init(.library(path, prefix: prefix))
  }

  private init(_ location: ModuleLocation) throws {
    module = try location.load(as: spdc_module.self, version: SPDC_MODULE_ABI_VERSION)
    name = String(cString: module.name)
    inputShape = [module.batch, module.channels, module.height, module.width].map(Int.init)
    outputShapes = (0..<Int(module.outputs)).map { [module] index in
      let shape = module.output_shapes[index]
      let d = shape.dimensions
      return Array([d.0, d.1, d.2, d.3].map(Int.init).prefix(Int(shape.rank)))
    }
    var end = 0
    outputRanges = outputShapes.map { shape in
      defer { end += shape.reduce(1, *) }
      return end..<end + shape.reduce(1, *)
    }
    classes = Int(module.classes)
    graphHash = module.graph_hash
    stepCount = Int(module.steps)
    packedBytes = Int(module.packed_bytes)
    interface = ModuleInterface(
      name: name, arenaBytes: Int(module.arena_bytes), scratchBytes: Int(module.scratch_bytes),
      grantedThreads: module.threads, statusText: module.status)
  }

  /// Size of the arena in bytes for a number of threads.
  public func arenaBytes(threads: Int) -> Int { interface.arenaBytes(threads: threads) }

  /// Checks the parameters and brings them into the kernels' order. Any number of sessions may share the result.
  public func pack(_ parameters: ParameterFile) throws -> PackedWeights {
    let buffer = try AlignedBuffer(byteCount: packedBytes)
    try parameters.withBytes {
      try interface.check(module.pack($0.baseAddress, $0.count, buffer.base, buffer.byteCount))
    }
    return PackedWeights(network: self, buffer: buffer)
  }

  /// Makes a session with its own arena.
  ///
  /// - Parameter threads: number of threads of each run.
  /// - Throws: `RuntimeError.threads` if the generated code cannot get that many.
  public func session(_ weights: PackedWeights, threads: Int) throws -> Session {
    try Session(network: self, weights: weights, threads: threads)
  }
}

/// Weights in the kernels' order, read-only.
public final class PackedWeights: Sendable {
  let buffer: AlignedBuffer

  init(network: Network, buffer: AlignedBuffer) {
    self.buffer = buffer
  }

  public var byteCount: Int { buffer.byteCount }

  /// Calls `body` with the bytes that generated code reads; a mapped file of these bytes is equivalent.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount))
    }
  }
}
