import Foundation
import SPD
import SPDCompiler
import SPDRuntime
import Testing

@testable import SPDDriver

/// A C compiler of this machine.
struct CCompiler: Sendable, Hashable, CustomTestStringConvertible {
  enum Kind: String, Sendable { case clang, gcc }
  var kind: Kind
  var path: String
  var testDescription: String { path }
  var plusPlus: String? {
    let name = URL(fileURLWithPath: path).lastPathComponent
    let other = name.replacingOccurrences(of: kind.rawValue, with: kind == .clang ? "clang++" : "g++")
    return Toolchain.locate(URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(other).path)
  }

  /// Every clang and gcc on the `PATH`, each once.
  static let all: [CCompiler] = {
    var seen: Set<String> = []
    var result: [CCompiler] = []
    let names =
      [("clang", Kind.clang), ("gcc", .gcc)]
      + (14...22).map { ("clang-\($0)", .clang) } + (11...16).map { ("gcc-\($0)", .gcc) }
    for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
      for (name, kind) in names {
        guard let path = Toolchain.locate("\(folder)/\(name)") else { continue }
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        if seen.insert(real).inserted { result.append(CCompiler(kind: kind, path: path)) }
      }
    }
    return result
  }()

  /// The first compiler of a kind.
  static func first(_ kind: Kind) throws -> CCompiler {
    guard let compiler = all.first(where: { $0.kind == kind }) else {
      try Test.cancel("\(kind.rawValue) is not installed")
    }
    return compiler
  }
}

