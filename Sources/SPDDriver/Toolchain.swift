import Foundation
import SPD
import Subprocess

/// A C compiler that built and ran an OpenMP program on this machine.
package struct Toolchain: Codable, Equatable {
  /// Absolute path of the compiler.
  package var compiler: String
  /// First arguments of every call, from `CC="ccache clang"` or `CC="gcc -m64"`.
  package var words: [String] = []
  /// First line of `--version`.
  package var version: String
  /// OpenMP flags: `-fopenmp`, and a library folder if the compiler does not search it.
  package var openMPFlags: [String]

  /// Finds a compiler, or throws an error that explains what to install.
  ///
  /// If `SPDC_CC` or `CC` is set, it is the only candidate and may include options. The result is cached until the
  /// compiler's file changes.
  package static func find() async throws -> Toolchain {
    if let remembered = try? remembered() { return remembered }
    let (found, reports) = try await probe()
    guard let found else { throw Failure(.unavailable, advice(reports)) }
    if let data = try? JSONEncoder().encode(Memory(toolchain: found, stamp: stamp(found.compiler))) {
      try? Files.write(data, to: memoryFile().path)
    }
    return found
  }

  /// The result of probing one candidate, for `spdc doctor`.
  package struct Report: Codable {
    package var compiler: String
    package var version: String?
    package var builds: Bool
    package var openMP: Bool
    package var message: String
  }

  /// Probes candidates until one works.
  ///
  /// - Throws: `Failure` if temporary files cannot be written, so that no candidate can be probed.
  package static func probe() async throws -> (Toolchain?, [Report]) {
    var reports: [Report] = []
    for candidate in candidates() {
      let (toolchain, report) = try await examine(candidate)
      reports.append(report)
      if let toolchain { return (toolchain, reports) }
    }
    return (nil, reports)
  }

  private static let notFound = "not found"

  private static func requested() -> String? {
    let environment = ProcessInfo.processInfo.environment
    return [environment["SPDC_CC"], environment["CC"]].compactMap { $0 }.first { !$0.isEmpty }
  }

  private static func candidates() -> [String] {
    if let requested = requested() { return [requested] }
    // Newest clang first: gcc generates slightly slower code.
    return ["clang"] + (14...22).reversed().map { "clang-\($0)" } + ["gcc", "cc"]
  }

  private static func examine(_ name: String) async throws -> (Toolchain?, Report) {
    var report = Report(compiler: name, version: nil, builds: false, openMP: false, message: notFound)
    guard let (path, words) = command(name) else { return (nil, report) }
    report.compiler = ([path] + words).joined(separator: " ")
    let version = try? await run(path, words + ["--version"])
    report.version = version.flatMap { $0.output.split(separator: "\n").first.map(String.init) }
    let folder = try Files.temporaryFolder().appendingPathComponent("spdc-\(UUID().uuidString)")
    do {
      try Files.createFolder(folder)
      defer { try? FileManager.default.removeItem(at: folder) }
      let source = folder.appendingPathComponent("probe.c").path
      let program = folder.appendingPathComponent("probe").path
      try Files.write(probeProgram, to: source)
      let plain = try await run(path, words + ["-O1", source, "-o", program])
      report.builds = plain.succeeded
      if !plain.succeeded, let failure = Files.writeFailure(plain, writingTo: folder) { throw failure }
      guard plain.succeeded else {
        report.message = "it cannot build a program: \(plain.firstLine)"
        return (nil, report)
      }
      for flags in openMPChoices() {
        let built = try await run(path, words + ["-O1"] + flags + [source, "-o", program])
        if !built.succeeded, let failure = Files.writeFailure(built, writingTo: folder) { throw failure }
        guard built.succeeded else {
          report.message = "-fopenmp does not work: \(built.firstLine)"
          continue
        }
        // The user's OpenMP limits are no property of the compiler, and the result is cached.
        let free: [String: String?] = ["OMP_THREAD_LIMIT": nil, "OMP_NUM_THREADS": nil, "OMP_DYNAMIC": nil]
        let ran = try await run(program, [], environment: free)
        guard ran.succeeded, ran.output.hasPrefix("2") else {
          report.message = "a program with -fopenmp does not run two threads: \(ran.firstLine)"
          continue
        }
        report.openMP = true
        report.message = "works"
        let found = Toolchain(compiler: path, words: words, version: report.version ?? "", openMPFlags: flags)
        return (found, report)
      }
    } catch let failure as Failure where failure.code == .cannotWrite {
      throw failure
    } catch {
      report.message = "\(error)"
    }
    return (nil, report)
  }

  /// Splits a name or command line into the program and its first arguments.
  private static func command(_ text: String) -> (path: String, words: [String])? {
    // A path may contain spaces.
    if let path = locate(text) { return (path, []) }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard let first = words.first, let path = locate(first) else { return nil }
    return (path, Array(words.dropFirst()))
  }

  /// Returns the OpenMP flags to try: Debian installs libomp into a folder per clang version that other versions do not search.
  private static func openMPChoices() -> [[String]] {
    let folders = (14...22).reversed().map { "/usr/lib/llvm-\($0)/lib" }
      .filter { FileManager.default.fileExists(atPath: $0 + "/libomp.so") }
    return [["-fopenmp"]] + folders.map { ["-fopenmp=libomp", "-L" + $0, "-Wl,-rpath," + $0] }
  }

  private static let probeProgram = """
    #include <stdio.h>
    #ifdef _OPENMP
    extern int omp_get_num_threads(void);
    #endif
    int main(void) {
      int threads = 1;
    #ifdef _OPENMP
    #pragma omp parallel num_threads(2)
      {
    #pragma omp single
        threads = omp_get_num_threads();
      }
    #endif
      printf("%d\\n", threads);
      return 0;
    }

    """

  private static func advice(_ reports: [Report]) -> String {
    let found = reports.filter { $0.message != notFound }
    if found.isEmpty {
      guard let requested = requested() else {
        if !hasPath {
          return noPath("neither clang nor gcc can be found; set it, or give the compiler's path in SPDC_CC")
        }
        return "no C compiler (clang or gcc) was found. On Debian: apt install clang libomp-dev"
      }
      if !hasPath, !requested.contains("/") { return noPath("\(requested) (from SPDC_CC or CC) cannot be found") }
      return "the compiler \(requested) (from SPDC_CC or CC) was not found.\n  Unset the variable to let spdc look for "
        + "clang and gcc; on Debian: apt install clang libomp-dev"
    }
    let lines = found.map { "  \($0.compiler): \($0.message)" }.joined(separator: "\n")
    return "no C compiler here builds and runs an OpenMP program:\n\(lines)\n  On Debian: apt install clang libomp-dev"
  }

  private static var hasPath: Bool { !(ProcessInfo.processInfo.environment["PATH"] ?? "").isEmpty }

  private static func noPath(_ consequence: String) -> String { "PATH is not set, so \(consequence)" }

  /// The message for a missing swiftc.
  package static var swiftAdvice: String {
    hasPath
      ? "swiftc was not found; model files need it (see swift.org/install), shipped models and graph files do not"
      : noPath("swiftc, which model files need, cannot be found")
  }

  // MARK: - cached result

  private struct Memory: Codable {
    var toolchain: Toolchain
    var stamp: String
  }

  private static func memoryFile() throws -> URL {
    // One file per value of CC, so that changing it probes again.
    let name = requested().map { "toolchain-" + String(fnv1a($0.utf8), radix: 16) } ?? "toolchain"
    return try Files.cache("toolchain").appendingPathComponent(name + ".json")
  }

  private static func remembered() throws -> Toolchain? {
    let memory = try JSONDecoder().decode(Memory.self, from: Data(contentsOf: memoryFile()))
    return memory.stamp == stamp(memory.toolchain.compiler) ? memory.toolchain : nil
  }

  /// Identifies the version of the compiler's file.
  private static func fileStamp(_ path: String) -> String {
    let attributes = try? FileManager.default.attributesOfItem(
      atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
    return "\(attributes?[.modificationDate] ?? "") \(attributes?[.size] ?? "")"
  }

  private static func stamp(_ path: String) -> String {
    fileStamp(path) + (ProcessInfo.processInfo.environment["PATH"] ?? "")
  }

  /// Tells this compiler from others, and from itself after an update.
  package var identity: String { ([compiler] + words + [version, Self.fileStamp(compiler)]).joined(separator: "\n") }

  // MARK: - running programs

  package struct Outcome {
    package var succeeded: Bool
    /// The signal that ended the program, if any.
    package var signal: Int32?
    package var output: String
    package var errors: String
    package var firstLine: String {
      let line =
        (errors + "\n" + output).split(separator: "\n").first { $0.contains("error") }
        ?? (errors + "\n" + output).split(separator: "\n").first
      return line.map(String.init) ?? "no message"
    }
  }

  /// Runs a program and collects its output. `environment` is merged into this process's environment; nil removes a variable.
  package static func run(_ path: String, _ arguments: [String], environment: [String: String?] = [:]) async throws
    -> Outcome
  {
    // `updateValue` keeps nil values, which remove a variable.
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in environment { variables.updateValue(value, forKey: Environment.Key(stringLiteral: name)) }
    let changes = variables
    let limit = outputLimit
    let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
    do {
      result = try await Interruption.cancellable {
        try await Subprocess.run(
          .path(.init(path)), arguments: Arguments(arguments), environment: .inherit.updating(changes),
          output: .string(limit: limit), error: .string(limit: limit))
      }
    } catch let error as SubprocessError where error.code == .outputLimitExceeded {
      throw TooMuchOutput(program: path)
    }
    var signal: Int32?
    if case .signaled(let number) = result.terminationStatus { signal = number }
    return Outcome(
      succeeded: result.terminationStatus.isSuccess, signal: signal, output: result.standardOutput,
      errors: result.standardError)
  }

  /// Maximum output of a program in bytes.
  private static let outputLimit = 16 << 20

  /// Thrown when a program exceeds the output limit.
  package struct TooMuchOutput: FailureConvertible {
    package var program: String
    package var failure: Failure { Failure(.unavailable, "\(program) was stopped: it printed more than 16 MB") }
  }

  /// Returns the path of a program, searching `PATH` if the name has no slash.
  package static func locate(_ name: String) -> String? {
    let manager = FileManager.default
    if name.contains("/") { return manager.isExecutableFile(atPath: name) ? name : nil }
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { $0 + "/" + name }.first { manager.isExecutableFile(atPath: $0) }
  }
}
