import SPD
import TestSupport
import Testing

/// Names come from files: each is made of a stated alphabet, and the message says where it is not.
struct GraphNameTests {
  private func graph() throws -> Graph {
    try traced(3, 8, 8) { $0.through(Conv(8, kernel: 3), GlobalAveragePool()) }
  }

  private func message(_ change: (inout Graph) -> Void) throws -> String? {
    var graph = try graph()
    try graph.verify()
    change(&graph)
    do {
      try graph.verify()
      return nil
    } catch {
      return error.description
    }
  }

  @Test(arguments: hostileTexts + ["", "a b", "é", String(repeating: "a", count: 256)])
  func everyField(text: String) throws {
    let rule = "is no name: it must be made of 1 to 255 letters, digits, _, - and ."
    let quoted = text.quotedForMessage
    #expect(try message { $0.parameters[1].name = text } == "parameters[1].name: \(quoted) \(rule)")
    if !text.isEmpty { #expect(try message { $0.nodes[2].layer = text } == "nodes[2].layer: \(quoted) \(rule)") }
    #expect(
      try message { $0.name = text }
        == "name: \(quoted) is no model name: it must be made of letters, digits, - and _")
    #expect(!quoted.contains("\u{1B}") && !quoted.contains("\n") && quoted.count < 600)
  }

  /// `<NAME>_WIDTH` stands in the header of each network, and some of these names in C's own headers.
  @Test(arguments: [("size", "SIZE"), ("int32", "INT32"), ("uint-fast8", "UINT_FAST8"), ("wchar", "WCHAR")])
  func namesOfCsOwnMacros(name: String, macro: String) throws {
    #expect(
      try message { $0.name = name }
        == "name: \(name) would define C's own macro \(macro)_WIDTH; give it another one, such as \(name)-net")
    let model = Model(name, input: .image(3, 8, 8)) { image, _ in image }
    #expect(throws: TraceError.self) { try model.graph() }
    #expect(try message { $0.name = name + "-net" } == nil)
  }

  @Test func sources() throws {
    #expect(try message { $0.nodes[1].source.fileID = "M/été*.swift" } == nil)
    let line = try graph().nodes[1].source.line
    #expect(
      try message { $0.nodes[1].source.fileID = "M/a\nb.swift" }
        == "nodes[1].source: “M/a\\u{a}b.swift”, line \(line), is no place in a file")
    #expect(try message { $0.nodes[1].source.line = -1 }?.hasPrefix("nodes[1].source: ") == true)
  }

  @Test func aParameterThatANodeNames() throws {
    let text = try message {
      guard case .convolution(var op) = $0.nodes[1].op else { return }
      op.parts[0].weight = "w*/"
      $0.nodes[1].op = .convolution(op)
    }
    #expect(text?.hasSuffix("reads the parameter “w*/”, which the graph does not list") == true)
  }

  @Test(arguments: ["x*/ int y; /*", "branch@NAME@", "a b", "", "a\nb"])
  func ofALayerInAModelFile(name: String) throws {
    let line = #line + 2
    let model = Model("net", input: .image(3, 16, 16)) { image, _ in
      image.through(Conv2D(8, kernel: 3).named(name), GlobalAveragePool())
    }
    let error = try #require(throws: TraceError.self) { try model.graph() }
    #expect(error.source.line == line && error.source.file == "GraphNameTests.swift")
    #expect(
      error.message
        == "the name \(name.quotedForMessage) cannot be used: a layer's name is made of 1 to 255 letters, digits, _, - and ."
    )
  }

  @Test func ofAModelAndItsScope() throws {
    let body: @Sendable (Tensor, Int) -> Tensor = { image, _ in GlobalAveragePool()(image) }
    #expect(throws: TraceError.self) { try Model("a*/", input: .image(3, 8, 8), body: body).graph() }
    #expect(throws: TraceError.self) { try Model("a", input: .image(3, 8, 8), scope: "b*/", body: body).graph() }
    #expect(throws: Never.self) { try Model("a", input: .image(3, 8, 8), scope: "b.c", body: body).graph() }
  }
}
