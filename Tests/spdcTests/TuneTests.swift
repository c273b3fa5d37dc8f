import Foundation
import Testing

/// `--tune`: what it measures, caches and uses. Speed is not tested here.
@Suite struct TuneTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// The command with a cache of this test's own.
  private func tuned(_ arguments: String...) async throws -> Outcome {
    try await spdc(arguments: arguments + ["--threads", "1"], environment: ["SPDC_CACHE": scratch.cache()])
  }

  /// One convolution, so that nothing takes long.
  private func model(_ kernel: Int) throws -> String {
    try scratch.write(
      """
      import SPD
      let small = Model("small", input: .image(3, 8, 8)) { image, _ in
        image.through(MaxPool(1), Conv2D(16, kernel: \(kernel)), ReLU())
      }
      """, "small\(kernel).swift")
  }

  /// The file with what was measured.
  private var store: String {
    get throws {
      let names = scratch.names.filter { $0.hasPrefix("cache/tuning/") }
      #expect(names.count == 1 && names[0].hasSuffix(".json"))
      return scratch(names[0])
    }
  }

  /// Replaces the kernel of the only problem by the network's own with another prefetch distance.
  private func learn(weightsAhead: Int, plan: String) throws {
    let tile = try #require(plan.firstMatch(of: /"convDirect":\{"_0":\{[^}]*\}\}/)).output
    let kernel = "{\(tile)}".replacing(/"weightsAhead":\d+/, with: "\"weightsAhead\":\(weightsAhead)")
    var object = try #require(try JSONSerialization.jsonObject(with: Data(bytes(store))) as? [String: Any])
    var problems = try #require(object["problems"] as? [String: [String: Any]])
    let key = try #require(problems.keys.first)
    problems[key]?["kernel"] = try JSONSerialization.jsonObject(with: Data(kernel.utf8))
    object["problems"] = problems
    try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: store))
  }

  /// How many problems a network has, and how many of them are measured now.
  private func measured(_ model: String, _ arguments: String...) async throws -> [Int?] {
    let run = try await spdc(
      arguments: ["compile", model, "--tune", "--emit", "c", "--json", "--threads", "1", "-o", scratch("c")]
        + arguments, environment: ["SPDC_CACHE": scratch.cache()])
    let tuning = try #require(try run.succeeded().object()["tuning"] as? [String: Any])
    return ["problems", "measured"].map { tuning[$0] as? Int }
  }

  @Test func whatWasMeasuredIsMeasuredOnce() async throws {
    let one = try model(1)
    let first = try await tuned("compile", one, "--tune", "--emit", "c", "-o", scratch("a")).succeeded()
    #expect(first.output.contains("1 problem, 1 measured, ") && first.output.contains(" ms on 1 thread"))
    let stored = try bytes(store)
    let modules = scratch.names.filter { $0.hasPrefix("cache/modules/") }

    let second = try await tuned("compile", one, "--tune", "--emit", "c", "-o", scratch("b")).succeeded()
    #expect(second.output.contains("tuned earlier: 1 problem, "))
    #expect(try bytes(scratch("a/small.c")) == bytes(scratch("b/small.c")))
    // No round, no module, nothing written.
    #expect(try bytes(store) == stored)
    #expect(scratch.names.filter { $0.hasPrefix("cache/modules/") } == modules)

    // The same convolution asked for in another way is another problem; the first stays.
    #expect(try await measured(one, "--exact") == [1, 1])
    #expect(try await measured(one) == [1, 0])
  }

  @Test func whatWasLearnedIsTakenWithTuneAlone() async throws {
    let one = try model(1)
    let plain = try await tuned("compile", one, "--emit", "plan").succeeded().output
    try await tuned("explain", one, "--tune").succeeded()
    // As if another prefetch had been faster …
    try learn(weightsAhead: 0, plan: plain)
    let learned = try await tuned("compile", one, "--tune", "--emit", "plan").succeeded()
    #expect(learned.output.contains(#""weightsAhead":0"#) && !plain.contains(#""weightsAhead":0"#))
    // … and without --tune, compiling is a function of the network alone.
    #expect(try await tuned("compile", one, "--emit", "plan").succeeded().output == plain)
    // A kernel that this version would not try is measured again.
    try learn(weightsAhead: 77, plan: plain)
    #expect(try await measured(one) == [1, 1])
    #expect(try !String(contentsOfFile: store, encoding: .utf8).contains(": 77"))
  }

  @Test func aDamagedStoreIsNamedAndKept() async throws {
    let one = try model(1)
    try await tuned("explain", one, "--tune").succeeded()
    let path = try store
    for damaged in ["", "{", "[]", #"{"problems": {}}"#] {
      try damaged.write(toFile: path, atomically: true, encoding: .utf8)
      let run = try await tuned("compile", one, "--tune", "--json", "--emit", "c", "-o", scratch("a"))
      run.failed(.data, path, "Delete the file")
      #expect(try bytes(path) == Array(damaged.utf8))
      #expect(!exists(scratch("a")))
    }
    try await tuned("compile", one, "--emit", "c", "-o", scratch("a")).succeeded()
  }

  @Test func onlyWhatRunsHereIsMeasured() async throws {
    #if arch(x86_64)
      let other = "aarch64"
    #else
      let other = "x86-64"
    #endif
    let run = try await tuned("compile", Place.tiny, "--tune", "--target", other, "--emit", "plan")
    run.failed(.usage, "--tune runs the network, but this machine cannot run code for \(other)")
  }

  @Test func benchComparesWithTheUntuned() async throws {
    let one = try model(3)
    let run = try await tuned("bench", one, "--tune", "--compare", "untuned", "--seconds", "0.1").succeeded()
    #expect(run.output.contains("untuned") && run.errors.contains("tune: 1 problem"))
    let untuned = try await tuned("bench", one, "--compare", "untuned", "--seconds", "0.1")
    untuned.failed(.usage, "compares a variant with itself")
  }
}
