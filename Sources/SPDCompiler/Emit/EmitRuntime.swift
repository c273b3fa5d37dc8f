import SPD

// The public functions: pack, init, infer, and what a loader wants to know.
extension EmitC {
  func runtime(calls: [String], packing: String, packHash: UInt64) throws -> String {
    let input = graph.input.shape
    let outputShapes = plan.outputs.map { output in
      let padded = output.shape + Array(repeating: 0, count: 4 - output.shape.count)
      return "{\(output.shape.count), {\(padded.map(String.init).joined(separator: ", "))}}"
    }
    return try templates.fill(
      "runtime",
      [
        "PREFIX": prefix, "UPPER": upper, "NAME": CText.string(graph.name), "STEPS": "\(calls.count)",
        "CASES": cases(calls),
        "PACK": indent(packing, 1),
        "PACKED_COUNT": "\(plan.packedCount)", "ARENA_COUNT": "\(plan.arenaCount)",
        "SCRATCH_COUNT": "\(plan.scratchCount)", "PACK_HASH": hex(packHash), "GRAPH_HASH": hex(graph.parameterHash),
        "SCRATCH": scratchDeclaration,
        "BATCH": "\(input.batch)", "CHANNELS": "\(input.channels)", "HEIGHT": "\(input.height)",
        "WIDTH": "\(input.width)", "CLASSES": "\(graph.classes)", "OUTPUTS": "\(plan.outputs.count)",
        "OUTPUT_SHAPES": outputShapes.joined(separator: ", "),
      ])
  }

  /// The steps, as the cases of a switch.
  func cases(_ calls: [String]) -> String {
    let cases = calls.enumerated().map { index, call in
      let lines = call.split(separator: "\n")
      guard lines.count != 2 else { return "case \(index): \(lines[1]) break; \(lines[0])\n" }
      // Statements may declare.
      return "case \(index): { \(lines[0])\n" + indent(lines.dropFirst().map { $0 + "\n" }.joined(), 1)
        + "    break;\n}\n"
    }
    return indent(cases.joined(), 2)
  }

  var scratchDeclaration: String {
    guard plan.scratchCount > 0 else { return "" }
    return "float *scratch = arena + \(plan.arenaCount) + thread * (ptrdiff_t)\(plan.scratchCount);\n    (void)scratch;"
  }

  func header() throws -> String {
    let input = graph.input.shape
    let shapes = plan.outputs.enumerated().map { index, output in
      " * Output\(plan.outputs.count > 1 ? " \(index)" : ""): "
        + output.shape.map(String.init).joined(separator: " x ") + meaning(output)
    }
    return try templates.fill(
      "module",
      [
        "PREFIX": prefix, "UPPER": upper, "NAME": CText.comment(graph.name), "VERSION": version,
        "BATCH": "\(input.batch)",
        "CHANNELS": "\(input.channels)", "HEIGHT": "\(input.height)", "WIDTH": "\(input.width)",
        "CLASSES": "\(graph.classes)", "INPUT_COUNT": "\(input.count)", "OUTPUT_COUNT": "\(plan.outputCount)",
        "OUTPUT_TEXT": shapes.joined(separator: "\n"), "OUTPUT_PLACES": outputMacros + imageMacros,
        "PACKED_COUNT": "\(plan.packedCount)",
        "ARENA_COUNT": "\(plan.arenaCount)", "SCRATCH_COUNT": "\(plan.scratchCount)",
        "GRAPH_HASH": hex(graph.parameterHash),
        "FLAGS": (plan.target.flags + ["-ffp-contract=fast", "-fno-math-errno"]).joined(separator: " "),
        "TARGET": plan.target.name,
      ])
  }

  /// Where each result lies in the output, for programs that read them by number.
  private var outputMacros: String {
    let places = plan.outputs.enumerated().map { index, output in
      """
      #define \(upper)_OUTPUT_\(index)_OFFSET ((size_t)\(output.offset)) /* floats from the start of the output */
      #define \(upper)_OUTPUT_\(index)_COUNT ((size_t)\(output.count))
      """
    }
    return (["#define \(upper)_OUTPUTS \(plan.outputs.count)"] + places).joined(separator: "\n")
  }

  /// How images become the input and what the classes are called, where the weights' run says it.
  private var imageMacros: String {
    var lines: [String] = []
    if let preprocessing = graph.preprocessing {
      func list(_ values: [Double]) -> String { "{" + values.map { "\(Float($0))f" }.joined(separator: ", ") + "}" }
      let fit =
        switch preprocessing.fit {
        case .crop: "scaled by one factor until they cover the input, and the middle taken"
        case .stretch: "scaled to width and height"
        case .letterbox: "scaled by one factor until they fit, centred, and padded with grey 114"
        }
      lines += [
        "/* Images are \(fit); then (value - mean) / std, channels R, G, B, where a white pixel has the value RANGE. */",
        "#define \(upper)_INPUT_RANGE \(preprocessing.valueRange == .unit ? "1.0f" : "255.0f")",
        "#define \(upper)_INPUT_MEAN \(list(preprocessing.mean))",
        "#define \(upper)_INPUT_STD \(list(preprocessing.std))",
      ]
    }
    if let names = graph.classNames {
      lines.append("#define \(upper)_CLASS_NAMES {\(names.map(CText.string).joined(separator: ", "))}")
    }
    return lines.map { "\n" + $0 }.joined()
  }

  private func meaning(_ output: Plan.Output) -> String {
    if case .decodeBoxes = graph[graph.outputs[0].segments[0].node].op {
      return ": per box centre x, centre y, width, height in pixels, objectness, class scores"
    }
    return ""
  }

  private func indent(_ text: String, _ levels: Int) -> String {
    let margin = String(repeating: "    ", count: levels)
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
  }
}
