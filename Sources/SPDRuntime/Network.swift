import CSPDModule

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A network that spdc compiled to C, linked into this program or loaded from a library.
///
///     let network = try Network(module: yolov5_spd_n_module())
///     let weights = try network.pack(ParameterFile(mapping: "yolov5_spd_n.spdw"))
///     let session = try network.session(weights, threads: 2)
///     let boxes = try session.infer(image)
public final class Network: @unchecked Sendable {
  public let name: String
  /// N×C×H×W.
  public let inputShape: [Int]
  /// One per result; they follow each other in the output.
  public let outputShapes: [[Int]]
  public let classes: Int
  public let graphHash: UInt64
  /// Parallel loops of a run.
  public let stepCount: Int
  public let packedBytes: Int
  let module: spdc_module
  private let library: UnsafeMutableRawPointer?

  public var inputCount: Int { inputShape.reduce(1, *) }
  public var outputCount: Int { outputShapes.reduce(0) { $0 + $1.reduce(1, *) } }

  /// A network that is linked into this program: what its function `<prefix>_module()` returns.
  public convenience init(module: UnsafeRawPointer) throws {
    try self.init(module, library: nil, path: "the linked module")
  }

  /// A network in a shared library.
  ///
  /// - Parameter prefix: what its symbols start with, such as `yolov5_spd_n`.
  public convenience init(library path: String, prefix: String) throws {
    WaitPolicy.applied
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw RuntimeError.notAModule(path: path, reason: String(cString: dlerror()))
    }
    guard let symbol = dlsym(handle, prefix + "_module") else {
      dlclose(handle)
      throw RuntimeError.notAModule(path: path, reason: "it has no function \(prefix)_module")
    }
    let describe = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafeRawPointer).self)
    try self.init(describe(), library: handle, path: path)
  }

  private init(_ description: UnsafeRawPointer, library: UnsafeMutableRawPointer?, path: String) throws {
    WaitPolicy.applied
    let version = description.load(as: UInt32.self)
    let size = description.load(fromByteOffset: 4, as: UInt32.self)
    guard version == SPDC_MODULE_ABI_VERSION, size == MemoryLayout<spdc_module>.size else {
      throw RuntimeError.notAModule(
        path: path, reason: "it has version \(version) of the interface, this program \(SPDC_MODULE_ABI_VERSION)")
    }
    module = description.load(as: spdc_module.self)
    self.library = library
    name = String(cString: module.name)
    inputShape = [module.batch, module.channels, module.height, module.width].map(Int.init)
    outputShapes = (0..<Int(module.outputs)).map { [module] index in
      let shape = module.output_shapes[index]
      let d = shape.dimensions
      return Array([d.0, d.1, d.2, d.3].map(Int.init).prefix(Int(shape.rank)))
    }
    classes = Int(module.classes)
    graphHash = module.graph_hash
    stepCount = Int(module.steps)
    packedBytes = Int(module.packed_bytes)
  }

  // A library stays loaded: OpenMP's threads may still be inside of it.

  /// Bytes of the arena for a number of threads.
  public func arenaBytes(threads: Int) -> Int { Int(module.arena_bytes) + threads * Int(module.scratch_bytes) }

  /// Checks the parameters and brings them into the kernels' order. Any number of sessions may share the result.
  public func pack(_ parameters: ParameterFile) throws -> PackedWeights {
    let buffer = try AlignedBuffer(byteCount: packedBytes)
    try parameters.withBytes {
      try check(module.pack($0.baseAddress, $0.count, buffer.base, buffer.byteCount))
    }
    return PackedWeights(network: self, buffer: buffer)
  }

  /// A place to run in: an arena of its own.
  ///
  /// - Parameter threads: how many threads each run uses.
  /// - Throws: `RuntimeError.threads` if the generated code cannot get that many.
  public func session(_ weights: PackedWeights, threads: Int) throws -> Session {
    try Session(network: self, weights: weights, threads: threads)
  }

  func check(_ status: Int32) throws {
    guard status != 0 else { return }
    let text = module.status(status).map { String(cString: $0) } ?? "unknown status"
    throw RuntimeError.status(network: name, code: Int(status), text: text)
  }
}

/// Weights in the kernels' order, read-only.
public final class PackedWeights: Sendable {
  let buffer: AlignedBuffer

  init(network: Network, buffer: AlignedBuffer) {
    self.buffer = buffer
  }

  public var byteCount: Int { buffer.byteCount }

  /// Hands them over as generated code reads them; a file of these bytes, mapped, is as good.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount))
    }
  }
}
