import Foundation
import Testing

/// Missing or broken compilers, caches, and ways to start the command.
@Suite struct ToolchainTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// A run that needs a C compiler, with a cache of its own that knows none.
  private func run(_ environment: [String: String?], cache: String? = nil, shell: String? = nil) async throws -> Outcome
  {
    try await spdc("compile", Place.tiny, "--emit", "graph", "-o", scratch("g.json")).succeeded()
    var variables = environment
    variables["SPDC_CACHE"] = cache ?? scratch("cache")
    return try await spdc(
      "run", scratch("g.json"), "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy"),
      "--json",
      environment: variables, shell: shell)
  }

  @Test func noCompiler() async throws {
    let none: [String: String?] = ["PATH": scratch.path, "CC": nil, "SPDC_CC": nil]
    (try await run(none)).failed(.unavailable, "no C compiler (clang or gcc) was found", "apt install clang libomp-dev")
    (try await run(["CC": "/nonexistent", "SPDC_CC": nil])).failed(
      .unavailable, "the compiler /nonexistent (from SPDC_CC or CC) was not found", "Unset the variable")
    (try await run(["PATH": nil, "CC": nil, "SPDC_CC": nil])).failed(
      .unavailable, "PATH is not set, so neither clang nor gcc can be found")
    let doctor = try await spdc("doctor", "--json", environment: none)
    #expect(try doctor.code == Exit.unavailable.rawValue && doctor.object()["ok"] as? Bool == false)
    let text = try await spdc("doctor", environment: ["CC": "/nonexistent"])
    #expect(text.code == Exit.unavailable.rawValue && text.output.contains("compiler     /nonexistent  not found"))
  }

  @Test func aCompilerWithWords() async throws {
    let log = scratch("log")
    // As ccache is: it runs what comes after its name.
    let wrapper = try scratch.script("echo \"$@\" >> '\(log)'; exec \"$@\"", "wrapper")
    let link = FileManager.default.temporaryDirectory.appendingPathComponent("spdc-wrapper-\(getpid())").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: wrapper)
    defer { try? FileManager.default.removeItem(atPath: link) }
    try await run(["CC": "\(link)  cc -DWORDS", "SPDC_CC": nil]).succeeded()
    let calls = String(decoding: try bytes(log), as: UTF8.self)
    #expect(calls.hasPrefix("cc -DWORDS --version") && calls.contains("tiny_spd.c"))
    let doctor = try await spdc("doctor", environment: ["CC": "\(link) cc", "SPDC_CC": nil])
    #expect(doctor.output.contains("\(link) cc"), "\(doctor.output)")
    (try await run(["CC": "/nonexistent cc", "SPDC_CC": nil])).failed(.unavailable, "the compiler /nonexistent cc")
  }

  @Test func aCompilerWithoutOpenMP() async throws {
    let lame = try scratch.script(
      """
      for word in "$@"; do
        case "$word" in -fopenmp*) echo "cc: error: unsupported option '-fopenmp'" >&2; exit 1;; esac
      done
      exec cc "$@"
      """, "lame cc")
    (try await run(["SPDC_CC": lame])).failed(
      .unavailable, "no C compiler here builds and runs an OpenMP program:",
      "lame cc: -fopenmp does not work: cc: error: unsupported option '-fopenmp'", "apt install clang libomp-dev")
    let doctor = try await spdc("doctor", environment: ["SPDC_CC": lame, "SPDC_CACHE": scratch("cache")])
    #expect(doctor.code == Exit.unavailable.rawValue && doctor.output.contains("-fopenmp does not work"))
  }

  @Test func aCompilerThatBuildsNothing() async throws {
    let broken = try scratch.script("echo 'cc1: error: out of order' >&2; exit 1", "broken")
    (try await run(["CC": broken, "SPDC_CC": nil])).failed(
      .unavailable, "broken: it cannot build a program: cc1: error: out of order")
    // OpenMP that is silently absent.
    let serial = try scratch.script(
      """
      for word in "$@"; do shift; case "$word" in -fopenmp*) ;; *) set -- "$@" "$word";; esac; done
      exec cc "$@"
      """, "serial")
    (try await run(["SPDC_CC": serial])).failed(.unavailable, "does not run two threads")
  }

  @Test func theCompilerOfTheUsersChoice() async throws {
    let log = scratch("log")
    let own = try scratch.script("echo \"$@\" >> '\(log)'; exec cc \"$@\"", "own")
    try await run(["SPDC_CC": own]).succeeded()
    let calls = String(decoding: try bytes(log), as: UTF8.self)
    #expect(calls.contains("-O3") && calls.contains("tiny_spd.c"))
    // What is in the cache is not built again.
    try await run(["SPDC_CC": own]).succeeded()
    #expect(try bytes(log).count == calls.utf8.count)
    #expect(scratch.names.allSatisfy { !$0.contains("/.") })
  }

  @Test func aCacheThatCannotBeMade() async throws {
    let file = try scratch.write("", "file")
    (try await run([:], cache: file + "/cache")).failed(
      .cannotWrite, "the folder cannot be created: Not a directory", "set SPDC_CACHE to use another folder")
    (try await run([:], cache: "/proc/spdc")).failed(.cannotWrite, "SPDC_CACHE")
  }

  @Test func manyAtATimeShareACache() async throws {
    try await spdc("compile", Place.tiny, "--emit", "graph").succeeded()
    let outputs = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for index in 0..<6 {
        group.addTask {
          let file = self.scratch("y\(index).npy")
          try await spdc(
            "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", file,
            environment: ["SPDC_CACHE": self.scratch("cache")]
          ).succeeded()
          return try bytes(file)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outputs.count == 6 && Set(outputs).count == 1)
    #expect(scratch.names.allSatisfy { !$0.contains("/.") })
  }

  @Test func manyCompileIntoOneFolder() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await spdc("compile", Place.tiny, "--weights", "synthetic", "-o", self.scratch("m")).succeeded()
        }
      }
      try await group.waitForAll()
    }
    #expect(scratch.names.count == 10 && scratch.names.allSatisfy { !$0.contains("/.") })
  }

  @Test func theCommandMayBeALinkAndPathsRelative() async throws {
    try FileManager.default.createSymbolicLink(atPath: scratch("my spdc"), withDestinationPath: Place.spdc)
    try FileManager.default.copyItem(atPath: Place.tiny, toPath: scratch("tiny model.swift"))
    let run = try await spdc(
      "compile", "./tiny model.swift", "--weights", "synthetic", "-o",
      "../\((scratch.path as NSString).lastPathComponent)/o",
      in: scratch.path, executable: scratch("my spdc"))
    try run.succeeded()
    #expect(exists(scratch("o/libtiny_spd.so")))
  }

  // MARK: - options

  @Test(arguments: [
    (["--size", "axb"], "--size"), (["--size", "0"], "--size"), (["--size", "32x"], "--size"),
    (["--batch", "0"], "--batch must be 1 or more"), (["--classes", "-1"], "--classes"),
    (["--emit", "foo"], "'graph', 'plan', 'c', 'object' or 'module'"), (["--packed"], "--packed needs --weights"),
    (["--packed", "--weights", "synthetic", "--emit", "c"], "--packed needs the module"),
    (["--dump-after", "foo"], "there is no pass foo; available: all, attach-loss, eliminate-dead-code"),
    (["--disable-pass", "foo", "-o", "/nonexistent/o"], "no optional pass is called foo; there are"),
    (["--target", "z80", "-o", "/nonexistent/o"], "there is no target z80; available: native, x86-64-v4"),
    (["--max-arena", "300MB"], "--max-arena needs --train"), (["--train", "--max-arena", "3 miles"], "--max-arena"),
    (["--train", "--max-arena", "1kB", "-o", "/nonexistent/o"], "raise --max-arena, or use a smaller --batch"),
    (["--nonsense"], "Unknown option '--nonsense'"), (["more"], "unexpected argument"),
  ]) func optionsThatMakeNoSense(_ options: [String], _ message: String) async throws {
    let run = try await spdc(arguments: ["compile", Place.tiny, "--json"] + options)
    #expect(run.code == Exit.usage.rawValue && run.output.isEmpty)
    #expect(run.errors.lowercased().contains(message.lowercased()), "\(run.errors)")
  }

  @Test func moreOptionsThatMakeNoSense() async throws {
    let image = Place.shapes + "/000.jpg"
    for (arguments, message) in [
      (
        ["run", Place.tiny, "--threads", "0", "--input", "synthetic", "--output", "y.npy"],
        "--threads must be 1 to 1024"
      ),
      (["run", Place.tiny, "--weights", "synthetic"], "Missing expected argument '--input <input>'"),
      (["bench", Place.tiny, "--seconds", "0"], "--seconds must be above 0"),
      (["bench", Place.tiny, "--compare", "unfused", "--unfused"], "compares a variant with itself"),
      (["bench", Place.tiny, "--compare", "nonsense"], "- disable:<pass>"),
      (["detect", "yolov5-spd-n", "--conf", "2", image], "--conf must be between 0 and 1"),
      (["detect", "yolov5-spd-n", "--iou", "-1", image], "--iou"),
      (["detect", "yolov5-spd-n", "--batch", "0", image], "--batch must be 1 or more"),
      (["detect", "yolov5-spd-n"], "Missing expected argument '<images> ...'"),
      (["classify", Place.tiny, "--top", "0", image], "--top must be 1 or more"),
      (["compile"], "Missing expected argument '<model>'"), (["nonsense"], "Unexpected argument 'nonsense'"),
    ] {
      let run = try await spdc(arguments: arguments)
      #expect(run.code == Exit.usage.rawValue && run.output.isEmpty)
      #expect(run.errors.contains(message), "\(run.errors)")
    }
  }
}
