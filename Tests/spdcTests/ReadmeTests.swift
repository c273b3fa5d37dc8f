import Foundation
import Testing

/// Commands, links and names in the documentation are valid.
@Suite struct ReadmeTests {
  /// In a folder of its own that looks like the repository, in the order of the page, since some read what others wrote.
  @Test(arguments: [Page.readme] + Page.guides) func everyCommandRuns(_ page: Page) async throws {
    #expect(!page.text.isEmpty)
    let scratch = try Scratch()
    for name in ["Examples", "Sources", "Tests"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch(name), withDestinationPath: Place.repository + "/" + name)
    }
    try FileManager.default.createDirectory(atPath: scratch("build"), withIntermediateDirectories: true)
    for block in page.blocks {
      if let title = block.title { _ = try scratch.write(block.lines.joined(separator: "\n") + "\n", title) }
    }
    for command in page.commands {
      // Training computes so long that the time of the optimiser pays.
      let flags = command.hasPrefix("spdc train ") ? "export SPDC_CFLAGS=-O1; " : ""
      let outcome = try await spdc(
        "-c", "\(flags)spdc() { '\(Place.spdc)' \"$@\"; }; \(command)", in: scratch.path, executable: "/bin/sh")
      #expect(outcome.code == 0, "\(command)\n\(outcome.errors)")
    }
  }

  @Test func pagesHaveCommands() {
    #expect(Page.readme.commands.count >= 5)
    #expect(Page.guides.flatMap(\.commands).count >= 25)
  }

  /// More belongs on a page of its own.
  @Test func theReadmeIsShort() {
    #expect(Page.readme.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().count <= 150)
  }

  /// `make` targets that a page names exist.
  @Test(arguments: [Page.readme] + Page.guides) func everyMakeTargetExists(_ page: Page) throws {
    let makefile = try String(contentsOfFile: Place.repository + "/Makefile", encoding: .utf8)
    let named = Set(page.text.matches(of: /(?:^|`|\$ |&& )make ([a-z][a-z-]*)/.anchorsMatchLineEndings()).map(\.1))
    for target in named {
      let isThere = makefile.contains("\n\(target):")
      #expect(isThere, "\(page.path): make \(target)")
    }
  }

  /// The networks on the pages are the files that they are said to be.
  @Test(arguments: [(Page.readme, "tiny-spd"), (Page("docs/training.md"), "focal-spd")])
  func theExampleIsItsFile(_ page: Page, _ name: String) throws {
    let file = try String(contentsOfFile: Place.repository + "/Examples/\(name).swift", encoding: .utf8)
    let text = file.trimmingCharacters(in: .newlines)
    #expect(page.blocks.contains { $0.lines.joined(separator: "\n") == text })
  }

  /// Links within the repository lead to files, and to headings of pages.
  @Test(arguments: Page.all) func everyLinkLeadsSomewhere(_ page: Page) {
    for link in page.prose.matches(of: /\]\(([^)\s]+)\)/).map({ String($0.1) }) where !link.contains("://") {
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let path =
        parts[0].isEmpty ? page.path : URL(fileURLWithPath: page.folder + "/" + parts[0]).standardizedFileURL.path
      let relative = path.replacing(Place.repository + "/", with: "")
      #expect(exists(Place.repository + "/" + relative), "\(page.path): \(link)")
      if parts.count == 2 { #expect(Page(relative).anchors.contains(parts[1]), "\(page.path): \(link)") }
    }
  }

  /// Every folder of the README's map is there.
  @Test func theMapIsTrue() {
    let folders = Page.readme.text.matches(of: /\n\| ((?:`[A-Za-z\/]+`(?:, )?)+) \|/).flatMap { row in
      String(row.1).split(separator: ", ").map { $0.filter { $0 != "`" } }
    }.filter { !$0.hasPrefix("spdc") }
    #expect(folders.count >= 12)
    for folder in folders { #expect(exists(Place.repository + "/" + folder), "\(folder)") }
  }

  /// Files that are named to a developer exist: whole paths, paths from `Sources`, or names alone; `*` stands for anything.
  @Test(arguments: Page.guides) func everyNamedFileExists(_ page: Page) {
    // Placeholders, what a reader makes, and headers of the system.
    let made = ["NAME", "build/", "small", "tiny", "bad.swift", "std", "string.h", "omp.h"]
    let sources = /`([A-Za-z0-9_+*\/.-]+\.(?:swift|c|h))`/
    let named: [String] = page.prose.matches(of: sources).map { String($0.1) }
    for name in named where !made.contains(where: { (part: String) in name.contains(part) }) {
      let isThere = Self.files.contains { Self.ends($0, with: "/" + name) }
      #expect(isThere, "\(page.path): \(name)")
    }
  }

  private static func ends(_ file: String, with pattern: String) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    return file.hasSuffix(pieces[pieces.count - 1]) && file.contains(pieces[0])
  }

  private static let files: [String] = {
    var files: [String] = []
    for folder in ["Sources", "Tests", "Examples", "templates", "Benchmarks"] {
      let paths = FileManager.default.enumerator(atPath: Place.repository + "/" + folder)
      while let path = paths?.nextObject() as? String { files.append("/\(folder)/\(path)") }
    }
    return files
  }()
}
