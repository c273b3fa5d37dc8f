import Foundation
import Testing

/// Runs that were killed before their first checkpoint, and what a killed run leaves.
@Suite struct BegunRunTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Makes the folder of a run that was killed between its first files and its first checkpoint.
  private func begin(_ name: String, _ more: String...) async throws {
    let options = ["--epochs", "1", "--set", "limit=32"] + more
    try await TinyTraining.train(arguments: options + ["--out", scratch(name)]).succeeded()
    for file in ["last", "best"] {
      try FileManager.default.removeItem(atPath: scratch("\(name)/checkpoints/\(file).safetensors"))
    }
    try FileManager.default.removeItem(atPath: scratch("\(name)/report.html"))
    let header = try String(contentsOfFile: scratch("\(name)/results.csv"), encoding: .utf8).split(separator: "\n")[0]
    _ = try scratch.write(header + "\n", "\(name)/results.csv")
    _ = try scratch.write("half", "\(name)/checkpoints/.spdc-1f.tmp")
  }

  @Test func bothCommandsStartIt() async throws {
    try await begin("run", "--seed", "7")
    let resumed = try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2").succeeded()
    #expect(resumed.errors.contains("has no checkpoint yet: starting the run"))
    // With the settings of its first start.
    #expect(try String(contentsOfFile: scratch("run/config.yaml"), encoding: .utf8).contains("seed: 7 "))
    #expect(try TinyTraining.results(scratch("run")).count == 3)
    try await begin("again")
    try await TinyTraining.train(arguments: ["--epochs", "1", "--set", "limit=32", "--out", scratch("again")])
      .succeeded()
    // A folder with only an empty subfolder was left by a run whose module failed to build.
    try FileManager.default.createDirectory(atPath: scratch("bare/checkpoints"), withIntermediateDirectories: true)
    try await TinyTraining.train(
      "--resume", scratch("bare"), "--data", "shapes:12", "--epochs", "1", "--set", "limit=32", "--batch", "16"
    ).succeeded()
    #expect(exists(scratch("bare/checkpoints/last.safetensors")))
  }

  @Test func whatIsSomebodyElsesStays() async throws {
    try FileManager.default.createDirectory(atPath: scratch("own/checkpoints"), withIntermediateDirectories: true)
    let table = "epoch,loss\n1,0.5\n"
    _ = try scratch.write(table, "own/results.csv")
    try await TinyTraining.train("--epochs", "1", "--out", scratch("own")).failed(
      .usage, "results.csv already exists")
    try await TinyTraining.train("--resume", scratch("own")).failed(.noInput, "no such checkpoint")
    #expect(try String(contentsOfFile: scratch("own/results.csv"), encoding: .utf8) == table)
  }

  @Test func onlyItsOwnTemporaryFilesGo() async throws {
    try await TinyTraining.train("--epochs", "1", "--set", "limit=32", "--out", scratch("run")).succeeded()
    for name in [".spdc-0123456789abcdef.tmp", ".spdc-note.tmp", "mine.tmp", ".spdc-1.tmp.old"] {
      _ = try scratch.write("x", "run/checkpoints/" + name)
    }
    _ = try scratch.write("x", "run/.spdc-ff.tmp")
    try FileManager.default.createDirectory(atPath: scratch("run/.spdc-fe.tmp"), withIntermediateDirectories: true)
    try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2").succeeded()
    let left = scratch.names.filter { $0.contains("tmp") }.map { ($0 as NSString).lastPathComponent }
    #expect(left.sorted() == [".spdc-1.tmp.old", ".spdc-fe.tmp", ".spdc-note.tmp", "mine.tmp"])
  }

  /// A checkpoint that is reported as intact must exist.
  @Test func aRunWhoseFolderIsDeleted() async throws {
    let run = try await TinyTraining.train(
      arguments: ["--epochs", "5", "--set", "limit=32", "--out", scratch("run")],
      shell:
        "(while [ ! -e '\(scratch("run/checkpoints/last.safetensors"))' ]; do sleep 0.01; done; rm -rf '\(scratch("run"))') & :"
    )
    #expect(run.code == Exit.cannotWrite.rawValue, "\(run.errors)")
    #expect(run.errors.contains(scratch("run")) && !run.errors.contains("is intact"))
  }
}
