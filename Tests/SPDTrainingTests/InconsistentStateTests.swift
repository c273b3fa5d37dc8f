import Foundation
import SPDFormats
import Testing

@testable import SPDTraining

/// A checkpoint whose state no run can have is refused where it is read.
struct InconsistentStateTests {
  private func reading(_ change: (inout TrainingState) throws -> Void) throws -> String? {
    let folder = try TemporaryFolder()
    var checkpoint = sampleCheckpoint()
    try change(&checkpoint.state)
    try checkpoint.write(to: folder.file("last.safetensors"))
    do {
      _ = try TrainingCheckpoint(contentsOf: folder.file("last.safetensors"))
      return nil
    } catch let error as FormatError { return error.problem }
  }

  private func expect(_ message: String, _ change: (inout TrainingState) throws -> Void) throws {
    let problem = try reading(change)
    #expect(problem?.contains("its state is inconsistent: " + message) == true, "\(problem ?? "read")")
  }

  private func history(_ epochs: Int...) throws -> TrainingHistory {
    let rows = epochs.map { "{\"epoch\":\($0),\"values\":[0.5]}" }.joined(separator: ",")
    return try JSONDecoder().decode(TrainingHistory.self, from: Data("{\"columns\":[\"a\"],\"rows\":[\(rows)]}".utf8))
  }

  @Test func positions() throws {
    #expect(try reading { _ in } == nil)
    try expect("epoch is -1") { $0.epoch = -1 }
    try expect("epoch is 9223372036854775807") { $0.epoch = .max }
    try expect("iteration is -9223372036854775808") { $0.iteration = .min }
    try expect("updates is 9223372036854775807") { $0.updates = .max }
    try expect("18 of 17 iterations wait for an update") { $0.summed = 18 }
    try expect("its best epoch is 7 of 3") { $0.best?.epoch = 7 }
  }

  @Test func histories() throws {
    try expect("its history has epoch 3, but only 2 are complete") { $0.epoch = 2 }
    try expect("row 2 of its history has epoch 1, after epoch 1") { $0.history = try history(1, 1, 2) }
    try expect("row 1 of its history has epoch 0, after epoch 0") { $0.history = try history(0) }
    try expect("row 2 of its history has epoch -5, after epoch 2") { $0.history = try history(2, -5) }
  }

  @Test func settings() throws {
    try expect("its setting batch is `0`, not a whole number from 1 to 1000000") { $0.configuration.batch = 0 }
    try expect("its setting epochs is `-1`, not a whole number from 1 to 1000000") { $0.configuration.epochs = -1 }
  }
}
