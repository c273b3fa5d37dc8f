import Foundation
import SPDDriver
import SPDFormats
import Subprocess
import Testing

/// Paths that tests use.
enum Place {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let fixtures = repository + "/Tests/Fixtures"
  static let shapes = fixtures + "/shapes"
  static let checkpoint = shapes + "/yolov5-spd-n-shapes.pt"
  static let formats = repository + "/Tests/SPDFormatsTests/Fixtures"
  static let tiny = repository + "/Examples/tiny-spd.swift"

  /// The command as it was built, beside the program that runs the tests.
  static let spdc: String = {
    let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let beside = folder.appendingPathComponent("spdc").path
    return FileManager.default.isExecutableFile(atPath: beside) ? beside : repository + "/.build/release/spdc"
  }()

  /// What all runs share, so that nothing is compiled twice: `SPDC_CACHE`'s, which stays, or one that is gone when the tests end.
  static let cache: String = {
    if let shared = ProcessInfo.processInfo.environment["SPDC_CACHE"], !shared.isEmpty { return shared }
    atexit { try? FileManager.default.removeItem(atPath: Place.cache) }
    return FileManager.default.temporaryDirectory.appendingPathComponent("spdc-tests-\(getpid())").path
  }()
}

/// A folder of one test's own, gone with the test.
final class Scratch: Sendable {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("spdc \(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }
  func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }
  func script(_ text: String, _ name: String) throws -> String {
    let path = try write("#!/bin/sh\n" + text + "\n", name)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }
  /// A cache of the test's own, but for the model files that swiftc has compiled.
  func cache() throws -> String {
    let cache = self("cache")
    if exists(cache) { return cache }
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: Place.cache + "/models", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: cache + "/models", withDestinationPath: Place.cache + "/models")
    return cache
  }
  /// Everything in it, hidden files too.
  var names: [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: path).sorted()) ?? []
  }
}

func bytes(_ path: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: path))) }
func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

/// Runs the command.
///
/// - Parameters:
///   - environment: added to the tests' own; nil removes a variable.
///   - shell: what a shell does before it becomes the command, such as `ulimit -f 8`.
func spdc(
  _ arguments: String..., environment: [String: String?] = [:], in folder: String? = nil, shell: String? = nil,
  executable: String = Place.spdc
) async throws -> Outcome {
  try await spdc(
    arguments: arguments, environment: environment, in: folder, shell: shell, executable: executable)
}

func spdc(
  arguments: [String], environment: [String: String?] = [:], in folder: String? = nil, shell: String? = nil,
  executable: String = Place.spdc
) async throws -> Outcome {
  var variables: [Environment.Key: String?] = ["SPDC_CACHE": Place.cache, "OMP_WAIT_POLICY": "passive"]
  for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
  let program = shell == nil ? executable : "/bin/sh"
  let words = shell.map { ["-c", $0 + "; exec \"$0\" \"$@\"", executable] + arguments } ?? arguments
  await turnstile.enter()
  let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
  do {
    result = try await Subprocess.run(
      .path(.init(program)), arguments: Arguments(words), environment: .inherit.updating(variables),
      workingDirectory: folder.map { .init($0) }, output: .string(limit: 64 << 20), error: .string(limit: 64 << 20))
    await turnstile.leave()
  } catch {
    await turnstile.leave()
    throw error
  }
  let code: Int32 =
    switch result.terminationStatus {
    case .exited(let code): code
    case .signaled(let signal): 128 + signal
    }
  return Outcome(code: code, output: result.standardOutput, errors: result.standardError)
}

/// As many runs at a time as there are processors: each may start a C compiler.
private let turnstile = Turnstile(ProcessInfo.processInfo.activeProcessorCount)

/// The exit codes, those of sysexits.h.
enum Exit: Int32 {
  case success = 0
  case different = 1
  case diverged = 2
  case usage = 64
  case data = 65
  case noInput = 66
  case unavailable = 69
  case cannotWrite = 73
  case interrupted = 130
}

/// What one run of the command said.
struct Outcome {
  var code: Int32
  var output: String
  var errors: String

  /// That the run went well.
  @discardableResult
  func succeeded(_ location: SourceLocation = #_sourceLocation) throws -> Outcome {
    try #require(code == 0, "\(errors)\(output)", sourceLocation: location)
    return self
  }

  /// That the run failed with a code, said all of this on standard error, and nothing on standard output.
  func failed(_ code: Exit, _ messages: String..., location: SourceLocation = #_sourceLocation) {
    #expect(self.code == code.rawValue, "\(errors)", sourceLocation: location)
    for message in messages {
      #expect(errors.contains(message), "“\(message)” is not in:\n\(errors)", sourceLocation: location)
    }
    #expect(output.isEmpty, sourceLocation: location)
  }

  /// Standard output as JSON; fails if there is anything else.
  func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(output.utf8))
  }

  /// Standard output as a JSON object of any form.
  func object() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }
}

/// The largest |Δ| − (5e-4 + 1e-5·|y|) of two arrays: right if it is not positive.
func excess(_ found: HostTensor, _ expected: HostTensor) -> Float {
  guard found.shape == expected.shape else { return .infinity }
  return zip(found.values, expected.values).map { a, b in
    let delta = abs(a - b) - 5e-4 - 1e-5 * abs(b)
    return delta.isNaN ? .infinity : delta
  }.max() ?? .infinity
}

/// What a shell does before it becomes a command, so that the command gets a signal: `delay` seconds after its start, or
/// after it has written `file`.
func interruption(_ signal: String, after delay: Double = 0, writing file: String? = nil) -> String {
  let kill = "sleep \(delay); kill -\(signal) $$"
  guard let file else { return "(\(kill)) >/dev/null 2>&1 & :" }
  let stamp = "\"$(stat -c %i%y '\(file)' 2>/dev/null)\""
  let wait = "while kill -0 $$ && [ \(stamp) = \"$before\" ]; do sleep 0.01; done"
  return "before=\(stamp); (\(wait); \(kill)) >/dev/null 2>&1 & :"
}
