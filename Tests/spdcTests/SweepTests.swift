import Foundation
import Testing

/// `spdc sweep`.
@Suite struct SweepTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let space = """
    trials: 3
    settings: {epochs: 2, limit: 160, batch: 16, threads: 1}
    space:
      lr: {log: [0.003, 0.3]}
      optimizer: [sgd, adam]

    """

  private func sweep(_ arguments: String..., shell: String? = nil) async throws -> Outcome {
    try await spdc(
      arguments: [
        "sweep", Place.tiny, "--data", "shapes:12", "--space", try scratch.write(Self.space, "space.yaml"), "--out",
        scratch("sweep"),
      ] + arguments, shell: shell)
  }

  @Test func aSweepResumesWhereItWasKilled() async throws {
    _ = try await sweep(shell: interruption("KILL", after: 0.3, writing: scratch("sweep/sweep.csv")))
    let first = try await sweep().succeeded()
    #expect(first.output.hasPrefix("best: trial "))
    let table = try String(contentsOfFile: scratch("sweep/sweep.csv"), encoding: .utf8)
    #expect(table.hasPrefix("trial,lr,optimizer,val/top1,seconds,outcome\n1,"))
    #expect(table.split(separator: "\n").count == 4)
    for name in ["sweep.svg", "sweep.html", "trial-001/report.html", "trial-003/checkpoints/best.safetensors"] {
      #expect(exists(scratch("sweep/" + name)), "\(name)")
    }
    // One trial more; the others stay as they are.
    let answer = try await sweep("--trials", "4", "--json").succeeded().object()
    #expect((answer["trials"] as? [Any])?.count == 4)
    let longer = try String(contentsOfFile: scratch("sweep/sweep.csv"), encoding: .utf8)
    #expect(longer.hasPrefix(table))
  }

  @Test func aTrialThatDivergesIsNoted() async throws {
    let space = try scratch.write(
      Self.space.replacing("lr: {log: [0.003, 0.3]}", with: "lr: [0.01, 1e30]").replacing("sgd, adam", with: "sgd"),
      "wild.yaml")
    let run = try await spdc(
      "sweep", Place.tiny, "--data", "shapes:12", "--space", space, "--out", scratch("wild"), "--json"
    ).succeeded().object()
    let outcomes = try #require(run["trials"] as? [[String: Any]]).compactMap { $0["outcome"] as? String }
    #expect(outcomes.count == 2 && outcomes.count { $0 == "finished" } == 1)
    #expect(outcomes.contains { $0.hasPrefix("failed: ") && $0.contains("in epoch") })
  }

  /// A trial that fails because of its own settings does not stop the others.
  @Test func aTrialThatCannotBeBuiltIsNoted() async throws {
    func sweep(_ arenas: String, _ folder: String, _ more: String...) async throws -> Outcome {
      let text = """
        metric: val/loss
        settings: {epochs: 1, limit: 160, batch: 16, threads: 1}
        space: {max-arena: \(arenas)}

        """
      return try await spdc(
        arguments: [
          "sweep", Place.tiny, "--data", "shapes:12", "--space", try scratch.write(text, folder + ".yaml"), "--out",
          scratch(folder),
        ] + more)
    }
    let run = try await sweep("[0.01, 400, 500]", "some", "--json").succeeded().object()
    let trials = try #require(run["trials"] as? [[String: Any]])
    let failed = try #require(trials.first { ($0["settings"] as? [String: String])?["max-arena"] == "0.01" })
    #expect((failed["outcome"] as? String)?.hasPrefix("failed: the arena of tiny-spd for 16 images needs ") == true)
    // Losses are minimised; the first of equal ones is best.
    let losses = trials.compactMap { $0["metric"] as? Double }
    #expect(losses.count == 2 && losses.allSatisfy { $0 > 0 })
    #expect(
      run["best"] as? Int == trials.first { $0["metric"] as? Double == losses.min() }.flatMap { $0["trial"] as? Int })
    try await sweep("[0.01, 0.02]", "none").failed(.diverged, "all 2 trials failed; trial 1: failed: the arena of ")
  }

  /// Results of another model, data set or setting are not taken for this one's.
  @Test func aFolderIsOfOneSweep() async throws {
    try await sweep("--trials", "1").succeeded()
    let table = try bytes(scratch("sweep/sweep.csv"))
    try await sweep("--trials", "1", "--set", "flip-horizontal=0").failed(
      .data, "is from a sweep with flip-horizontal 0.5, but this one has 0", "another folder")
    try await sweep("--trials", "1", "--data", "shapes:14").failed(.data, "is from a sweep with data shapes:12")
    let other = try scratch.write(try String(contentsOfFile: Place.tiny, encoding: .utf8), "copy.swift")
    try await spdc(
      "sweep", other, "--data", "shapes:12", "--space", scratch("space.yaml"), "--out", scratch("sweep"), "--trials",
      "1"
    ).failed(.data, "is from a sweep with model ")
    #expect(try bytes(scratch("sweep/sweep.csv")) == table)
    let weights = scratch("sweep/trial-001/checkpoints/last.safetensors")
    try await sweep("--trials", "1", "--weights", weights).failed(
      .data, "is from a sweep with weights of the seed, but this one has last.safetensors ")
    // Threads change nothing but the time.
    let again = try await sweep("--trials", "1", "--loader-threads", "3", "--json").succeeded().object()
    #expect((again["trials"] as? [Any])?.count == 1)
  }

  @Test func aFolderThatCannotBeWritten() async throws {
    let file = try scratch.write("", "file")
    try await spdc(
      "sweep", Place.tiny, "--data", "shapes:12", "--space", try scratch.write(Self.space, "space.yaml"), "--out",
      file + "/sweep"
    ).failed(.cannotWrite, "cannot be created")
  }

  /// An error that concerns all trials ends the sweep; after it is fixed, the trials run.
  @Test func aMistakeIsPutRight() async throws {
    let text = "settings: {epochs: 1, limit: 160, threads: 1}\nspace: {batch: [16, 32], lr: [0.01]}\n"
    let space = try scratch.write(text, "space.yaml")
    let sweep = ["sweep", Place.tiny, "--space", space, "--out", scratch("sweep")]
    try await spdc(arguments: sweep).failed(.usage, "no data set: give --data")
    try await spdc(arguments: sweep + ["--data", "/no/such"]).failed(.noInput, "/no/such")
    let run = try await spdc(arguments: sweep + ["--data", "shapes:12", "--json"]).succeeded().object()
    #expect((run["trials"] as? [[String: Any]])?.compactMap { $0["metric"] as? Double }.count == 2)
  }

  @Test func mistakesAreExplained() async throws {
    let space = try scratch.write("space: {lr: 0.1}\n", "wrong.yaml")
    try await spdc("sweep", Place.tiny, "--data", "shapes:12", "--space", space).failed(
      .data, "wrong.yaml:1: `lr` needs several values")
    try await spdc("sweep", Place.tiny, "--data", "shapes:12", "--space", "/no/such.yaml").failed(
      .noInput, "/no/such.yaml: no such file")
    let nothing = try scratch.write("space: {optimizer: [adam, adamw], nesterov: [true]}\n", "nothing.yaml")
    try await spdc("sweep", Place.tiny, "--data", "shapes:12", "--space", nothing, "--out", scratch("no")).failed(
      .usage, "nothing.yaml has no valid trial")
    try await sweep("--set", "lr=1").failed(.usage, "`lr` is searched by the sweep")
    try await sweep("--trials", "0").failed(.usage, "--trials")
    try await sweep("--trials", "1000000").failed(.usage, "--trials must be 1 to 10000")
    let endless = try scratch.write("trials: 1000000\nspace: {lr: {range: [0, 1]}}\n", "endless.yaml")
    try await spdc("sweep", Place.tiny, "--data", "shapes:12", "--space", endless).failed(
      .data, "endless.yaml:1: `trials` must be a whole number from 1 to 10000")
  }
}
