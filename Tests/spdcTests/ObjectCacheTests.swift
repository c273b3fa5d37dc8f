import Foundation
import Testing

@testable import SPDDriver

/// Compiler outputs are cached, verified before use, and rebuilt if damaged.
@Suite struct ObjectCacheTests {
  private let scratch: Scratch
  private var cache: ObjectCache { ObjectCache(folder: URL(fileURLWithPath: scratch.path)) }
  init() throws { scratch = try Scratch() }

  /// How often something was made.
  private actor Count {
    var value = 0
    func add() { value += 1 }
  }

  private func file(_ key: ObjectCache.Key, _ count: Count, _ text: String = "what was made") async throws -> URL {
    try await cache.file("thing", key) { folder in
      await count.add()
      try text.write(to: folder.appendingPathComponent("thing"), atomically: false, encoding: .utf8)
      try "beside".write(to: folder.appendingPathComponent("other"), atomically: false, encoding: .utf8)
    }
  }

  @Test func anEntryIsMadeOnce() async throws {
    let count = Count()
    let first = try await file(.init("a", "b"), count)
    #expect(try await file(.init("a", "b"), count) == first)
    #expect(await count.value == 1)
    #expect(try String(contentsOf: first, encoding: .utf8) == "what was made")
    // Neither locks nor temporary folders stay.
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 1)
    // Where one part ends and the next begins counts.
    #expect(try await file(.init("ab", ""), count) != first)
    #expect(ObjectCache.Key("a").name.count == 32)
  }

  @Test(arguments: ["cut", "flipped", "grown", "gone", "undigested", "a part gone"])
  func damageIsMadeGood(_ damage: String) async throws {
    let count = Count()
    let key = ObjectCache.Key("damaged")
    let path = try await file(key, count)
    let beside = path.deletingLastPathComponent()
    switch damage {
    case "cut": try Data("what".utf8).write(to: path)
    case "flipped": try Data("What was made".utf8).write(to: path)
    case "grown": try Data("what was made.".utf8).write(to: path)
    case "gone": try FileManager.default.removeItem(at: path)
    case "undigested": try FileManager.default.removeItem(at: beside.appendingPathComponent("digest"))
    default: try FileManager.default.removeItem(at: beside.appendingPathComponent("other"))
    }
    #expect(try await file(key, count) == path)
    #expect(await count.value == 2)
    #expect(try String(contentsOf: path, encoding: .utf8) == "what was made")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 1)
  }

  @Test func whoeverWantsTheSameWaits() async throws {
    let count = Count()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          _ = try await cache.file("thing", .init("slow")) { folder in
            await count.add()
            try await Task.sleep(for: .milliseconds(50))
            try "x".write(to: folder.appendingPathComponent("thing"), atomically: false, encoding: .utf8)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(await count.value == 1)
  }

  @Test func aFailureLeavesNothing() async throws {
    await #expect(throws: CancellationError.self) {
      _ = try await cache.file("thing", .init("x")) { _ in throw CancellationError() }
    }
    #expect(scratch.names == [])
    // What a killed process left behind goes with the next one that makes the entry.
    let left = scratch(".\(ObjectCache.Key("x").name).left")
    try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
    _ = try await file(.init("x"), Count())
    #expect(!exists(left))
  }

  /// The command's own: damaged modules, objects and model files do not end it.
  @Test func theCommandBuildsDamagedEntriesAgain() async throws {
    let output = scratch("y.npy")
    let arguments = ["run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", output]
    let environment = ["SPDC_CACHE": scratch("cache")]
    try await spdc(arguments: arguments, environment: environment).succeeded()
    let wanted = try bytes(output)
    let files = scratch.names.filter { $0.hasSuffix(".so") || $0.hasSuffix("/model") || $0.hasSuffix(".o") }
    #expect(files.count == 3)
    for file in files { try Data(bytes(scratch(file)).prefix(100)).write(to: URL(fileURLWithPath: scratch(file))) }
    try await spdc(arguments: arguments, environment: environment).succeeded()
    #expect(try bytes(output) == wanted)
    for file in files { #expect(try bytes(scratch(file)).count > 100) }
  }
}
