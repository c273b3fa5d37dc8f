import Foundation
import Testing

/// The README says only what works.
@Suite struct ReadmeTests {
  private static let text = (try? String(contentsOfFile: Place.repository + "/README.md", encoding: .utf8)) ?? ""

  /// The lines of all fenced blocks of a language.
  private static func blocks(_ language: String) -> [[String]] {
    var blocks: [[String]] = []
    var isInside = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line == "```" + language {
        blocks.append([])
        isInside = true
      } else if line == "```" {
        isInside = false
      } else if isInside {
        blocks[blocks.count - 1].append(line)
      }
    }
    return blocks
  }

  /// In a folder of its own that looks like the repository, in the order of the page, since some read what others wrote.
  @Test func everyCommandRuns() async throws {
    let commands = Self.blocks("sh").joined().filter { $0.hasPrefix("spdc ") }
    #expect(commands.count >= 15)
    let scratch = try Scratch()
    for name in ["Examples", "Sources", "Tests"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch(name), withDestinationPath: Place.repository + "/" + name)
    }
    try FileManager.default.createDirectory(atPath: scratch("build"), withIntermediateDirectories: true)
    for command in commands {
      let outcome = try await spdc(
        "-c", "spdc() { '\(Place.spdc)' \"$@\"; }; \(command)", in: scratch.path, executable: "/bin/sh")
      #expect(outcome.code == 0, "\(command)\n\(outcome.errors)")
    }
  }

  /// `make` targets that the page names exist.
  @Test func everyMakeTargetExists() throws {
    let makefile = try String(contentsOfFile: Place.repository + "/Makefile", encoding: .utf8)
    let named = Self.text.matches(of: /make ([a-z-]+)/).map { String($0.1) }
    #expect(Set(named).isSuperset(of: ["demo", "test", "bench", "install", "lint"]))
    for target in Set(named) { #expect(makefile.contains("\n\(target):"), "make \(target)") }
  }

  /// The network on the page is the file that it says it is.
  @Test func theExampleIsItsFile() throws {
    for path in [Place.tiny, Place.repository + "/Examples/focal-spd.swift"] {
      let file = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
      #expect(Self.blocks("swift").contains { $0.joined(separator: "\n") == file }, "\(path)")
    }
  }

  /// Every folder of the map is there.
  @Test func theMapIsTrue() {
    let folders = Self.text.matches(of: /\n\| ((?:`[A-Za-z\/]+`(?:, )?)+) \|/).flatMap { row in
      String(row.1).split(separator: ", ").map { $0.filter { $0 != "`" } }
    }.filter { !$0.hasPrefix("spdc") }
    #expect(folders.count >= 12)
    for folder in folders { #expect(exists(Place.repository + "/" + folder), "\(folder)") }
  }
}
