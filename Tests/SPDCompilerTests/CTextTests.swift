import Foundation
import SPD
import SPDTemplates
import TestSupport
import Testing

@testable import SPDCompiler

/// Texts from graphs decide nothing about the C that is compiled.
struct CTextTests {
  @Test(arguments: hostileTexts) func comments(text: String) {
    let comment = CText.comment(text)
    #expect(!comment.contains("*/") && !comment.contains("/*") && !comment.contains("@") && !comment.contains("??"))
    #expect(!comment.contains("\n") && !comment.hasSuffix("\\") && !comment.hasSuffix("*") && !comment.hasPrefix("/"))
    #expect(!comment.unicodeScalars.contains { $0.properties.generalCategory == .format || $0.value < 0x20 })
  }

  @Test func commentsStayReadable() {
    let text =
      "%5 = conv2d(%3[::2,1::2]) k=3 p=1 96→48 *bn +silu      48×160×160      model.0.conv  yolov5-spd-n.swift:6"
    #expect(CText.comment(text) == text)
    #expect(CText.comment("mean (y - t) * (y - t) / 2") == "mean (y - t) * (y - t) / 2")
    #expect(CText.comment("x*/y") == "x*\\u{2f}y")
  }

  @Test func strings() {
    #expect(CText.string("tiny-spd") == "\"tiny-spd\"")
    #expect(CText.string("a\"b\\c?@\n1é") == "\"a\\042b\\134c\\077\\100\\0121\\303\\251\"")
  }

  /// A graph whose names no check has seen, in inference and in training: outside of comments and strings, the C is that of
  /// harmless names.
  @Test(arguments: [Mode.inference, .training]) func namesAreNeverCode(mode: Mode) throws {
    let templates = Templates(try SPDTemplates.load())
    func code(_ rename: (String) -> String) throws -> String {
      var options = Pipeline.Options()
      options.mode = mode
      let declared = try Model("small", input: .image(3, 16, 16), classes: 4) { image, classes in
        image.through(
          Conv(8, kernel: 3), SpaceToDepth(), Conv2D(8, kernel: 3), BatchNorm(), ReLU(), GlobalAveragePool(), Flatten(),
          Linear(classes))
      }.graph(batch: 2)
      let lowered = try Pipeline.run(declared, options: options).graph
      // Every text of the graph, as a file would bring it; `plan` checks nothing.
      var file = String(decoding: try JSONEncoder().encode(lowered), as: UTF8.self)
      for name in lowered.parameters.map(\.name) + ["CTextTests.swift"] {
        file = file.replacingOccurrences(of: "\"\(name)\"", with: try json(rename(name)))
      }
      var graph = try JSONDecoder().decode(Graph.self, from: Data(file.utf8))
      graph.name = rename(graph.name)
      for index in graph.nodes.indices {
        graph.nodes[index].layer = rename(graph.nodes[index].layer)
        graph.nodes[index].source.fileID = rename("file")
      }
      let plan = try LowerToPlan.plan(graph, prefix: "net", target: .scalar, mode: mode)
      let result = try EmitC.emit(plan, templates: templates, version: "1")
      // Hashes are of the names.
      return (withoutCommentsAndStrings(result.source) + withoutCommentsAndStrings(result.header))
        .replacing(#/0x[0-9a-f]{6,}u/#, with: "HASH")
    }
    func json(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
    let expected = try code { $0 }
    for text in hostileTexts { #expect(try code { text + $0 } == expected, "\(text.debugDescription)") }
  }

  /// As a compiler sees it, after joining spliced lines.
  private func withoutCommentsAndStrings(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    let (slash, star, quote) = (UInt8(ascii: "/"), UInt8(ascii: "*"), UInt8(ascii: "\""))
    let (backslash, newline) = (UInt8(ascii: "\\"), UInt8(ascii: "\n"))
    func isPair(_ first: UInt8, _ second: UInt8) -> Bool {
      bytes[index] == first && index + 1 < bytes.count && bytes[index + 1] == second
    }
    while index < bytes.count {
      if isPair(slash, star) {
        index += 2
        while index < bytes.count, !isPair(star, slash) { index += 1 }
        index += 2
      } else if bytes[index] == quote {
        index += 1
        while index < bytes.count, bytes[index] != quote, bytes[index] != newline {
          index += bytes[index] == backslash ? 2 : 1
        }
        index += 1
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