/// Builds objects and programs in a temporary folder, each once, with a maximum of one job per processor.
actor Workshop {
  static let shared = Workshop()
  private let folder: URL
  private var made: [String: Task<URL, any Error>] = [:]

  static let drivers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Drivers")
  static let strict = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
  /// What headers and READMEs tell people to build with, but for loops that clang unrolls by itself: a third of its time, for a
  /// hundredth of the code's.
  static let fast = Builder.fastFlags + ["-fno-unroll-loops", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
  /// For tests that do not test the optimiser, which takes most of the time: it is left out.
  static let quick = strict + ["-O0"]

  private init() {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("spdc-ctests-\(getpid())")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    folderToRemove = folder.path
    atexit {
      if let folderToRemove { try? FileManager.default.removeItem(atPath: folderToRemove) }
    }
  }

  /// The result of `body`, which gets a new folder, run once for each key.
  func once(_ key: String, _ body: @escaping @Sendable (URL) async throws -> URL) async throws -> URL {
    if let task = made[key] { return try await task.value }
    let place = folder.appendingPathComponent(String(fnv1a(key.utf8), radix: 16))
    let task = Task {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      return try await body(place)
    }
    made[key] = task
    return try await task.value
  }

  /// Runs a program to its end.
  func run(_ path: String, _ arguments: [String], environment: [String: String] = [:]) async throws
    -> Toolchain.Outcome
  {
    // Threads that wait must not spin: more of them run here than there are processors.
    let quiet = ["OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"]
    await Turnstile.compilers.enter()
    do {
      let outcome = try await Toolchain.run(path, arguments, environment: quiet.merging(environment) { $1 })
      await Turnstile.compilers.leave()
      return outcome
    } catch {
      await Turnstile.compilers.leave()
      throw error
    }
  }

  /// Runs a program that must succeed.
  func mustRun(_ path: String, _ arguments: [String], environment: [String: String] = [:]) async throws {
    let outcome = try await run(path, arguments, environment: environment)
    guard outcome.succeeded else {
      throw Failed(command: ([path] + arguments).joined(separator: " "), message: outcome.errors + outcome.output)
    }
  }
}

nonisolated(unsafe) private var folderToRemove: String?

/// A program that should have succeeded.
struct Failed: Error, CustomStringConvertible {
  var command: String
  var message: String
  var description: String { "\(command)\n\(message.prefix(4000))" }
}

extension Workshop {
  /// Folder with `<prefix>.c` and `include/<prefix>.h`.
  func source(_ sample: Sample, _ variant: Variant) async throws -> URL {
    try await once("source \(sample) \(variant)") { place in
      let code = try sample.code(variant)
      let include = place.appendingPathComponent("include")
      try FileManager.default.createDirectory(at: include, withIntermediateDirectories: true)
      try code.source.write(
        to: place.appendingPathComponent("\(sample.prefix(variant)).c"), atomically: true, encoding: .utf8)
      try code.header.write(
        to: include.appendingPathComponent("\(sample.prefix(variant)).h"), atomically: true, encoding: .utf8)
      return place
    }
  }

  func object(_ sample: Sample, _ variant: Variant, _ compiler: String, _ flags: [String]) async throws -> URL {
    let source = try await source(sample, variant)
    let prefix = sample.prefix(variant)
    return try await object(
      of: source.appendingPathComponent("\(prefix).c"),
      including: [source.appendingPathComponent("include/\(prefix).h")],
      compiler, flags)
  }

  /// The object of a C file, from the cache shared with the command.
  func object(of source: URL, including headers: [URL], _ compiler: String, _ flags: [String]) async throws -> URL {
    let name = source.deletingPathExtension().lastPathComponent + ".o"
    var key = ObjectCache.Key(try await identity(compiler), name)
    key.add(flags.filter { !$0.hasPrefix("-I") })
    for file in [source] + headers { key.add(try String(contentsOf: file, encoding: .utf8)) }
    if flags.contains("-march=native") { key.add(Machine.identity) }
    let folders = Set(headers.map { "-I" + $0.deletingLastPathComponent().path }).sorted()
    let entry = key
    return try await once("object " + key.name) { _ in
      try await ObjectCache("objects").file(name, entry) { place in
        try await self.mustRun(
          compiler, flags + folders + ["-c", source.path, "-o", place.appendingPathComponent(name).path])
      }
    }
  }

  /// Identifies a compiler, and its version after an update.
  private func identity(_ compiler: String) async throws -> String {
    let file = try await once("version \(compiler)") { place in
      let version = try await self.run(compiler, ["--version"]).output
      let identity = Toolchain(compiler: compiler, version: version, openMPFlags: []).identity
      let file = place.appendingPathComponent("version")
      try identity.write(to: file, atomically: true, encoding: .utf8)
      return file
    }
    return try String(contentsOf: file, encoding: .utf8)
  }

  /// A driver linked with a network.
  func program(
    _ driver: String, _ sample: Sample, _ variant: Variant, _ compiler: String, _ flags: [String],
    link: [String] = []
  ) async throws -> URL {
    try await once("program \(driver) \(sample) \(variant) \(compiler) \(flags) \(link)") { place in
      let prefix = sample.prefix(variant)
      let object = try await self.object(sample, variant, compiler, flags)
      let header = try await self.source(sample, variant).appendingPathComponent("include/\(prefix).h")
      let program = place.appendingPathComponent(driver)
      // The driver needs nothing of what the target is, so that one object serves many programs.
      let driverFlags = flags.filter { flag in !["-O", "-std", "-m"].contains { flag.hasPrefix($0) } } + link
      let main = try await self.object(
        of: Self.drivers.appendingPathComponent("\(driver).c"),
        including: [header, Self.drivers.appendingPathComponent("model.h")], compiler,
        driverFlags + [
          "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", "-DMODEL=\(prefix)",
          "-DMODEL_UPPER=\(prefix.uppercased())",
        ])
      try await self.mustRun(
        compiler, driverFlags + [main.path, object.path, "-pthread", "-o", program.path])
      return program
    }
  }

  /// `weights.spdw`, `input.f32` and another input, `other.f32`.
  func data(_ sample: Sample) async throws -> URL {
    try await once("data \(sample)") { place in
      let graph = try sample.graph()
      let file = try ParameterFile(
        graphHash: graph.parameterHash, parameters: graph.storedParameters, values: syntheticParameter)
      try file.withBytes { try Data($0).write(to: place.appendingPathComponent("weights.spdw")) }
      let input = syntheticInput(graph.input.shape)
      for (name, values) in [("input", input), ("other", uniform("other", input.count))] {
        try values.withUnsafeBytes { Data($0) }.write(to: place.appendingPathComponent("\(name).f32"))
      }
      return place
    }
  }

  /// What the driver `run` writes: everything it checks has held.
  func output(
    _ sample: Sample, _ variant: Variant, _ compiler: String, _ flags: [String], link: [String] = [],
    openMP: Bool, environment: [String: String] = [:]
  ) async throws -> [Float] {
    let file = try await once("output \(sample) \(variant) \(compiler) \(flags) \(link)") { place in
      let program = try await self.program("run", sample, variant, compiler, flags, link: link)
      let data = try await self.data(sample)
      let output = place.appendingPathComponent("output.f32")
      try await self.mustRun(
        program.path,
        ["\(data.path)/weights.spdw", "\(data.path)/input.f32", output.path, openMP ? "1" : "0"],
        environment: environment)
      return output
    }
    return try floats(file)
  }
}

func floats(_ file: URL) throws -> [Float] {
  let data = try Data(contentsOf: file)
  return [Float](unsafeUninitializedCapacity: data.count / 4) { buffer, count in
    count = data.copyBytes(to: buffer) / 4
  }
}

extension [Float] {
  var bits: [UInt32] { map(\.bitPattern) }
}
