import SPDDriver
import Testing

/// Insufficient memory is reported before the computation.
@Suite struct MemoryTests {
  @Test func whatIsAvailable() {
    let text =
      "MemTotal:       24689664 kB\nMemFree: 1 kB\nMemAvailable:    1000 kB\nSwapTotal: 9 kB\nSwapFree:    24 kB\n"
    #expect(MemoryBudget.available(in: text) == 1024 << 10)
    #expect(MemoryBudget.available(in: "") == nil)
  }

  @Test func whatIsNeededStandsBesideWhatThereIs() throws {
    let budget = MemoryBudget(bytes: 3_000_000_000, limit: "under the control group's limit")
    let parts = [("arena", 2_000_000_000), ("packed weights", 1_500_000_000), ("state", 0)]
    let error = #expect(throws: NotEnoughMemory.self) { try MemoryBudget.require(parts, for: "net", of: budget) }
    #expect(
      error?.description
        == "net needs 3.5 GB of memory (arena 2.0 GB, packed weights 1.5 GB), but 3.0 GB are available "
        + "under the control group's limit: use a smaller --batch or --size")
    // 1.5 GB are left for the arena of 2 GB with 40 images: 30 of them, and a power of two is 16.
    let batched = #expect(throws: NotEnoughMemory.self) {
      try MemoryBudget.require(parts, for: "net", batch: 40, shared: ["packed weights"], of: budget)
    }
    #expect(batched?.description.hasSuffix("use --batch 16, or a smaller --size") == true)
    try MemoryBudget.require([("arena", 3_000_000_000)], for: "net", of: budget)
    #expect(throws: NotEnoughMemory.self) {
      try MemoryBudget.require([("a", .max), ("b", .max)], for: "net", of: budget)
    }
    try MemoryBudget.require([("a", .max)], for: "net", of: nil)
  }

  @Test func aBatchThatDoesNotFit() async throws {
    for command in [
      ["run", "--input", "synthetic", "--output", "/dev/null"], ["bench", "--seconds", "0.1"], ["verify"],
      ["bench", "--train"],
    ] {
      let run = try await spdc(
        arguments: [command[0], Place.tiny, "--weights", "synthetic", "--batch", "100000"] + command.dropFirst(),
        shell: "ulimit -v 4000000")
      run.failed(
        .unavailable, "tiny-spd for 100,000 images needs ", " are available under `ulimit -v`", "use --batch ")
    }
  }
}
