import SPD

/// Metadata that detection tools read, both entries as Python literals.
func metadata(of graph: Graph, classNames: [String]?) throws(ONNXExportError) -> [StringStringEntryProto] {
  var entries: [StringStringEntryProto] = []
  let strides = graph.nodes.flatMap { node -> [Int] in
    if case .decodeBoxes(let op) = node.op { op.strides } else { [] }
  }
  if let stride = strides.max() { entries.append(StringStringEntryProto(key: "stride", value: "\(stride)")) }
  if let classNames {
    guard classNames.count == graph.classes else {
      throw ONNXExportError("\(classNames.count) class names, but \(graph.name) has \(graph.classes) classes")
    }
    let pairs = classNames.enumerated().map { "\($0): \(pythonLiteral($1))" }
    entries.append(StringStringEntryProto(key: "names", value: "{" + pairs.joined(separator: ", ") + "}"))
  }
  return entries
}

/// Quotes and escapes a text so that it cannot end the literal: readers evaluate it.
private func pythonLiteral(_ text: String) -> String {
  var literal = "'"
  for scalar in text.unicodeScalars {
    switch scalar {
    case "'", "\\": literal += "\\\(scalar)"
    case "\n": literal += "\\n"
    case _ where scalar.value < 0x20 || scalar.value == 0x7f:
      let digits = String(scalar.value, radix: 16)
      literal += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
    default: literal.unicodeScalars.append(scalar)
    }
  }
  return literal + "'"
}
