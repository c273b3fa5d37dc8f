import Foundation
import Testing

@testable import SPDTraining

struct RunFolderTests {
  @Test func foldersAreNeverTakenTwice() throws {
    let folder = try TemporaryFolder()
    let runs = folder.file("deep/runs")
    for name in ["exp", "exp2", "exp3"] { #expect(try RunFolder.create(in: runs).path == runs + "/" + name) }
    try FileManager.default.removeItem(atPath: runs + "/exp2")
    #expect(try RunFolder.create(in: runs).path == runs + "/exp2")
    #expect(
      try RunFolder.create(named: "a", in: runs).checkpoint(.epoch(7)) == runs + "/a/checkpoints/epoch-7.safetensors")
    let run = try RunFolder(existing: runs + "/exp")
    #expect(run.checkpoint(.last).hasSuffix("exp/checkpoints/last.safetensors"))
    #expect(FileManager.default.fileExists(atPath: run.checkpoints))
  }

  @Test func manyAtOnce() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("runs")
    let made = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<16 { group.addTask { try RunFolder.create(in: path).path } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(made.count == 16)
  }

  @Test func errors() throws {
    let folder = try TemporaryFolder()
    #expect(
      message { _ = try RunFolder(existing: "/none") }
        == "/none: no such run. Give the folder of an earlier run")
    for name in ["", "..", "a/b"] {
      #expect(
        message { _ = try RunFolder.create(named: name, in: "r") }
          == "r/\(name): cannot be the folder of a run. Give a plain name")
    }
    let file = try folder.write("", "file")
    #expect(message { _ = try RunFolder.create(in: file) }?.hasPrefix("\(file): cannot be created: ") == true)
  }

  private func history(_ epochs: Int) -> TrainingHistory {
    var history = TrainingHistory(columns: ["lr", "train/loss", "val/top1"])
    for epoch in 0..<epochs {
      var values = ["lr": 0.1, "train/loss": 1 / Double(epoch + 3)]
      if epoch % 2 == 0 { values["val/top1"] = Double(epoch) / 7 }
      history.append(epoch: epoch + 1, values)
    }
    return history
  }

  @Test func resultsGrowByRows() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.csv")
    let results = try ResultsFile(path, history: history(0))
    #expect(try text(path) == "epoch,lr,train/loss,val/top1\n")
    try results.append(history(1))
    try results.append(history(2))
    #expect(
      try text(path) == """
        epoch,lr,train/loss,val/top1
        1,0.1,0.3333333333333333,0.0
        2,0.1,0.25,

        """)
    #expect(history(3).series("val/top1").map(\.epoch) == [1, 3])
    #expect(history(3).series("none").isEmpty)
  }

  /// A run of an earlier version resumes with the columns of this one.
  @Test func columnsOfAnEarlierVersion() {
    let arranged = history(2).arranged(["train/loss", "val/top1", "x/lr0"])
    #expect(arranged.csv == "epoch,train/loss,val/top1,x/lr0\n1,0.3333333333333333,0.0,\n2,0.25,,\n")
  }

  /// Rows beyond the checkpoint and a half row are dropped, and the file ends as that of an uninterrupted run.
  @Test(arguments: ["", "5,0.1,0.2,0.3\n6,0.1,0.2,0.3\n", "5,0.1,0.", "nonsense"])
  func resumedResults(rest: String) throws {
    let folder = try TemporaryFolder()
    let whole = folder.file("whole.csv")
    let uninterrupted = try ResultsFile(whole, history: history(0))
    for epochs in 1...6 { try uninterrupted.append(history(epochs)) }

    let path = try folder.write(history(4).csv + rest, "results.csv")
    let resumed = try ResultsFile(path, history: history(4))
    for epochs in 5...6 { try resumed.append(history(epochs)) }
    #expect(try bytes(path) == bytes(whole))
  }

  @Test func twoWritersAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.csv")
    do {
      let first = try ResultsFile(path, history: history(1))
      #expect(
        message { _ = try ResultsFile(path, history: history(0)) }
          == "\(path): is being written by another process. Wait for that run, or stop it first")
      try first.append(history(2))
      #expect(try text(path) == history(2).csv)
    }
    _ = try ResultsFile(path, history: history(0))
  }

  @Test func historyAsJSON() throws {
    let data = try JSONEncoder().encode(history(3))
    #expect(try JSONDecoder().decode(TrainingHistory.self, from: data) == history(3))
    let broken = Data(#"{"columns":["a"],"rows":[{"epoch":1,"values":[1,2]}]}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(TrainingHistory.self, from: broken) }
  }

  @Test func commaSeparatedValues() {
    let lines = [["a", "b,c", "d\"e"], ["", "two\nlines", "ü\r"]]
    #expect(CSV.lines(lines.map(CSV.line).joined()) == lines)
    #expect(CSV.line(["a", "b,c", "d\"e"]) == "a,\"b,c\",\"d\"\"e\"\n")
    #expect(CSV.lines("a,b\r\nc,d\r\ne,f") == [["a", "b"], ["c", "d"]])
    #expect(CSV.lines("a,\"b\nc") == [])
  }
}
