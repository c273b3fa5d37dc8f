#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The location of a compiled module: linked into this program, or in a shared library.
struct ModuleLocation {
  /// The result of its function `<prefix>_module()`.
  let description: UnsafeRawPointer
  /// A name for messages.
  let path: String

  static func linked(_ description: UnsafeRawPointer) -> ModuleLocation {
    ModuleLocation(description: description, path: "the linked module")
  }

  /// Loads a shared library, which stays loaded: threads of OpenMP may still be inside of it.
  ///
  /// - Parameter prefix: the prefix of its symbols.
  static func library(_ path: String, prefix: String) throws -> ModuleLocation {
    WaitPolicy.applied
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw RuntimeError.notAModule(path: path, reason: String(cString: dlerror()))
    }
    guard let symbol = dlsym(handle, prefix + "_module") else {
      dlclose(handle)
      throw RuntimeError.notAModule(path: path, reason: "it has no function \(prefix)_module")
    }
    let describe = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafeRawPointer).self)
    return ModuleLocation(description: describe(), path: path)
  }

  /// The description, if it is of this version of the interface.
  func load<Module: BitwiseCopyable>(as type: Module.Type, version expected: Int32) throws -> Module {
    WaitPolicy.applied
    let version = description.load(as: UInt32.self)
    let size = description.load(fromByteOffset: 4, as: UInt32.self)
    guard version == UInt32(expected), size == MemoryLayout<Module>.size else {
      throw RuntimeError.notAModule(
        path: path, reason: "it has version \(version) of the interface, this program \(expected)")
    }
    return description.load(as: type)
  }
}

/// The common interface of modules for inference and for training.
struct ModuleInterface: Sendable {
  let name: String
  /// Size of the arena without the threads' scratch.
  let arenaBytes: Int
  let scratchBytes: Int
  let grantedThreads: @convention(c) (Int32) -> Int32
  let statusText: @convention(c) (Int32) -> UnsafePointer<CChar>?

  func arenaBytes(threads: Int) -> Int { arenaBytes + threads * scratchBytes }

  func check(_ status: Int32) throws {
    guard status != 0 else { return }
    let text = statusText(status).map { String(cString: $0) } ?? "unknown status"
    throw RuntimeError.status(network: name, code: Int(status), text: text)
  }

  /// - Throws: `RuntimeError.threads` if generated code would get fewer.
  func check(threads: Int) throws {
    let granted = (1...1024).contains(threads) ? Int(grantedThreads(Int32(threads))) : 1
    guard granted == threads, threads >= 1 else {
      throw RuntimeError.threads(network: name, asked: threads, granted: granted)
    }
  }
}
