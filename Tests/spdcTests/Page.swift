import Foundation
import Testing

/// A page of the documentation, in Markdown.
struct Page: CustomTestStringConvertible, Sendable {
  /// Relative to the repository.
  let path: String
  let text: String

  var testDescription: String { path }
  var folder: String { URL(fileURLWithPath: Place.repository + "/" + path).deletingLastPathComponent().path }

  init(_ path: String) {
    self.path = path
    text = (try? String(contentsOfFile: Place.repository + "/" + path, encoding: .utf8)) ?? ""
  }

  /// What a user reads first, then the pages that it leads to.
  static let readme = Page("README.md")
  static let guides = ["guide", "training", "detection", "generated-c", "edge", "performance", "development"].map {
    Page("docs/\($0).md")
  }
  /// Every page, with those that are written by programs and those of the examples.
  static let all: [Page] = {
    let manager = FileManager.default
    let measured = (try? manager.contentsOfDirectory(atPath: Place.repository + "/docs/measured")) ?? []
    let examples = (try? manager.contentsOfDirectory(atPath: Place.repository + "/Examples")) ?? []
    let found =
      measured.filter { $0.hasSuffix(".md") }.map { "docs/measured/" + $0 }
      + examples.map { "Examples/\($0)/README.md" }.filter { exists(Place.repository + "/" + $0) }
    return [readme] + guides + found.sorted().map { Page($0) }
  }()

  /// A fenced block: its language, the title of the file that it shows, and its lines.
  struct Block: Sendable {
    var language: Substring
    var title: String?
    var lines: [String] = []
  }

  var blocks: [Block] {
    var blocks: [Block] = []
    var isInside = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        isInside.toggle()
        guard isInside else { continue }
        let title = line.firstMatch(of: /title="([^"]+)"/).map { String($0.1) }
        blocks.append(Block(language: line.dropFirst(3).prefix { $0 != " " }, title: title))
      } else if isInside {
        blocks[blocks.count - 1].lines.append(line)
      }
    }
    return blocks
  }

  /// The page without its fenced blocks.
  var prose: String {
    var isInside = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      if line.hasPrefix("```") { isInside.toggle() }
      return !isInside && !line.hasPrefix("```")
    }.joined(separator: "\n")
  }

  /// Commands in blocks of shell, which a reader may copy: those that take long stand in blocks of `console`.
  var commands: [String] {
    blocks.filter { $0.language == "sh" }.flatMap(\.lines).filter { $0.hasPrefix("spdc ") }
  }

  /// Names of headings as GitHub links to them.
  var anchors: Set<String> {
    let headings = prose.split(separator: "\n").filter { $0.hasPrefix("#") }
    return Set(
      headings.map { heading in
        let words = heading.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
        return String(words.compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" ? $0 : nil })
      })
  }
}
