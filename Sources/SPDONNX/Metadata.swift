import SPD

/// What tools look for beside the graph: strides and class names as literals of Python, and how images become the input.
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
  if let preprocessing = graph.preprocessing {
    func list(_ values: [Double]) -> String { "[" + values.map { "\($0)" }.joined(separator: ", ") + "]" }
    entries += [
      StringStringEntryProto(key: "mean", value: list(preprocessing.mean)),
      StringStringEntryProto(key: "std", value: list(preprocessing.std)),
      StringStringEntryProto(key: "value_range", value: preprocessing.valueRange.rawValue),
      StringStringEntryProto(key: "fit", value: preprocessing.fit.rawValue),
    ]
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
